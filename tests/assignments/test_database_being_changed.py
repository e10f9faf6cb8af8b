"""While all records of a database are being changed, nothing else decides about them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import User
from assignments.models import Assignment, RecordRequest
from assignments.services import recall as recalls
from assignments.services.archive import archive_database, unarchive_database
from assignments.services.removal import delete_database, undo_import
from assignments.services.requests import (
    approve_request,
    approve_requests,
    cancel_request,
    reject_request,
    request_records,
)
from crm.kernel import clock
from databases.errors import BeingChanged
from databases.models import Database, DatabaseChange, Import
from databases.services import changes
from databases.services.catalog import edit_database
from tests.databases.helpers import make_import
from tests.factories import make_admin, make_assignment, make_database, make_pending

pytestmark = pytest.mark.django_db


class World:
    """A database being changed, with a request that waits for it and a record in Ani's hands."""

    def __init__(self, ani: User, budi: User, citra: User) -> None:
        self.ani, self.budi, self.citra = ani, budi, citra
        self.database = make_database(records=10, name="Deposit Jan")
        self.source = make_import(state=Import.State.DONE, database=self.database)
        self.pending = make_pending(staff=ani, database=self.database, quantity=2)
        self.mine = make_assignment(staff=ani, database=self.database)
        self.elsewhere = make_assignment(staff=ani)
        self.change = DatabaseChange.objects.create(
            database=self.database, kind=DatabaseChange.Kind.COLUMNS, created_by=citra
        )

    def seen(self) -> list[Any]:
        """Give what no refused act may have changed."""
        return [
            list(RecordRequest.objects.order_by("pk").values_list("pk", "status")),
            list(Assignment.objects.order_by("pk").values_list("pk", "state", "staff")),
            Database.objects.values("name", "archived_at", "deleted_at").get(pk=self.database.pk),
        ]


@pytest.fixture
def world(ani: User, budi: User, citra: User) -> World:
    return World(ani, budi, citra)


def edit(world: World) -> object:
    database = world.database
    return edit_database(
        database_id=database.pk,
        version=database.version,
        name="Other",
        description="",
        product=database.product,
        roles=database.roles,
        by=world.citra,
    )


ACTS: dict[str, Callable[[World], object]] = {
    "request": lambda w: request_records(database_id=w.database.pk, quantity=1, by=w.ani),
    "approve": lambda w: approve_request(request_id=w.pending.pk, by=w.citra),
    "reject": lambda w: reject_request(request_id=w.pending.pk, by=w.citra, reason="no"),
    "cancel": lambda w: cancel_request(request_id=w.pending.pk, by=w.ani),
    "recall": lambda w: recalls.recall(assignment_ids=[w.elsewhere.pk, w.mine.pk], by=w.citra),
    "recall all": lambda w: recalls.recall_all(staff_id=w.ani.pk, by=w.citra),
    "recall database": lambda w: recalls.recall_database(database_id=w.database.pk, by=w.citra),
    "hand over": lambda w: recalls.hand_over_all(
        from_staff_id=w.ani.pk, to_staff_id=w.budi.pk, by=w.citra
    ),
    "archive": lambda w: archive_database(database_id=w.database.pk, by=w.citra),
    "unarchive": lambda w: unarchive_database(database_id=w.database.pk, by=w.citra),
    "edit": edit,
    "delete": lambda w: delete_database(database_id=w.database.pk, by=w.citra),
    "undo": lambda w: undo_import(import_id=w.source.pk, by=w.citra),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())
@pytest.mark.parametrize("state", ["queued", "running"])
def test_it_is_refused_as_a_whole(world: World, act: Callable[[World], object], state: str) -> None:
    DatabaseChange.objects.update(state=state)
    before = world.seen()
    with pytest.raises(BeingChanged, match="Deposit Jan are being read anew"):
        act(world)
    assert world.seen() == before


@pytest.mark.parametrize("state", ["done", "failed"])
def test_afterwards_all_goes_on(world: World, state: str) -> None:
    DatabaseChange.objects.update(state=state)
    approve_request(request_id=world.pending.pk, by=world.citra)
    assert recalls.recall_all(staff_id=world.ani.pk, by=world.citra).records == 4


def test_of_several_requests_the_others_are_decided(world: World) -> None:
    other = make_pending(staff=world.ani, database=make_database(), quantity=1)
    outcomes = approve_requests(request_ids=[world.pending.pk, other.pk], by=world.citra)
    assert [bool(outcome.refusal) for outcome in outcomes] == [True, False]


class TestAnInterruptedChange:
    """Nobody can use a database that is being changed, so a change that stops goes on by itself."""

    @pytest.fixture
    def change(self) -> DatabaseChange:
        database = make_database(records=3)
        delete_database(database_id=database.pk, by=make_admin())
        return DatabaseChange.objects.get()

    def jobs(self) -> list[tuple[str, dict[str, int]]]:
        return list(ProcrastinateJob.objects.order_by("id").values_list("task_name", "args"))

    def test_what_waits_for_its_job_is_left_alone(self, change: DatabaseChange) -> None:
        DatabaseChange.objects.update(created_at=clock.now() - dt.timedelta(days=1))
        assert changes.resume_stopped() == 0
        assert len(self.jobs()) == 1

    @pytest.mark.parametrize("state", ["queued", "running"])
    def test_without_a_job_it_is_queued_again(self, change: DatabaseChange, state: str) -> None:
        ProcrastinateJob.objects.all()._raw_delete("default")
        long_ago = clock.now() - dt.timedelta(minutes=2)
        DatabaseChange.objects.update(state=state, heartbeat_at=long_ago)
        assert changes.resume_stopped() == 1
        change.refresh_from_db()
        assert (change.state, change.attempt) == ("queued", 2)
        assert self.jobs() == [
            ("assignments.sweep_database", {"change_id": change.pk, "attempt": 2})
        ]
        assert changes.resume_stopped() == 0

    def test_what_fails_each_time_is_tried_more_seldom(self, change: DatabaseChange) -> None:
        ProcrastinateJob.objects.all()._raw_delete("default")
        DatabaseChange.objects.update(
            state="running", attempt=30, heartbeat_at=clock.now() - dt.timedelta(minutes=20)
        )
        assert changes.resume_stopped() == 0
        DatabaseChange.objects.update(heartbeat_at=clock.now() - dt.timedelta(minutes=31))
        assert changes.resume_stopped() == 1

    def test_what_is_over_is_left_alone(self, change: DatabaseChange) -> None:
        ProcrastinateJob.objects.all()._raw_delete("default")
        DatabaseChange.objects.update(state="done", heartbeat_at=clock.now() - dt.timedelta(days=1))
        assert changes.resume_stopped() == 0
