"""Somebody deletes a database, or undoes its import, while others hand out its records.

Whoever is first wins as a whole, and nothing is orphaned: no record, no place on the shelf, no
assignment. Without the product's lock the triggers still refuse what must not be, but not kindly.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.models import User
from assignments.models import Assignment, RecordRequest
from assignments.services import removal, requests, shelf
from assignments.services.recall import recall_database
from assignments.services.removal import delete_database, sweep_database, undo_import
from assignments.services.requests import approve_request, request_records
from crm.kernel import clock
from databases import locks
from databases.models import Database, DatabaseChange, Import, Pool, Record
from databases.services import changes
from tests.concurrency.racing import Meeting, at_once, broken_rules, kinds
from tests.databases.conftest import _no_jobs_left, media
from tests.databases.helpers import make_import
from tests.factories import make_admin, make_batch, make_database, make_pending

__all__ = ["_no_jobs_left", "media"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def database() -> Database:
    return make_database(records=9)


def sweep() -> None:
    for change in DatabaseChange.objects.unfinished():
        sweep_database(change_id=change.pk, attempt=change.attempt)


def orphans() -> list[str]:
    """Name what is left of deleted databases; empty when all is well."""
    queries = {
        "records": "SELECT count(*) FROM databases_record r",
        "places on the shelf": "SELECT count(*) FROM databases_pool r",
        "live assignments": "SELECT count(*) FROM assignments_assignment r",
    }
    found = []
    with connection.cursor() as cursor:
        for name, query in queries.items():
            live = " AND r.state <> 'released'" if "assignments" in query else ""
            cursor.execute(
                f"{query} JOIN databases_database d ON d.id = r.database_id"
                f" WHERE d.deleted_at IS NOT NULL{live}"
            )
            if cursor.fetchone()[0]:
                found.append(name)
    return found


def without_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "lock_product", lambda *_a, **_k: None)


def meet_before_the_act(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a hand-out and a deletion meet when each has looked and neither has written."""
    meeting = Meeting()
    monkeypatch.setattr(shelf, "take", meeting.before(shelf.take))
    monkeypatch.setattr(removal, "reject_waiting", meeting.before(removal.reject_waiting))


def delete(database: Database, admin: User) -> Callable[[], Any]:
    return lambda: delete_database(database_id=database.pk, by=admin)


def undo(database: Database, admin: User) -> Callable[[], Any]:
    source = Import.objects.get(database=database)
    return lambda: undo_import(import_id=source.pk, by=admin)


Remove = Callable[[Database, User], Callable[[], Any]]
BOTH = pytest.mark.parametrize("remove", [delete, undo], ids=["delete", "undo"])


@BOTH
def test_a_request_is_before_or_after_but_never_beside(
    database: Database, ani: User, citra: User, monkeypatch: pytest.MonkeyPatch, remove: Remove
) -> None:
    make_import(state=Import.State.DONE, database=database)
    meet_before_the_act(monkeypatch)
    outcomes = at_once(
        remove(database, citra),
        lambda: request_records(database_id=database.pk, quantity=4, by=ani),
    )
    assert kinds(outcomes) in (["DoesNotExist", "Removed"], ["RecordRequest", "Removed"])
    assert not RecordRequest.objects.pending().exists()
    sweep()
    assert orphans() == broken_rules() == []
    assert not Record.objects.exists()


@BOTH
def test_without_the_lock_it_takes_the_triggers_to_refuse(
    database: Database, ani: User, citra: User, monkeypatch: pytest.MonkeyPatch, remove: Remove
) -> None:
    make_import(state=Import.State.DONE, database=database)
    without_lock(monkeypatch)
    meet_before_the_act(monkeypatch)
    outcomes = at_once(
        remove(database, citra),
        lambda: request_records(database_id=database.pk, quantity=4, by=ani),
    )
    assert "IntegrityError" in kinds(outcomes)
    sweep()
    assert orphans() == []


