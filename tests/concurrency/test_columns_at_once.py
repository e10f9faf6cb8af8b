"""Columns are given other roles at the moment when somebody asks for records."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from assignments.models import Assignment
from assignments.services import columns, requests, shelf
from assignments.services.changes import retry_change
from assignments.services.columns import change_columns, run_change
from assignments.services.requests import request_records
from databases.models import Database, DatabaseChange, Record
from tests.concurrency.racing import Meeting, at_once, broken_rules, kinds
from tests.factories import make_admin, make_database

pytestmark = pytest.mark.django_db(transaction=True)

MOVED = ["name", "username", "phone", "", "sensitive"]


@pytest.fixture(autouse=True)
def _no_jobs_left() -> Any:
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")


def taken_meanwhile(monkeypatch: pytest.MonkeyPatch, ani: User, citra: User) -> list[Any]:
    """Begin a change just when records are taken; tell of each taking whether a change was on."""
    database, meet, seen = make_database(records=5), Meeting(), []
    take = shelf.take

    def watched(**given: Any) -> None:
        seen.append(DatabaseChange.objects.unfinished().exists())
        take(**given)

    monkeypatch.setattr(requests.shelf, "take", watched)
    # Asked after the database was looked at, before anything of the request is written.
    monkeypatch.setattr(requests, "pending_records", meet.before(requests.pending_records))

    def begin() -> Any:
        change = change_columns(
            database_id=database.pk, version=database.version, roles=MOVED, by=citra
        )
        meet()
        return change

    outcomes = at_once(lambda: request_records(database_id=database.pk, quantity=3, by=ani), begin)
    assert kinds(outcomes) in (
        ["DatabaseChange", "RecordRequest"],
        ["BeingChanged", "DatabaseChange"],
    )
    change = DatabaseChange.objects.get()
    run_change(change_id=change.pk, attempt=change.attempt)
    change.refresh_from_db()
    assert change.state == DatabaseChange.State.DONE
    assert broken_rules() == []
    return seen


def test_nothing_is_handed_out_once_the_change_has_begun(
    ani: User, citra: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert True not in taken_meanwhile(monkeypatch, ani, citra)


def test_without_the_lock_it_would_be(
    ani: User, citra: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unlocked(database_id: int, *, exclusive: bool) -> Database:
        return Database.objects.get(pk=database_id)

    monkeypatch.setattr(columns, "lock_database", unlocked)
    assert taken_meanwhile(monkeypatch, ani, citra) == [True]


def test_two_people_begin_one_change(citra: User) -> None:
    database, dewi = make_database(records=3), make_admin(name="Dewi")
    outcomes = at_once(
        *(
            lambda by=by: change_columns(database_id=database.pk, version=1, roles=MOVED, by=by)
            for by in (citra, dewi)
        )
    )
    assert kinds(outcomes) == ["BeingChanged", "DatabaseChange"]
    assert DatabaseChange.objects.count() == 1


def test_two_people_try_a_failed_change_again_once(citra: User) -> None:
    database, dewi = make_database(records=3), make_admin(name="Dewi")
    DatabaseChange.objects.create(
        database=database,
        kind="columns",
        state="failed",
        params={"roles": MOVED},
        created_by=citra,
    )
    outcomes = at_once(
        *(lambda by=by: retry_change(database_id=database.pk, by=by) for by in (citra, dewi))
    )
    assert kinds(outcomes) == ["BeingChanged", "DatabaseChange"]
    assert DatabaseChange.objects.get().attempt == 2


def test_two_jobs_of_one_change_write_it_once(citra: User) -> None:
    database = make_database(records=30)
    change = change_columns(database_id=database.pk, version=1, roles=MOVED, by=citra)
    assert change is not None
    at_once(*(lambda: run_change(change_id=change.pk, attempt=1) for _job in range(2)))
    change.refresh_from_db()
    database.refresh_from_db()
    assert (change.state, database.roles, database.version) == ("done", MOVED, 2)
    assert broken_rules() == []
    assert Record.objects.in_database(database.pk).earliest("pk").name.startswith("user")
    assert not Assignment.objects.exists()
