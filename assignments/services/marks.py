"""What a holder notes about a customer: reached on WhatsApp or not, answered or not.

The last mark wins, whoever's device it came from; a trigger keeps each one as history. A mark is a
single statement that asks once more whose the record is, so a recall is never overwritten, and it
touches no indexed column, so it is a HOT update.

An act of marking is known by its author and its time, which stand in every row it changed: nothing
else needs to be kept to undo it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Q

from accounts import activity
from accounts.models import User
from assignments.errors import MarkedSince, NotYoursAnyMore, SomeNotYours
from assignments.models import Assignment
from crm.kernel import clock
from crm.kernel.transactions import atomic_with_retry

FIELDS = ("reach", "response")


@dataclass(frozen=True, slots=True)
class Act:
    """One act of marking: which mark, when, and how many customers it changed."""

    field: str
    at: dt.datetime
    changed: int


@dataclass(frozen=True, slots=True)
class Undone:
    """Which customers were set back, and how many were left as somebody marked them since."""

    assignment_ids: list[int]
    left: int


@atomic_with_retry
def mark_reach(*, assignment_id: int, reach: Assignment.Reach | None, by: User) -> Act:
    """Set how far a customer was reached on WhatsApp; None takes the mark back.

    Raises NotYoursAnyMore when `by` does not hold the record now; nothing has changed then.
    """
    return _mark("reach", reach, assignment_id=assignment_id, by=by)


@atomic_with_retry
def mark_response(*, assignment_id: int, response: Assignment.Response | None, by: User) -> Act:
    """Set whether a customer answered; None takes the mark back.

    Raises NotYoursAnyMore when `by` does not hold the record now; nothing has changed then.
    """
    return _mark("response", response, assignment_id=assignment_id, by=by)


@atomic_with_retry
def mark_many(*, assignment_ids: Sequence[int], field: str, value: str | None, by: User) -> Act:
    """Set one mark of several customers, as one act; None takes it back.

    Raises SomeNotYours when `by` does not hold every one of them now; nothing has changed then.
    """
    wanted = set(assignment_ids)
    held = Assignment.objects.active().filter(pk__in=wanted, staff=by)
    # Locked in order: a recall of the same records waits, and nobody waits for us crosswise.
    locked = held.order_by("pk").select_for_update(no_key=True)
    pks = list(locked.values_list("pk", flat=True))
    if missing := len(wanted) - len(pks):
        raise SomeNotYours(missing)
    at = clock.now()
    changed = held.exclude(_same(field, value)).update(**_marked(field, value, at=at, by=by))
    if changed:
        first = held.select_related("database", "request")[0]
        activity.write(
            by=by,
            kind="customers.marked",
            subject=first.request or first.database,
            label=first.database.name,
            mark=field,
            value=value,
            records=changed,
        )
    return Act(field, at, changed)


@atomic_with_retry
def undo_marks(
    *,
    staff: User,
    database_id: int,
    request_id: int | None,
    field: str,
    at: dt.datetime,
    assignment_id: int | None = None,
) -> Undone:
    """Set back what `staff` marked in a batch at that moment, with its time and author of before.

    Only where nobody marked since, and only what they still hold. With `assignment_id` only there.
    Raises MarkedSince when nothing of it is left to set back.
    """
    batch = Assignment.objects.of_batch(
        staff_id=staff.pk, database_id=database_id, request_id=request_id
    )
    if assignment_id is not None:
        batch = batch.filter(pk=assignment_id)
    moment = {f"{field}_at": at, f"{field}_by": staff}
    standing = batch.active().filter(**moment).order_by("pk").select_for_update(no_key=True)
    ids = list(standing.values_list("pk", flat=True))
    if not ids:
        raise MarkedSince
    # The rows keep the moment of the act until somebody marks them again; their history always.
    events = apps.get_model("assignments", "AssignmentEvent")._default_manager
    touched = events.filter(pgh_obj__in=batch.values("pk"), **moment)
    left = touched.values("pgh_obj").distinct().count() - len(ids)
    _set_back(field, ids, at)
    return Undone(ids, max(left, 0))


def _set_back(field: str, assignment_ids: list[int], at: dt.datetime) -> None:
    """Give each row what its history says stood before the act; nothing, where it was the first."""
    was = f"{field}, {field}_at, {field}_by_id"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE assignments_assignment a
            SET ({was}) = (
                SELECT {was} FROM assignments_assignmentevent e
                WHERE e.pgh_obj_id = a.id AND e.pgh_id < (
                    SELECT min(act.pgh_id) FROM assignments_assignmentevent act
                    WHERE act.pgh_obj_id = a.id AND act.{field}_at = %(at)s)
                ORDER BY e.pgh_id DESC LIMIT 1)
            WHERE a.id = ANY(%(ids)s)
            """,  # noqa: S608 -- our own names
            {"ids": assignment_ids, "at": at},
        )


def _mark(field: str, value: str | None, *, assignment_id: int, by: User) -> Act:
    held = Assignment.objects.active().filter(pk=assignment_id, staff=by)
    at = clock.now()
    changed = held.exclude(_same(field, value)).update(**_marked(field, value, at=at, by=by))
    if not changed and not held.exists():
        raise NotYoursAnyMore
    return Act(field, at, changed)


def _same(field: str, value: str | None) -> Q:
    """Find the mark that stands already: it keeps its time and author, two taps are one."""
    return Q((field, value)) if value is not None else Q((f"{field}__isnull", True))


def _marked(field: str, value: str | None, *, at: dt.datetime, by: User) -> dict[str, Any]:
    return {field: value, f"{field}_at": at, f"{field}_by": by}