def test_an_approval_wins_or_loses_as_a_whole(
    database: Database, ani: User, citra: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = make_pending(staff=ani, database=database, quantity=4)
    meeting = Meeting()
    monkeypatch.setattr(requests, "ensure_works", meeting.after(requests.ensure_works))
    monkeypatch.setattr(removal, "reject_waiting", meeting.before(removal.reject_waiting))
    outcomes = at_once(
        delete(database, citra),
        lambda: approve_request(request_id=asked.pk, by=make_admin()),
    )
    asked.refresh_from_db()
    database.refresh_from_db()
    assert kinds(outcomes) in (["RecordRequest", "StillInHands"], ["AlreadyProcessed", "Removed"])
    assert (asked.status == "approved") == (database.deleted_at is None)
    sweep()
    assert orphans() == broken_rules() == []


def test_two_delete_at_once_and_it_is_deleted_once(
    database: Database, citra: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "reject_waiting", Meeting().before(removal.reject_waiting))
    outcomes = at_once(delete(database, citra), delete(database, make_admin()))
    assert kinds(outcomes) == ["DoesNotExist", "Removed"]
    assert DatabaseChange.objects.count() == 1


def test_without_the_lock_two_delete_it(
    database: Database, citra: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_lock(monkeypatch)
    monkeypatch.setattr(removal, "reject_waiting", Meeting().before(removal.reject_waiting))
    outcomes = at_once(delete(database, citra), delete(database, make_admin()))
    assert kinds(outcomes) == ["IntegrityError", "Removed"]


def test_deleting_and_undoing_at_once_is_one_of_them(
    database: Database, citra: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_import(state=Import.State.DONE, database=database)
    monkeypatch.setattr(removal, "reject_waiting", Meeting().before(removal.reject_waiting))
    outcomes = at_once(delete(database, citra), undo(database, make_admin()))
    assert kinds(outcomes) in (["DoesNotExist", "Removed"], ["NothingToUndo", "Removed"])
    source.refresh_from_db()
    assert (source.state == "undone") == (DatabaseChange.objects.get().kind == "undo")


def test_a_recall_and_a_deletion_leave_nothing_on_the_shelf(
    database: Database, ani: User, citra: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_batch(staff=ani, database=database, records=4)
    monkeypatch.setattr(shelf, "release_database", Meeting().before(shelf.release_database))
    outcomes = at_once(
        lambda: recall_database(database_id=database.pk, by=citra), delete(database, make_admin())
    )
    assert kinds(outcomes) in (["StillInHands", "int"], ["Removed", "int"])
    sweep()
    assert orphans() == broken_rules() == []


@pytest.mark.parametrize("first", ["hand-out", "deletion"])
def test_past_every_service_the_second_still_sees_the_first(
    ani: User, citra: User, first: str
) -> None:
    """The triggers alone: a hand-out locks its database, and the deletion waits for that."""
    database = make_database(records=1)
    request = RecordRequest.objects.create(
        database=database, staff=ani, quantity=1, created_by=ani, status="cancelled",
        decided_at=clock.now(),
    )  # fmt: skip
    record_id = Record.objects.get().pk
    written, meeting = threading.Event(), Meeting()

    def hand_out() -> None:
        if first != "hand-out":
            written.wait(5)
        with transaction.atomic():
            Pool.objects.all()._raw_delete("default")
            Assignment.objects.create(
                record_id=record_id,
                database=database,
                staff=ani,
                request=request,
                state="held",
                held_at=clock.now(),
            )
            written.set()
            meeting()

    def remove() -> None:
        if first != "deletion":
            written.wait(5)
        now = clock.now()
        with transaction.atomic():
            Database.objects.filter(pk=database.pk).update(archived_at=now, deleted_at=now)
            written.set()
            meeting()

    assert kinds(at_once(hand_out, remove)) == ["IntegrityError", "NoneType"]
    assert orphans() == ["records", "places on the shelf"][: 2 * (first == "deletion")]


def test_two_jobs_sweep_one_database(citra: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that was thought dead wakes up beside its successor: together they do it once."""
    database = make_database(records=60)
    delete_database(database_id=database.pk, by=citra)
    change = DatabaseChange.objects.get()
    monkeypatch.setattr(removal, "CHUNK", 7)
    both = DatabaseChange.objects.select_related("database").get(pk=change.pk)
    monkeypatch.setattr(changes, "start", lambda **_k: both)
    DatabaseChange.objects.update(state="running")

    def job() -> None:
        sweep_database(change_id=change.pk, attempt=1)

    assert at_once(job, job) == [None, None]
    change.refresh_from_db()
    assert (change.state, change.rows_done) == ("done", 60)
    assert not Record.objects.exists()
    assert not Pool.objects.exists()
    assert not Assignment.objects.exists()
    assert broken_rules() == []


def test_a_killed_job_goes_on_from_what_is_left(
    citra: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = make_database(records=50)
    delete_database(database_id=database.pk, by=citra)
    change = DatabaseChange.objects.get()
    monkeypatch.setattr(removal, "CHUNK", 20)
    sweep_piece, pieces = removal._delete_piece, iter([True, False])

    class Killed(BaseException):
        pass

    def die(table: str, *args: Any, **kwargs: Any) -> Any:
        if table == "databases_record" and not next(pieces):
            raise Killed
        return sweep_piece(table, *args, **kwargs)

    monkeypatch.setattr(removal, "_delete_piece", die)
    with pytest.raises(Killed):
        sweep_database(change_id=change.pk, attempt=1)
    change.refresh_from_db()
    assert (change.state, Record.objects.count()) == ("running", 30)
    monkeypatch.setattr(removal, "_delete_piece", sweep_piece)
    changes.put_back(change_id=change.pk, attempt=1)
    sweep_database(change_id=change.pk, attempt=1)  # the old job: not its change any more
    assert Record.objects.count() == 30
    sweep_database(change_id=change.pk, attempt=2)
    change.refresh_from_db()
    assert (change.state, change.rows_done, change.attempt) == ("done", 50, 2)
    assert orphans() == broken_rules() == []
