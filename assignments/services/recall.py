"""Taking records from people's hands: back to the shelf, or into other hands.

The old assignments stay as history with their marks, which still count for the day they were made.
Lock order: staff -> product -> request -> pool -> assignment, ids ascending.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from accounts import activity
from accounts.models import User
from assignments.errors import SameStaff
from assignments.models import Assignment, RecordRequest
from assignments.services import shelf
from assignments.services.locks import ensure_works, lock_database, lock_databases, lock_person
from assignments.services.requests import reject_locked
from crm.kernel import clock
from crm.kernel.transactions import atomic_with_retry


@dataclass(frozen=True, slots=True)
class Moved:
    """How many records left somebody's hands, and how many of their requests were rejected."""

    records: int
    requests: int = 0


@atomic_with_retry
def recall(*, assignment_ids: Sequence[int], by: User) -> int:
    """Take these assigned records back to the shelf; give how many were still in hands."""
    given = Assignment.objects.active().filter(pk__in=assignment_ids)
    _lock_all(given)
    holders = given.order_by("staff__name").values_list("staff__name", flat=True).distinct()
    label = ", ".join(holders[:10])  # read before: afterwards nobody holds them
    records = shelf.release(assignment_ids=assignment_ids, by_id=by.pk)
    if records:
        activity.write(by=by, kind="records.recalled", label=label, records=records)
    return records


@atomic_with_retry
def recall_database(*, database_id: int, by: User) -> int:
    """Take back all that is assigned of a database; give how many records that were.

    Who waits for an approval goes on waiting. Raises BeingChanged; Database.DoesNotExist.
    """
    database = lock_database(database_id, exclusive=False)
    records = shelf.release_database(database_id=database.pk, by_id=by.pk)
    if records:
        activity.write(by=by, kind="records.recalled", subject=database, records=records)
    return records


@atomic_with_retry
def recall_all(*, staff_id: int, by: User, reason: str = "") -> Moved:
    """Take back all that a staff holds, and reject what they wait for with `reason`."""
    staff = lock_person(staff_id)
    _lock_all(Assignment.objects.live().filter(staff=staff))
    requests = _reject_all(staff, by=by, reason=reason)
    records = shelf.release_all(staff_id=staff.pk, by_id=by.pk)
    if records or requests:
        activity.write(
            by=by,
            kind="records.recalled",
            subject=staff,
            records=records,
            requests_rejected=requests,
        )
    return Moved(records, requests)


@atomic_with_retry
def hand_over_all(*, from_staff_id: int, to_staff_id: int, by: User, reason: str = "") -> Moved:
    """Give all that one staff holds to another, blank: one batch for each database.

    What the first one waits for is rejected with `reason`. Raises StaffInactive, SameStaff.
    """
    if from_staff_id == to_staff_id:
        raise SameStaff()
    people = {pk: lock_person(pk) for pk in sorted([from_staff_id, to_staff_id])}
    giver, receiver = people[from_staff_id], people[to_staff_id]
    ensure_works(receiver)
    _lock_all(Assignment.objects.live().filter(staff=giver))
    requests = _reject_all(giver, by=by, reason=reason)
    held = Assignment.objects.active().filter(staff=giver)
    database_ids = held.order_by("database_id").values_list("database_id", flat=True).distinct()
    records = 0
    for database_id in list(database_ids):
        records += _hand_over(database_id, giver, receiver, by=by)
    if records or requests:
        activity.write(
            by=by,
            kind="records.handed_over",
            subject=giver,
            to=receiver.name,
            to_id=receiver.pk,
            records=records,
            requests_rejected=requests,
        )
    return Moved(records, requests)


def _hand_over(database_id: int, giver: User, receiver: User, *, by: User) -> int:
    held = Assignment.objects.active().filter(staff=giver, database_id=database_id)
    # Locked before they are counted: somebody may be recalling some of them.
    count = len(held.order_by("pk").select_for_update().values_list("pk", flat=True))
    if count == 0:
        return 0
    now = clock.now()
    act = RecordRequest.objects.create(
        database_id=database_id,
        staff=receiver,
        kind=RecordRequest.Kind.HANDOVER,
        status=RecordRequest.Status.APPROVED,
        quantity=count,
        granted=count,
        created_at=now,
        created_by=by,
        decided_at=now,
        decided_by=by,
    )
    return shelf.hand_over(
        database_id=database_id, from_staff_id=giver.pk, request=act, by_id=by.pk
    )


def _reject_all(staff: User, *, by: User, reason: str) -> int:
    """Reject all that `staff` waits for; the products' locks before the requests'."""
    waiting = RecordRequest.objects.pending().filter(staff=staff)
    databases = lock_databases(waiting.values_list("database_id", flat=True))
    locked = list(
        waiting.filter(database_id__in=databases).order_by("pk").select_for_update(of=("self",))
    )
    for request in locked:
        request.staff, request.database = staff, databases[request.database_id]
        reject_locked(request, by=by, reason=reason)
    return len(locked)


def _lock_all(assignments: QuerySet[Assignment]) -> None:
    """Lock the products of all that is about to move: all of it moves, or nothing."""
    lock_databases(assignments.order_by().values_list("database_id", flat=True).distinct())
