"""What the database itself refuses about deleting: each fails here without its trigger."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from assignments.models import Assignment
from crm.kernel import clock
from databases.models import Database, DatabaseStat, Record
from tests.factories import make_assignment, make_batch, make_database, make_pending

pytestmark = pytest.mark.django_db

GONE: dict[str, Any] = {"archived_at": clock.now(), "deleted_at": clock.now()}


def hold_again(assignment: Assignment, state: str) -> Assignment:
    """Hand the record of `assignment` out once more, past every service."""
    now = clock.now()
    return Assignment.objects.create(
        record_id=assignment.record_id,
        database_id=assignment.database_id,
        staff_id=assignment.staff_id,
        request_id=assignment.request_id,
        state=state,
        held_at=now,
        assigned_at=now if state == "active" else None,
    )


def release(assignment: Assignment) -> None:
    Assignment.objects.filter(pk=assignment.pk).update(state="released", released_at=clock.now())


@pytest.mark.parametrize("state", ["held", "active"])
def test_a_database_with_records_in_hands_is_not_deleted(ani: User, state: str) -> None:
    database = make_database(records=3)
    give: Any = make_pending if state == "held" else make_batch
    give(staff=ani, database=database, **{"quantity" if state == "held" else "records": 1})
    with pytest.raises(IntegrityError, match="hands stays"), transaction.atomic():
        Database.objects.filter(pk=database.pk).update(**GONE)
    Database.objects.filter(pk=database.pk).update(archived_at=clock.now(), name="Other")
    Assignment.objects.update(state="released", released_at=clock.now(), assigned_at=clock.now())
    assert Database.objects.filter(pk=database.pk).update(**GONE) == 1


@pytest.mark.parametrize("state", ["held", "active"])
def test_nothing_is_handed_out_from_a_deleted_database(ani: User, state: str) -> None:
    assignment = make_assignment(staff=ani)
    release(assignment)
    Database.objects.update(**GONE)
    with pytest.raises(IntegrityError, match="deleted database"), transaction.atomic():
        hold_again(assignment, state)
    Database.objects.update(deleted_at=None)
    hold_again(assignment, state)


def test_records_in_hands_stay_and_released_ones_may_go(ani: User) -> None:
    assignment = make_assignment(staff=ani)
    with pytest.raises(IntegrityError, match="hands cannot be deleted"), transaction.atomic():
        Record.objects.filter(pk=assignment.record_id)._raw_delete("default")
    release(assignment)
    Record.objects.filter(pk=assignment.record_id)._raw_delete("default")
    assert Assignment.objects.get().record_id == assignment.record_id


def test_records_on_the_shelf_stay(ani: User) -> None:
    make_database(records=1)
    with pytest.raises(IntegrityError, match="on the shelf"), transaction.atomic():
        Record.objects.all()._raw_delete("default")


def test_the_row_of_a_database_stays_while_it_has_records() -> None:
    database = make_database(records=1)
    Database.objects.filter(pk=database.pk).update(**GONE)
    DatabaseStat.objects.filter(pk=database.pk)._raw_delete("default")
    with pytest.raises(IntegrityError, match="with records"), transaction.atomic():
        Database.objects.filter(pk=database.pk)._raw_delete("default")
