"""Deleting a database: exact counts before, its name typed, nothing of it left after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Activity, User
from assignments.models import Assignment, RecordRequest, StaffDay
from assignments.reports.totals import differences
from assignments.services import removal
from assignments.services.recall import recall_database
from assignments.services.removal import delete_database
from databases.models import (
    Database,
    DatabaseChange,
    DatabaseStat,
    Import,
    Pool,
    Record,
    SkippedRow,
)
from tests.conftest import HX
from tests.databases.helpers import make_import
from tests.factories import make_assignment, make_batch, make_database, make_pending

Files = Callable[[], list[str]]
Work = Callable[[], None]


@pytest.fixture
def database(citra: User) -> Database:
    return make_database(records=10, attention=2, name="Deposit Jan", by=citra)


def url(database: Database, what: str = "delete") -> str:
    return f"/manage/databases/{database.pk}/{what}/"


def send(client: Client, database: Database, name: str = "", **more: Any) -> Any:
    return client.post(url(database), {"name": name or database.name}, **more)


def made_by(database: Database, **given: Any) -> Import:
    """Make the import that brought `database`, with two rows it skipped."""
    source = make_import(
        state=Import.State.DONE, database=database, product=database.product, duplicate=2, **given
    )
    SkippedRow.objects.bulk_create(
        SkippedRow(source=source, row_number=90 + i, reason="blank", cells=["x"]) for i in range(2)
    )
    return source


@pytest.mark.django_db
class TestThePage:
    def test_it_counts_exactly_what_goes(
        self, database: Database, as_citra: Client, ani: User, citra: User
    ) -> None:
        made_by(database)
        make_pending(staff=ani, database=database, quantity=4)
        make_batch(staff=ani, database=database, records=3)
        recall_database(database_id=database.pk, by=citra)
        page = as_citra.get(url(database)).content.decode()
        for label, number in [
            ("Records", "12"),
            ("Ready", "10"),
            ("Needs attention", "2"),
            ("Skipped rows kept for the report", "2"),
            ("Waiting requests, to be rejected", "1"),
        ]:
            assert f'{label}</dt><dd class="num">{number}' in page
        assert "(4 records held)" in page
        assert "pelanggan.csv" in page
        assert "handed out and taken back 3 times" in page

    def test_a_wrong_name_deletes_nothing_and_stays_typed(
        self, database: Database, as_citra: Client
    ) -> None:
        response = send(as_citra, database, "deposit jan")
        assert response.status_code == 422
        assert 'value="deposit jan"' in response.content.decode()
        assert "This is not the name" in response.content.decode()
        assert Database.objects.get().deleted_at is None

    def test_without_a_name_it_asks_for_it(self, database: Database, as_citra: Client) -> None:
        response = as_citra.post(url(database), {}, headers=HX)
        assert response.status_code == 422
        assert "<html" not in response.content.decode()
        assert "Type the name of the database" in response.content.decode()

    def test_while_it_is_assigned_it_says_with_whom_and_offers_to_take_all_back(
        self, database: Database, as_citra: Client, ani: User, budi: User
    ) -> None:
        make_batch(staff=ani, database=database, records=2)
        make_assignment(staff=budi, database=database, reach="ada", response="ya")
        page = as_citra.get(url(database)).content.decode()
        assert "3 records are in the hands of staff" in page
        cell = '<td class="right num">{}</td>'
        assert f"<td>Ani</td>{cell.format(2)}{cell.format(0)}{cell.format(0)}" in page
        assert f"<td>Budi</td>{cell.format(1)}{cell.format(1)}{cell.format(1)}" in page
        assert url(database, "recall") in page
        assert 'name="name"' not in page

    def test_what_was_assigned_meanwhile_refuses_it(
        self, database: Database, as_citra: Client, ani: User
    ) -> None:
        make_batch(staff=ani, database=database, records=2)
        pending = make_pending(staff=ani, database=database, quantity=1)
        response = send(as_citra, database)
        assert response.status_code == 409
        assert 'role="alert"' in response.content.decode()
        assert Database.objects.get().deleted_at is None
        pending.refresh_from_db()
        assert pending.status == "pending"
        assert not DatabaseChange.objects.exists()

    def test_spaces_around_the_name_do_not_matter(
        self, database: Database, as_citra: Client
    ) -> None:
        response = send(as_citra, database, "  Deposit   Jan ")
        assert (response.status_code, response["Location"]) == (302, "/manage/databases/")

    def test_then_it_is_gone_at_once_for_everybody(
        self, database: Database, as_citra: Client, as_ani: Client, ani: User
    ) -> None:
        pending = make_pending(staff=ani, database=database, quantity=4)
        said = as_citra.post(url(database), {"name": database.name}, follow=True).content.decode()
        assert "12 records are being removed in the background" in said
        assert "1 waiting request was rejected" in said
        assert said.count("Deposit Jan") == 1  # in the message
        assert as_citra.get(url(database)).status_code == 404
        assert as_citra.get(f"/manage/databases/{database.pk}/").status_code == 404
        assert send(as_citra, database).status_code == 404
        decided = as_citra.get("/manage/requests/history/").content.decode()
        assert "(deleted)" in decided
        assert f"/manage/databases/{database.pk}/" not in decided
        pending.refresh_from_db()
        assert (pending.status, pending.reason) == ("rejected", "The database was deleted.")
        asked = as_ani.post(f"/request/databases/{database.pk}/", {"quantity": 1})
        assert asked.status_code == 404

    def test_a_request_decided_by_the_deletion_says_so_to_the_next(
        self, database: Database, as_citra: Client, ani: User, citra: User
    ) -> None:
        pending = make_pending(staff=ani, database=database, quantity=4)
        delete_database(database_id=database.pk, by=citra)
        response = as_citra.post(
            f"/manage/requests/{pending.pk}/approve/", {"quantity": 4}, headers=HX
        )
        assert response.status_code == 409
        assert "Already processed: rejected by Citra." in response.content.decode()

    def test_the_book_keeps_who_deleted_what(self, database: Database, citra: User) -> None:
        delete_database(database_id=database.pk, by=citra)
        line = Activity.objects.get(kind="database.deleted")
        assert (line.actor, line.label) == (citra, "Deposit Jan")
        assert line.details == {"records": 12, "requests_rejected": 0}

    def test_a_file_of_corrections_that_waits_is_given_up(
        self, database: Database, citra: User, files: Files
    ) -> None:
        source = made_by(database)
        waiting = make_import(state=Import.State.WAITING, corrects=source)
        done = make_import(state=Import.State.DONE, corrects=source)
        delete_database(database_id=database.pk, by=citra)
        waiting.refresh_from_db()
        done.refresh_from_db()
        assert (waiting.state, waiting.file.name, waiting.attempt) == ("cancelled", "", 2)
        assert (done.state, done.file.name) == ("done", "")


@pytest.mark.django_db(transaction=True)
class TestTheJob:
    def test_it_leaves_nothing_but_history(
        self, database: Database, as_citra: Client, ani: User, citra: User, work: Work, files: Files
    ) -> None:
        source = made_by(database)
        other = make_database(records=3)
        make_pending(staff=ani, database=database, quantity=2)
        make_assignment(staff=ani, database=database, reach="ada")
        recall_database(database_id=database.pk, by=citra)
        send(as_citra, database)
        assert files() == []
        work()
        assert Record.objects.count() == Pool.objects.count() == 3
        assert set(Record.objects.values_list("database", flat=True)) == {other.pk}
        assert not SkippedRow.objects.exists()
        assert not Assignment.objects.live().exists()
        assert StaffDay.objects.get(database=database).ada == 1
        assert DatabaseStat.objects.get(database=database).total == 0
        assert differences() == []
        change = DatabaseChange.objects.get()
        assert (change.state, change.rows_done, change.kind) == ("done", 12, "delete")
        source.refresh_from_db()
        assert (source.state, source.file.name) == ("done", "")

    def test_a_few_thousand_go_in_pieces(
        self, citra: User, work: Work, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        database = make_database(records=3_000, attention=250)
        monkeypatch.setattr(removal, "CHUNK", 500)
        pieces: list[int] = []
        delete_piece = removal._delete_piece

        def counted(table: str, *args: Any, **kwargs: Any) -> tuple[int | None, int]:
            end, deleted = delete_piece(table, *args, **kwargs)
            pieces.extend([deleted] if table == "databases_record" and end else [])
            return end, deleted

        monkeypatch.setattr(removal, "_delete_piece", counted)
        delete_database(database_id=database.pk, by=citra)
        work()
        assert pieces == [500] * 6 + [250]
        assert not Record.objects.exists()
        assert not Pool.objects.exists()
        assert differences() == []


@pytest.mark.django_db(transaction=True)
class TestAfterwards:
    """A deleted database is shown nowhere, and what still points at it can be looked at."""

    @pytest.fixture(autouse=True)
    def _deleted(self, database: Database, ani: User, citra: User, work: Work) -> None:
        made_by(database)
        make_assignment(staff=ani, database=database, reach="ada")
        recall_database(database_id=database.pk, by=citra)
        delete_database(database_id=database.pk, by=citra)
        work()

    @pytest.mark.parametrize(
        "path",
        [
            "/manage/databases/",
            "/manage/databases/?show=archived",
            "/manage/requests/",
            "/manage/requests/history/",
        ],
    )
    def test_no_list_links_to_it(self, path: str, database: Database, as_citra: Client) -> None:
        assert f"/manage/databases/{database.pk}/" not in as_citra.get(path).content.decode()

    @pytest.mark.parametrize("act", ["edit", "archive", "unarchive", "delete", "undo", "recall"])
    def test_its_pages_are_not_there(self, act: str, database: Database, as_citra: Client) -> None:
        assert as_citra.post(url(database, act)).status_code == 404

    def test_the_report_of_its_import_says_who_deleted_it(
        self, database: Database, as_citra: Client
    ) -> None:
        source = Import.objects.get(database=database)
        report = f"/manage/databases/imports/{source.pk}/"
        page = as_citra.get(f"{report}report/").content.decode()
        assert "Citra deleted this database" in page
        assert url(database, "undo") not in page
        assert as_citra.get(f"{report}not-ready.csv").status_code == 404
        assert as_citra.get(f"{report}original/").status_code == 404

    def test_its_product_counts_it_no_more_but_stays(
        self, database: Database, as_citra: Client
    ) -> None:
        products = as_citra.get("/manage/products/").context["page"].rows
        assert [product.databases_count for product in products] == [0]
        answer = as_citra.post(f"/manage/products/{database.product_id}/delete/")
        assert answer.status_code == 409
        assert "1 deleted database" in answer.context["refusal"]

    def test_the_data_fixes_show_it_and_change_nothing(
        self, database: Database, as_citra: Client
    ) -> None:
        assignment = Assignment.objects.get()
        admin = "/django-admin/"
        assert str(assignment.record_id) in (
            as_citra.get(f"{admin}assignments/assignment/").content.decode()
        )
        one = f"{admin}assignments/assignment/{assignment.pk}/change/"
        assert as_citra.get(one).status_code == 200
        page = f"{admin}databases/database/{database.pk}/change/"
        assert as_citra.get(page).status_code == 200
        assert as_citra.post(page, {"name": "Other"}).status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize("rows", [1, 30])
def test_the_page_costs_the_same_for_any_number_of_holders(
    rows: int, citra: User, as_citra: Client, django_assert_max_num_queries: Any
) -> None:
    from tests.factories import make_user

    database = make_database(records=rows)
    for _ in range(rows):
        make_assignment(staff=make_user(), database=database)
    as_citra.get("/")
    with django_assert_max_num_queries(14):
        page = as_citra.get(url(database)).content.decode()
    assert ("and 10 more people" in page) == (rows == 30)
    assert RecordRequest.objects.count() == rows
