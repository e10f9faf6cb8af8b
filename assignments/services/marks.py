"""What a holder notes about a customer: reached on WhatsApp or not, answered or not.

The last mark wins, whoever's device it came from; a trigger keeps each one as history. A mark is a
single statement that asks once more whose the record is, so a recall is never overwritten, and it
touches no indexed column, so it is a HOT update.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from accounts.models import User
from assignments.errors import NotYoursAnyMore
from assignments.models import Assignment
from crm.kernel import clock
from crm.kernel.transactions import atomic_with_retry


@atomic_with_retry
def mark_reach(*, assignment_id: int, reach: Assignment.Reach | None, by: User) -> None:
    """Set how far a customer was reached on WhatsApp; None takes the mark back.

    Raises NotYoursAnyMore when `by` does not hold the record now; nothing has changed then.
    """
    _mark("reach", reach, assignment_id=assignment_id, by=by)


@atomic_with_retry
def mark_response(*, assignment_id: int, response: Assignment.Response | None, by: User) -> None:
    """Set whether a customer answered; None takes the mark back.

    Raises NotYoursAnyMore when `by` does not hold the record now; nothing has changed then.
    """
    _mark("response", response, assignment_id=assignment_id, by=by)


def _mark(field: str, value: str | None, *, assignment_id: int, by: User) -> None:
    held = Assignment.objects.active().filter(pk=assignment_id, staff=by)
    # The mark that already stands keeps its time and author: tapping twice is tapping once.
    same = Q((field, value)) if value is not None else Q((f"{field}__isnull", True))
    mark: dict[str, Any] = {field: value, f"{field}_at": clock.now(), f"{field}_by": by}
    changed = held.exclude(same).update(**mark)
    if not changed and not held.exists():
        raise NotYoursAnyMore
