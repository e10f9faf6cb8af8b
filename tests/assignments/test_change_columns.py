"""Other columns become username, name and phone after the import: all records or none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client

from accounts.models import Activity, User
from assignments.models import Assignment
from assignments.services import columns as service
from crm.kernel import clock
from databases.models import (
    ColumnMapping,
    Database,
    DatabaseChange,
    DatabaseStat,
    Import,
    Pool,
    Record,
)
from databases.models.imports import HEARTBEAT_LIMIT
from tests import factories
from tests.concurrency.racing import broken_rules
from tests.conftest import HX
from tests.databases.helpers import make_import

S = DatabaseChange.State
COLUMNS = ["Username", "Nama", "No HP", "Kota", "WA Cadangan"]
ROLES = ["username", "name", "phone", "", "sensitive"]
MOVED = ["username", "name", "", "", "phone"]
Work = Callable[[], None]


def url(database: Database, what: str = "columns/") -> str:
    return f"/manage/databases/{database.pk}/{what}"


def choice(database: Database, roles: list[str], **more: Any) -> dict[str, Any]:
    """Give what the page sends for these roles, once it has shown what they do."""
    sent = {f"role{i}": role for i, role in enumerate(roles)}
    return {"version": database.version, "shown": ",".join(roles)} | sent | more


@pytest.fixture
def database(transactional_db: None) -> Database:
    """Give ten ready records and two that need attention; row i+2 has another number to call.

    Under MOVED: rows 2 to 9 ready, 10 without a number, 11 the number of row 2, 12 and 13 ready.
    """
    made = factories.make_database(records=10, attention=2, columns=COLUMNS, roles=ROLES)
    for record in Record.objects.in_database(made.pk):
        spare = f"0856-1111-{record.row_number:04}"
        spare = {10: "tidak ada", 11: "0856-1111-0002"}.get(record.row_number, spare)
        number = record.cells[2].replace("-", "123")
        cells = [*record.cells[:2], number, record.cells[3], spare]
        Record.objects.filter(pk=record.pk).update(cells=cells)
    return made


def begin(client: Client, database: Database, roles: list[str] | None = None) -> DatabaseChange:
    answer = client.post(url(database), choice(database, roles or MOVED))
    assert (answer.status_code, answer["Location"]) == (302, url(database))
    return DatabaseChange.objects.latest("pk")


def people(database: Database) -> dict[int, tuple[str, str | None]]:
    """Give phone and reason by row."""
    rows = Record.objects.in_database(database.pk).order_by("row_number")
    return {
        row: (phone, why)
        for row, phone, why in rows.values_list("row_number", "phone", "attention")
    }


def shelf(database: Database) -> dict[int, str]:
    rows = Pool.objects.filter(database=database).values_list("record__row_number", "phone")
    return dict(rows)


AFTER: dict[int, tuple[str, str | None]] = {
    **{row: (f"6285611110{row:03}", None) for row in range(2, 14)},
    10: ("", "invalid_phone"),
    11: ("6285611110002", None),
}


class TestChangingTheIdentity:
    def test_every_record_and_the_shelf_are_what_the_new_columns_say(
        self, database: Database, as_citra: Client, citra: User, work: Work
    ) -> None:
        begin(as_citra, database)
        database.refresh_from_db()
        assert database.roles == ROLES
        work()
        database.refresh_from_db()
        assert database.roles == MOVED
        assert people(database) == AFTER
        assert shelf(database) == {row: phone for row, (phone, why) in AFTER.items() if not why}
        assert broken_rules() == []
        stat = DatabaseStat.objects.get(database=database)
        assert (stat.total, stat.attention, stat.available) == (12, 1, 11)
        act = Activity.objects.get(kind="database.columns_changed")
        assert (act.actor, act.details["ready"], act.details["attention"]) == (citra, 11, 1)
        assert "0856" not in str(list(Activity.objects.values_list("details", flat=True)))

    def test_the_page_says_what_became_of_them(
        self, database: Database, as_citra: Client, work: Work
    ) -> None:
        begin(as_citra, database)
        work()
        html = as_citra.get(url(database)).content.decode()
        assert "11 rows are ready." in html
        assert "1 needs attention (Not a usable phone number:" in html
        assert "1 row has the phone number of an earlier one" in html
        page = as_citra.get("/manage/activity/").content.decode()
        assert "changed the columns of" in page

    def test_who_holds_a_record_keeps_it_with_the_marks(
        self, database: Database, as_citra: Client, ani: User, budi: User, work: Work
    ) -> None:
        factories.make_batch(staff=ani, records=4, database=database)
        waiting = factories.make_pending(staff=budi, database=database, quantity=6)
        Assignment.objects.filter(staff=ani).update(reach="ada", reach_at=clock.now(), reach_by=ani)
        before = list(Assignment.objects.order_by("pk").values())
        change = begin(as_citra, database)
        work()
        change.refresh_from_db()
        assert list(Assignment.objects.order_by("pk").values()) == before
        assert people(database) == AFTER
        # Rows 12 and 13 were never ready before, and everything else is in hands.
        assert shelf(database).keys() == {12, 13}
        assert change.result["in_hands"] == 1
        assert "1 of them stays with its holder." in as_citra.get(url(database)).content.decode()
        assert broken_rules() == []
        waiting.refresh_from_db()
        assert waiting.status == "pending"
        assert as_citra.post(f"/manage/requests/{waiting.pk}/reject/", {"reason": "x"})
        # What needs attention now does not go back on the shelf.
        assert shelf(database).keys() == {6, 7, 8, 9, 11, 12, 13}
        assert broken_rules() == []

    def test_to_and_fro_is_as_before(
        self, database: Database, as_citra: Client, work: Work
    ) -> None:
        before, on_shelf = people(database), shelf(database)
        begin(as_citra, database)
        work()
        database.refresh_from_db()
        begin(as_citra, database, ROLES)
        work()
        assert (people(database), shelf(database)) == (before, on_shelf)
        assert broken_rules() == []

    def test_swapping_names_leaves_phones_and_readiness(
        self, database: Database, as_citra: Client, work: Work
    ) -> None:
        before = people(database)
        swapped = ["name", "username", *ROLES[2:]]
        begin(as_citra, database, swapped)
        work()
        assert people(database) == before
        record = Record.objects.in_database(database.pk).get(row_number=2)
        assert (record.username, record.name) == (record.cells[1], record.cells[0])
        assert Pool.objects.get(record=record).username_key == record.username_key
        assert broken_rules() == []

    def test_the_report_of_the_import_still_adds_up(
        self, database: Database, as_citra: Client, work: Work
    ) -> None:
        source = make_import(
            state=Import.State.DONE, database=database, ready=10, attention=2, rows_total=12
        )
        begin(as_citra, database)
        work()
        source.refresh_from_db()
        assert (source.ready, source.attention, source.read) == (11, 1, 12)

    def test_the_next_file_of_this_kind_is_proposed_the_new_columns(
        self, database: Database, as_citra: Client, work: Work
    ) -> None:
        make_import(state=Import.State.DONE, database=database)
        begin(as_citra, database)
        work()
        assert ColumnMapping.objects.get(fingerprint="x").roles == MOVED


class TestWhileItRuns:
    def test_nothing_else_may_change_the_database(
        self, database: Database, as_citra: Client, as_ani: Client
    ) -> None:
        begin(as_citra, database)
        asked = as_ani.post(f"/request/databases/{database.pk}/", {"quantity": 1}, headers=HX)
        assert asked.status_code == 409
        assert not Assignment.objects.exists()
        sent = {"version": database.version, "name": "x", "role3": "", "role4": "sensitive"}
        edited = as_citra.post(url(database, "edit/"), sent, headers=HX)
        assert edited.status_code == 409
        again = as_citra.post(url(database), choice(database, ROLES), headers=HX)
        assert again.status_code == 409
        assert "being read anew" in again.content.decode()
        assert DatabaseChange.objects.count() == 1

    def test_the_page_shows_how_far_it_is_and_asks_again(
        self, database: Database, as_citra: Client, work: Work
    ) -> None:
        change = begin(as_citra, database)
        html = as_citra.get(url(database)).content.decode()
        assert "Waiting for its turn" in html
        assert 'data-hx-trigger="every 1s"' in html
        now = clock.now()
        mine = DatabaseChange.objects.filter(pk=change.pk)
        mine.update(state=S.RUNNING, started_at=now, heartbeat_at=now, rows_done=9)
        part = as_citra.get(url(database), headers=HX | {"X-Poll": "1"})
        assert "75%" in part.content.decode()
        assert "<html" not in part.content.decode()
        mine.update(state=S.QUEUED, rows_done=0)
        work()
        done = as_citra.get(url(database), headers=HX | {"X-Poll": "1"})
        assert done["HX-Redirect"] == url(database)


class TestWhenItFails:
    @pytest.mark.parametrize("place", ["_judge", "_write", "_complete"])
    def test_nothing_has_changed_and_it_can_be_tried_again(
        self,
        database: Database,
        as_citra: Client,
        as_ani: Client,
        work: Work,
        monkeypatch: pytest.MonkeyPatch,
        place: str,
    ) -> None:
        before, on_shelf = people(database), shelf(database)
        whole = getattr(service, place)

        def breaks(*args: Any, **kwargs: Any) -> Any:
            whole(*args, **kwargs)
            raise DatabaseError("pulled the plug")

        change = begin(as_citra, database)
        with monkeypatch.context() as broken:
            broken.setattr(service, place, breaks)
            work()
        change.refresh_from_db()
        assert (change.state, change.problem) == (S.FAILED, "crashed")
        database.refresh_from_db()
        assert (database.roles, people(database), shelf(database)) == (ROLES, before, on_shelf)
        assert broken_rules() == []
        html = as_citra.get(url(database)).content.decode()
        assert "nothing was changed" in html
        # The database is open meanwhile.
        asked = as_ani.post(f"/request/databases/{database.pk}/", {"quantity": 1})
        assert asked.status_code == 302
        assert Assignment.objects.count() == 1
        again = as_citra.post(url(database, "retry-change/"))
        assert (again.status_code, again["Location"]) == (302, url(database))
        work()
        change.refresh_from_db()
        assert change.state == S.DONE
        assert people(database) == AFTER
        assert broken_rules() == []

    def test_a_killed_job_leaves_nothing_and_a_click_starts_it_again(
        self, database: Database, as_citra: Client, work: Work
    ) -> None:
        change = begin(as_citra, database)
        old = clock.now() - HEARTBEAT_LIMIT * 2
        mine = DatabaseChange.objects.filter(pk=change.pk)
        mine.update(state=S.RUNNING, started_at=old, heartbeat_at=old)
        assert "Interrupted" in as_citra.get(url(database)).content.decode()
        as_citra.post(url(database, "retry-change/"))
        work()
        change.refresh_from_db()
        assert (change.state, change.attempt) == (S.DONE, 2)
        assert people(database) == AFTER

    def test_a_job_of_an_older_attempt_does_nothing(
        self, database: Database, as_citra: Client
    ) -> None:
        change = begin(as_citra, database)
        DatabaseChange.objects.filter(pk=change.pk).update(attempt=2)
        before = people(database)
        service.run_change(change_id=change.pk, attempt=1)
        assert people(database) == before

    def test_a_job_overtaken_while_it_works_leaves_nothing(
        self, database: Database, as_citra: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        change = begin(as_citra, database)
        whole = service._write

        def overtaken(*args: Any, **kwargs: Any) -> Any:
            DatabaseChange.objects.filter(pk=change.pk).update(attempt=2)
            return whole(*args, **kwargs)

        monkeypatch.setattr(service, "_write", overtaken)
        before = people(database)
        service.run_change(change_id=change.pk, attempt=1)
        assert people(database) == before
        change.refresh_from_db()
        assert change.state == S.RUNNING

    def test_a_failed_change_can_be_left(
        self, database: Database, as_citra: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        change = begin(as_citra, database)
        monkeypatch.setattr(service, "_apply", lambda *_given: 1 / 0)
        service.run_change(change_id=change.pk, attempt=1)
        page = as_citra.get(url(database, "")).content.decode()
        assert "Reading the columns anew stopped" in page
        answer = as_citra.post(url(database, "drop-change/"))
        assert (answer.status_code, answer["Location"]) == (302, url(database, ""))
        assert not DatabaseChange.objects.exists()
        assert "stopped" not in as_citra.get(url(database, "")).content.decode()
        assert "left the columns of" in as_citra.get("/manage/activity/").content.decode()

    def test_only_what_failed_can_be_left(
        self, database: Database, as_citra: Client, work: Work
    ) -> None:
        begin(as_citra, database)
        as_citra.post(url(database, "drop-change/"))
        assert DatabaseChange.objects.get().state == S.QUEUED
        work()
        as_citra.post(url(database, "drop-change/"))
        assert DatabaseChange.objects.get().state == S.DONE

    def test_there_is_nothing_to_try_again_twice(
        self, database: Database, as_citra: Client, work: Work
    ) -> None:
        begin(as_citra, database)
        work()
        answer = as_citra.post(url(database, "retry-change/"), follow=True)
        assert "nothing to try again" in answer.content.decode()
        assert DatabaseChange.objects.get().attempt == 1
