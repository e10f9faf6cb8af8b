"""Asking for records, and deciding what was asked.

Lock order: staff -> product -> request -> pool -> assignment (`assignments.services.locks`). A
request is decided once: whoever comes second finds it decided under its lock and is told by whom.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Sum

from accounts import activity
from accounts.models import User
from assignments.errors import (
    AlreadyProcessed,
    DatabaseArchived,
    GivenByAdminsOnly,
    OverCap,
    QuantityOutOfRange,
)
from assignments.models import Assignment, RecordRequest
from assignments.services import shelf
from assignments.services.locks import ensure_works, lock_database, lock_person, lock_request
from crm.kernel import clock
from crm.kernel.errors import DomainError
from crm.kernel.transactions import atomic_with_retry
from databases.models import Database, Program


@atomic_with_retry
def request_records(
    *,
    database_id: int,
    quantity: int,
    by: User,
    note: str = "",
    token: UUID | None = None,
) -> RecordRequest:
    """Hold `quantity` random records for `by` until an admin decides.

    The same form (`token`) sent twice is one request. Raises NotEnoughRecords, OverCap,
    DatabaseArchived, GivenByAdminsOnly, StaffInactive; nothing is held then. Raises
    Database.DoesNotExist.
    """
    if quantity < 1:
        raise QuantityOutOfRange(settings.PENDING_RECORDS_CAP)
    # One request of a staff at a time, because what they have pending is a sum; and whoever asks
    # may have been deactivated since their page was asked for.
    ensure_works(lock_person(by.pk))
    if token is not None:
        sent_before = RecordRequest.objects.filter(staff=by, token=token).first()
        if sent_before is not None:
            return sent_before

    database = lock_database(database_id, exclusive=False)
    if database.program != Program.STANDARD:
        raise GivenByAdminsOnly()
    if database.archived_at is not None:
        raise DatabaseArchived()
    cap = settings.PENDING_RECORDS_CAP
    room = cap - pending_records(by)
    if quantity > room:
        raise OverCap(cap=cap, room=max(room, 0))

    with transaction.atomic():  # a refusal leaves no request behind, whoever called
        request = RecordRequest.objects.create(
            database=database, staff=by, quantity=quantity, note=note, token=token, created_by=by
        )
        shelf.take(request=request, count=quantity, state=Assignment.State.HELD)
        activity.write(
            by=by, kind="request.asked", subject=request, label=database.name, records=quantity
        )
    return request


def pending_records(staff: User) -> int:
    """Count the records that wait for approval for this staff."""
    waiting = RecordRequest.objects.pending().filter(staff=staff)
    return waiting.aggregate(records=Sum("quantity"))["records"] or 0


@atomic_with_retry
def approve_request(*, request_id: int, by: User, quantity: int | None = None) -> RecordRequest:
    """Turn what a staff asked for into a batch of theirs.

    `quantity` gives fewer than asked; the rest goes back to the shelf.

    Raises AlreadyProcessed when somebody decided before, StaffInactive, QuantityOutOfRange;
    nothing has changed then. Raises RecordRequest.DoesNotExist.
    """
    staff_id = RecordRequest.objects.values_list("staff_id", flat=True).get(pk=request_id)
    staff = lock_person(staff_id)
    # Decided before comes first: whoever is second is told so, whatever became of the staff.
    request = _lock_undecided(request_id)
    ensure_works(staff)
    granted = request.quantity if quantity is None else quantity
    if not 1 <= granted <= request.quantity:
        raise QuantityOutOfRange(request.quantity)

    shelf.release_held(request, keep=granted)
    now = clock.now()
    given = Assignment.objects.held_by(request).update(
        state=Assignment.State.ACTIVE, assigned_at=now
    )
    if given != granted:
        raise AssertionError(f"request {request.pk} held {given} records, not {granted}")
    request.granted = granted
    _decide(request, RecordRequest.Status.APPROVED, by=by)
    activity.write(
        by=by,
        kind="request.approved",
        subject=request,
        label=request.database.name,
        staff=request.staff.name,
        asked=request.quantity,
        records=granted,
    )
    return request


@atomic_with_retry
def reject_request(*, request_id: int, by: User, reason: str) -> RecordRequest:
    """Refuse a request; exactly what it held goes back to the shelf.

    Raises AlreadyProcessed when somebody decided before. Raises RecordRequest.DoesNotExist.
    """
    return reject_locked(_lock_undecided(request_id), by=by, reason=reason)


@atomic_with_retry
def cancel_request(*, request_id: int, by: User) -> RecordRequest:
    """Take back one's own request; exactly what it held goes back to the shelf.

    Raises AlreadyProcessed when somebody decided before. Raises RecordRequest.DoesNotExist, also
    for somebody else's.
    """
    RecordRequest.objects.filter(staff=by).values_list("pk").get(pk=request_id)
    request = _lock_undecided(request_id)
    records = shelf.release_held(request)
    _decide(request, RecordRequest.Status.CANCELLED, by=by)
    activity.write(
        by=by,
        kind="request.cancelled",
        subject=request,
        label=request.database.name,
        records=records,
    )
    return request


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one of several requests decided together; `refusal` says why it was not."""

    request: RecordRequest
    refusal: str = ""


def approve_requests(*, request_ids: Sequence[int], by: User) -> list[Outcome]:
    """Approve several requests in full, oldest first, each in its own transaction."""
    return _each(request_ids, lambda pk: approve_request(request_id=pk, by=by))


def reject_requests(*, request_ids: Sequence[int], by: User, reason: str) -> list[Outcome]:
    """Reject several requests for one reason, oldest first, each in its own transaction."""
    return _each(request_ids, lambda pk: reject_request(request_id=pk, by=by, reason=reason))


def reject_locked(request: RecordRequest, *, by: User, reason: str) -> RecordRequest:
    """Reject a request that the caller has locked and found pending."""
    records = shelf.release_held(request)
    request.reason = reason
    _decide(request, RecordRequest.Status.REJECTED, by=by)
    activity.write(
        by=by,
        kind="request.rejected",
        subject=request,
        label=request.database.name,
        staff=request.staff.name,
        records=records,
        reason=reason,
    )
    return request


def reject_waiting(database: Database, *, by: User, reason: str) -> int:
    """Reject all that waits for a database whose product the caller locked exclusively."""
    # All of them first, in order: one at a time would wait in a circle with somebody's decision.
    waiting = list(
        RecordRequest.objects.pending()
        .filter(database=database)
        .select_related("staff")
        .order_by("pk")
        .select_for_update(of=("self",))
    )
    for request in waiting:
        request.database = database
        reject_locked(request, by=by, reason=reason)
    return len(waiting)


def _each(request_ids: Sequence[int], decide: Callable[[int], RecordRequest]) -> list[Outcome]:
    outcomes = []
    for pk in sorted(set(request_ids)):
        try:
            outcomes.append(Outcome(decide(pk)))
        except DomainError as error:
            request = RecordRequest.objects.select_related("staff", "database").get(pk=pk)
            outcomes.append(Outcome(request, error.message))
    return outcomes


def _lock_undecided(request_id: int) -> RecordRequest:
    request = lock_request(request_id)
    if request.status != RecordRequest.Status.PENDING:
        by = request.decided_by.name if request.decided_by else ""
        raise AlreadyProcessed(status=request.get_status_display(), by=by)
    return request


def _decide(request: RecordRequest, status: RecordRequest.Status, *, by: User) -> None:
    request.status, request.decided_by, request.decided_at = status, by, clock.now()
    request.save(update_fields=["status", "decided_by", "decided_at", "granted", "reason"])
