"""The rows of a database that need attention: found by reason, repaired on the spot."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db.models import F
from django.test import Client

from accounts.models import Activity, User
from assignments.models import Assignment
from assignments.services import repair as repairing
from crm.kernel import clock
from databases.importing.limits import CELL_CHARACTERS
from databases.models import (
    Database,
    DatabaseStat,
    Import,
    Pool,
    Record,
    RepairedRow,
    SkippedRow,
)
from tests import factories
from tests.concurrency.racing import broken_rules
from tests.conftest import HX

pytestmark = pytest.mark.django_db
PHONE = 2  # where the phone stands in a row of the factory


def url(database: Database, row: int | None = None, what: str = "") -> str:
    base = f"/manage/databases/{database.pk}/attention/"
    return base if row is None else f"{base}{row}/{what}"


@pytest.fixture
def database(citra: User) -> Database:
    """Four ready rows (2 to 5) and three that need attention (6 to 8), from an import."""
    database = factories.make_database(records=4, attention=3, by=citra)
    Import.objects.create(
        product=database.product,
        name=database.name,
        uploaded_by=citra,
        confirmed_by=citra,
        confirmed_at=clock.now(),
        finished_at=clock.now(),
        original_name="data.csv",
        size=1,
        sha256="0" * 64,
        state=Import.State.DONE,
        database=database,
        ready=4,
        attention=3,
        rows_total=7,
    )
    return database


def record(database: Database, row: int) -> Record:
    return Record.objects.get(database=database, row_number=row)


def ready_phone(database: Database, row: int = 2) -> str:
    return record(database, row).phone


def counts(database: Database) -> tuple[int, ...]:
    source = Import.objects.get(database=database)
    return source.ready, source.attention, source.duplicate, source.blank, source.repaired


def everything_adds_up(database: Database) -> bool:
    """Whether rows read, outcomes, records, skipped rows and totals agree."""
    source, stat = Import.objects.get(database=database), DatabaseStat.objects.get(pk=database.pk)
    records = Record.objects.in_database(database.pk)
    return (
        source.read == source.rows_total
        and source.ready == records.filter(attention=None).count() == stat.ready
        and source.attention == records.needing_attention().count() == stat.attention
        and source.duplicate + source.blank == SkippedRow.objects.filter(source=source).count()
        and broken_rules() == []
    )


class TestAttention:
    def test_it_lists_what_needs_attention_with_its_row_and_reason(
        self, as_citra: Client, database: Database
    ) -> None:
        page = as_citra.get(url(database)).content.decode()
        assert [f'id="row-{row}"' in page for row in range(5, 10)] == [
            False,
            True,
            True,
            True,
            False,
        ]
        assert page.count("Not a usable phone number") == 3 + 1  # the rows and the filter
        assert Activity.objects.filter(kind="records.shown").count() == 1

    def test_it_is_filtered_by_reason_with_counts(
        self, as_citra: Client, database: Database
    ) -> None:
        Record.objects.filter(database=database, row_number=7).update(attention="cell_too_long")
        page = as_citra.get(url(database) + "?reason=cell_too_long").content.decode()
        assert 'id="row-7"' in page
        assert 'id="row-6"' not in page
        assert '<span class="num count">2</span>' in page
        assert '<span class="num count">1</span>' in page

    def test_a_reason_that_is_none_shows_all(self, as_citra: Client, database: Database) -> None:
        page = as_citra.get(url(database) + "?reason=x'--").content.decode()
        assert 'id="row-6"' in page

    @pytest.mark.parametrize("rows", [1, 30])
    def test_it_costs_the_same_for_any_number_of_rows(
        self, as_citra: Client, rows: int, django_assert_num_queries: Any
    ) -> None:
        database = factories.make_database(records=0, attention=rows)
        # session, user, database, rows, act, four reasons, import, and what the layout shows
        with django_assert_num_queries(14):
            assert as_citra.get(url(database)).status_code == 200

    def test_pages_follow_each_other(self, as_citra: Client) -> None:
        database = factories.make_database(records=0, attention=60)
        first = as_citra.get(url(database))
        following = first.context["page"].next
        second = as_citra.get(url(database) + f"?after={following}")
        rows = [row.record.row_number for page in (first, second) for row in page.context["rows"]]
        assert rows == list(range(2, 62))

    def test_nothing_to_do_is_said(self, as_citra: Client) -> None:
        page = as_citra.get(url(factories.make_database(records=1))).content.decode()
        assert "Nothing needs attention" in page

    def test_a_deleted_database_has_none(self, as_citra: Client, database: Database) -> None:
        now = clock.now()
        Database.objects.filter(pk=database.pk).update(archived_at=now, deleted_at=now)
        assert as_citra.get(url(database)).status_code == 404
        assert as_citra.post(url(database, 6), {"cell2": "081234567890"}).status_code == 404


class TestRepair:
    def test_the_row_is_ready_and_on_the_shelf(
        self, as_citra: Client, citra: User, database: Database
    ) -> None:
        answer = as_citra.post(url(database, 6), {"cell2": "0812-3456-7890"}, headers=HX)
        assert answer.status_code == 200
        page = answer.content.decode()
        assert "<html" not in page
        assert 'id="row-6"' in page
        assert "Ready" in page
        assert 'id="reasons"' in page  # the numbers come along
        assert "row:repaired" in answer["HX-Trigger"]
        row = record(database, 6)
        assert (row.phone, row.attention) == ("6281234567890", None)
        assert row.cells[PHONE] == "0812-3456-7890"
        shelf = Pool.objects.get(record=row)
        assert (shelf.phone, shelf.username_key) == (row.phone, row.username_key)
        assert counts(database) == (5, 2, 0, 0, 1)
        assert everything_adds_up(database)
        kept = RepairedRow.objects.get()
        assert (kept.row_number, kept.was, kept.by) == (6, "invalid_phone", citra)
        assert kept.cells_before[PHONE] == "-"
        act = Activity.objects.get(kind="record.repaired")
        assert (act.actor, act.details) == (citra, {"row": 6, "record": row.pk})

    def test_it_works_without_javascript(self, as_citra: Client, database: Database) -> None:
        form = as_citra.get(url(database, 6))
        assert form.status_code == 200
        assert "<h1" in form.content.decode()
        answer = as_citra.post(url(database, 6), {"cell2": "081234567890"})
        assert (answer.status_code, answer["Location"]) == (302, url(database))
        assert record(database, 6).attention is None

    @pytest.mark.parametrize("headers", [{}, HX], ids=["page", "row"])
    def test_the_form_carries_its_token(
        self, citra: User, database: Database, headers: dict[str, str]
    ) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(citra)
        page = client.get(url(database, 6), headers=headers).content.decode()
        form = page[page.index('<form class="repair') :]
        token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
        sent = {"csrfmiddlewaretoken": token[0], "cell2": "081234567890"}
        assert client.post(url(database, 6), sent).status_code == 302

    def test_the_form_comes_in_the_place_of_the_row(
        self, as_citra: Client, database: Database
    ) -> None:
        form = as_citra.get(url(database, 6), headers=HX).content.decode()
        assert 'name="cell2"' in form
        assert "<html" not in form
        row = as_citra.get(url(database, 6) + "?close=1", headers=HX).content.decode()
        assert 'name="cell2"' not in row
        assert 'id="repair-6"' in row

    def test_what_is_still_not_usable_is_refused_and_stays_typed(
        self, as_citra: Client, database: Database
    ) -> None:
        for headers in (HX, {}):
            answer = as_citra.post(url(database, 6), {"cell2": "0812"}, headers=headers)
            assert answer.status_code == 422
            page = answer.content.decode()
            assert 'value="0812"' in page
            assert "Not a usable phone number" in page
            assert 'aria-invalid="true"' in page
        assert record(database, 6).attention == "invalid_phone"
        assert everything_adds_up(database)

    def test_other_cells_may_be_changed_with_it(self, as_citra: Client, database: Database) -> None:
        sent = {"cell1": "  Nama   Baru ", "cell2": "081234567890", "cell9": "x"}
        as_citra.post(url(database, 6), sent, headers=HX)
        row = record(database, 6)
        assert (row.name, row.name_key) == ("Nama Baru", "nama baru")
        assert row.cells[1] == "  Nama   Baru "
        assert row.cells[3] == "Bekasi"  # not sent
        assert len(row.cells) == 5

    def test_line_ends_of_the_browser_change_no_cell(
        self, as_citra: Client, database: Database
    ) -> None:
        row = record(database, 6)
        Record.objects.filter(pk=row.pk).update(cells=[*row.cells[:3], "a\nb", "9"])
        sent = {"cell2": "081234567890", "cell3": "a\r\nb"}
        as_citra.post(url(database, 6), sent, headers=HX)
        assert record(database, 6).cells[3] == "a\nb"

    def test_lost_digits_are_not_taken_for_found_ones(
        self, as_citra: Client, database: Database
    ) -> None:
        """What is stored reads like a number, but the spreadsheet had rounded it."""
        row = record(database, 6)
        Record.objects.filter(pk=row.pk).update(
            attention="phone_precision_lost", cells=[*row.cells[:2], "81234000000", *row.cells[3:]]
        )
        answer = as_citra.post(url(database, 6), {"cell2": "81234000000"}, headers=HX)
        assert answer.status_code == 422
        assert "Digits lost in the spreadsheet" in answer.content.decode()
        as_citra.post(url(database, 6), {"cell2": "81234567890"}, headers=HX)
        assert record(database, 6).phone == "6281234567890"

    def test_a_cut_cell_is_shortened_or_kept_as_it_is(
        self, as_citra: Client, database: Database
    ) -> None:
        long = "x" * CELL_CHARACTERS
        for row in (6, 7):
            cells = [f"u{row}", "N", f"08123456789{row}", long, ""]
            Record.objects.filter(database=database, row_number=row).update(
                attention="cell_too_long", cells=cells
            )
        form = as_citra.get(url(database, 6), headers=HX).content.decode()
        assert "32,767 characters" in form
        assert long in form
        as_citra.post(url(database, 6), {"cell3": "Kota"}, headers=HX)
        as_citra.post(url(database, 7), {"cell3": long}, headers=HX)
        assert [record(database, row).cells[3] for row in (6, 7)] == ["Kota", long]
        assert [record(database, row).attention for row in (6, 7)] == [None, None]
        answer = as_citra.post(url(database, 8), {"cell2": "0" + long}, headers=HX)
        assert answer.status_code == 422

    def test_in_somebodys_hands_it_stays_there(
        self, as_citra: Client, ani: User, database: Database
    ) -> None:
        row = record(database, 6)
        batch = factories.make_batch(staff=ani, records=1, database=database)
        Assignment.objects.create(
            record=row,
            database=database,
            staff=ani,
            request=batch,
            state=Assignment.State.ACTIVE,
            assigned_at=clock.now(),
        )
        type(batch).objects.filter(pk=batch.pk).update(granted=F("granted") + 1)
        as_citra.post(url(database, 6), {"cell2": "081234567890"}, headers=HX)
        assert record(database, 6).attention is None
        assert not Pool.objects.filter(record=row).exists()
        assert everything_adds_up(database)

    def test_the_second_learns_who_was_first(
        self, as_citra: Client, citra: User, database: Database
    ) -> None:
        as_citra.post(url(database, 6), {"cell2": "081234567890"})
        answer = as_citra.post(url(database, 6), {"cell2": "081234567891"}, headers=HX)
        assert answer.status_code == 409
        assert "It is now: Ready (Citra)" in answer.content.decode()
        assert record(database, 6).phone == "6281234567890"
        assert RepairedRow.objects.count() == 1

    @pytest.mark.parametrize("what", ["", "skip/"])
    def test_a_database_deleted_meanwhile_is_not_there(
        self, as_citra: Client, database: Database, what: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lock = repairing.lock_database

        def after_somebody(database_id: int, *, exclusive: bool) -> Database:
            now = clock.now()
            Database.objects.filter(pk=database_id).update(archived_at=now, deleted_at=now)
            return lock(database_id, exclusive=exclusive)

        monkeypatch.setattr(repairing, "lock_database", after_somebody)
        sent = {"cell2": "081234567890"}
        assert as_citra.post(url(database, 6, what), sent, headers=HX).status_code == 404

    def test_a_row_that_is_none_is_not_there(self, as_citra: Client, database: Database) -> None:
        for row in (99, 99999999999999999999):
            assert as_citra.get(url(database, row)).status_code == 404
            assert as_citra.post(url(database, row), {"cell2": "x"}).status_code == 404

    def test_no_hand_out_is_refused_while_the_database_is_changed(
        self, as_citra: Client, citra: User, database: Database
    ) -> None:
        database.changes.create(kind="columns", created_by=citra)
        answer = as_citra.post(url(database, 6), {"cell2": "081234567890"}, headers=HX)
        assert answer.status_code == 409
        assert record(database, 6).attention is not None


class TestDuplicates:
    def test_a_number_of_another_row_is_refused_by_its_row(
        self, as_citra: Client, database: Database
    ) -> None:
        sent = {"cell2": "0" + ready_phone(database)[2:]}
        answer = as_citra.post(url(database, 6), sent, headers=HX)
        assert answer.status_code == 409
        page = answer.content.decode()
        assert "Row 2 has this number already." in page
        assert url(database, 6, "skip/") in page
        assert sent["cell2"] in page
        assert record(database, 6).attention is not None

    def test_the_row_is_then_skipped_as_by_the_import(
        self, as_citra: Client, citra: User, database: Database
    ) -> None:
        sent = {"cell2": "0" + ready_phone(database)[2:]}
        answer = as_citra.post(url(database, 6, "skip/"), sent, headers=HX)
        assert answer.status_code == 200
        assert "same customer as row 2" in answer.content.decode()
        assert not Record.objects.filter(database=database, row_number=6).exists()
        skipped = SkippedRow.objects.get()
        assert (skipped.row_number, skipped.reason, skipped.same_as) == (6, "duplicate_phone", 2)
        assert skipped.cells[PHONE] == sent["cell2"]
        assert counts(database) == (4, 2, 1, 0, 0)
        assert everything_adds_up(database)
        again = as_citra.post(url(database, 6), sent, headers=HX)
        assert again.status_code == 409
        assert "Skipped as a duplicate (Citra)" in again.content.decode()

    def test_a_row_that_somebody_had_stays(
        self, as_citra: Client, ani: User, database: Database
    ) -> None:
        Assignment.objects.create(
            record=record(database, 6),
            database=database,
            staff=ani,
            state=Assignment.State.RELEASED,
            assigned_at=clock.now(),
            released_at=clock.now(),
        )
        sent = {"cell2": "0" + ready_phone(database)[2:]}
        answer = as_citra.post(url(database, 6, "skip/"), sent, headers=HX)
        assert answer.status_code == 409
        assert "Somebody has worked on this row" in answer.content.decode()
        assert Record.objects.filter(database=database, row_number=6).exists()

    def test_what_is_no_duplicate_is_not_skipped(
        self, as_citra: Client, database: Database
    ) -> None:
        sent = {"cell2": "081234567890"}
        answer = as_citra.post(url(database, 6, "skip/"), sent, headers=HX)
        assert answer.status_code == 409
        assert Record.objects.filter(database=database, row_number=6).exists()
        assert everything_adds_up(database)

    def test_without_a_phone_column_the_username_decides(self, as_citra: Client) -> None:
        database = factories.make_database(
            records=2, attention=1, columns=["Username", "Kota"], roles=["username", ""]
        )
        Record.objects.filter(database=database, row_number=4).update(attention="cell_too_long")
        first = record(database, 2).username
        answer = as_citra.post(url(database, 4), {"cell0": f" {first.upper()} "}, headers=HX)
        assert answer.status_code == 409
        assert "Row 2 has this username already." in answer.content.decode()
