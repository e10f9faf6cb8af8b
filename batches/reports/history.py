"""What happened to one customer: marks, notes, attempts, the last first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from assignments.models import Assignment
from assignments.reports.marks import LOOKS
from batches.models import ContactAttempt
from batches.reports.looks import CHOICES

MOST = 200
_ATTEMPT_ICONS = {"copy": "copy", "open": "external-link", "call": "phone"}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened: a mark or a note was set (`value` is empty where it was taken
    away), or the customer was gone after. `is_undo` where it brought back what stood before.
    """

    field: str
    value: str
    label: str
    tone: str
    icon: str
    by: str
    at: dt.datetime | None
    is_undo: bool = False


def changes_of(assignment: Assignment) -> list[Change]:
    """Give what was marked, written and tried when and by whom, the last first."""
    events: QuerySet[Any] = assignment.events.select_related(  # type: ignore[attr-defined]  # made by pghistory
        "reach_by", "response_by", "note_by"
    )
    latest = list(events.order_by("-pgh_id")[: MOST + 1])
    attempts = assignment.attempts.select_related("by").order_by("-at", "-pk")[:MOST]
    everything = [*_changes(assignment, latest), *map(_attempt, attempts)]
    everything.sort(key=lambda found: found[0], reverse=True)
    return [change for _at, change in everything[:MOST]]


def _changes(assignment: Assignment, latest: list[Any]) -> Iterable[tuple[dt.datetime, Change]]:
    """Compare each event with the one before it. Later ones come first, as in the list."""
    found: list[tuple[dt.datetime, Change]] = []
    marked: dict[str, set[dt.datetime | None]] = {field: {None} for field in CHOICES}
    before: Any = None
    for now in reversed(latest):
        for field in CHOICES:
            if getattr(now, field) != getattr(before, field, None):
                # What was marked carries a new time; what came back by undoing carries an old one.
                is_undo = getattr(now, f"{field}_at") in marked[field]
                found.append(_mark(assignment, now, field, is_undo=is_undo))
            marked[field].add(getattr(now, f"{field}_at"))
        if now.note != getattr(before, "note", ""):
            found.append((now.pgh_created_at, _note(now)))
        before = now
    if len(latest) > MOST:
        found = [item for item in found if item[0] > latest[-1].pgh_created_at]
    return reversed(found)


def _mark(
    assignment: Assignment, event: Any, field: str, *, is_undo: bool
) -> tuple[dt.datetime, Change]:
    value = getattr(event, field)
    tone, icon = LOOKS.get((field, value), ("neu", ""))
    by = getattr(event, f"{field}_by")
    who, at = (by.name if by else ""), getattr(event, f"{field}_at")
    if is_undo:  # only the holder can
        who, at = assignment.staff.name, event.pgh_created_at
    change = Change(
        field, value or "", dict(CHOICES[field]).get(value, ""), tone, icon, who, at, is_undo
    )
    return event.pgh_created_at, change


def _note(event: Any) -> Change:
    by = event.note_by
    return Change("note", event.note, event.note, "neu", "", by.name if by else "", event.note_at)


def _attempt(attempt: ContactAttempt) -> tuple[dt.datetime, Change]:
    label = str(ContactAttempt.Kind(attempt.kind).label)
    if attempt.template_name:
        label = _("%(attempt)s, message %(name)s") % {
            "attempt": label,
            "name": attempt.template_name,
        }
    icon = _ATTEMPT_ICONS[attempt.kind]
    return attempt.at, Change(
        "attempt", attempt.kind, label, "neu", icon, attempt.by.name, attempt.at
    )
