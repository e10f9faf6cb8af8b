"""The customers of one batch, and the changes of their marks.

Inside a database the records are numbered by their import in the order of the file, so the order of
`record_id` is the file's order, and the index of a batch gives it without sorting.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from assignments.models import Assignment
from assignments.models.holdings import AssignmentQuerySet
from batches.reports.batches import Batch
from batches.reports.looks import CHOICES, LOOKS
from crm.kernel.contact import local_phone, wa_link
from databases.models import Record

PAGE = 50


@dataclass(frozen=True, slots=True)
class Option:
    """One button of a mark: `send` is what tapping it asks for."""

    value: str
    label: str
    tone: str
    pressed: bool

    @property
    def send(self) -> str:
        return "" if self.pressed else self.value


@dataclass(frozen=True, slots=True)
class Segment:
    """The buttons of one mark of one customer."""

    pk: int
    field: str
    name: str
    options: list[Option]
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer as their holder sees them."""

    pk: int
    number: int
    name: str
    username: str
    phone: str
    link: str
    cells: list[tuple[str, str]]
    more: list[tuple[str, str]]
    reach: Segment
    response: Segment
    is_next: bool


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """Some customers of a batch, in the order of the file."""

    customers: list[Customer]
    record_ids: list[int]
    first: int
    total: int
    previous_from: int | None
    next_from: int | None

    @property
    def last(self) -> int:
        return self.first + len(self.customers) - 1


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a mark; `value` is empty where it was taken back."""

    field: str
    value: str
    label: str
    tone: str
    icon: str
    by: str
    at: dt.datetime | None


def find_customer(*, user: User, pk: int) -> Assignment | None:
    """Give what `user` holds, or held until it was taken from them: that is said kindly."""
    theirs = Assignment.objects.filter(staff=user).exclude(state=Assignment.State.HELD)
    return theirs.select_related("record").filter(pk=pk).first()


def customers_of(batch: Batch, *, show: str = "", start: int | None = None) -> CustomerPage:
    """Give a page of a batch, from record `start`; without it, the page with the next to check."""
    upcoming = batch.unchecked().values_list("record_id", flat=True).first()
    rows = _shown(batch, show).order_by("record_id")
    before = rows.none()
    if start is None and not show and upcoming is not None:
        place = rows.filter(record_id__lt=upcoming).count()
        start = rows.values_list("record_id", flat=True)[place - place % PAGE]
    if start:
        before = rows.filter(record_id__lt=start)
    found = list(rows.filter(record_id__gte=start or 0).select_related("record")[: PAGE + 1])
    shown = found[:PAGE]
    database = batch.stat.database
    for assignment in shown:
        assignment.record.database = database  # one object for all: its columns are asked for
    earlier = list(before.order_by("-record_id").values_list("record_id", flat=True)[:PAGE])
    return CustomerPage(
        customers=[customer_of(a, is_next=a.record_id == upcoming) for a in shown],
        record_ids=[a.record_id for a in shown],
        first=(before.count() if earlier else 0) + 1,
        total={name: count for name, _label, count in batch.counts()}[show],
        previous_from=earlier[-1] if earlier else None,
        next_from=found[PAGE].record_id if len(found) > PAGE else None,
    )


def customer_of(assignment: Assignment, *, is_next: bool) -> Customer:
    """Give what the holder of `assignment` may see of its record."""
    record: Record = assignment.record
    name, cells = record.name or str(record), record.shown_cells()
    return Customer(
        pk=assignment.pk,
        number=record.row_number,
        name=name,
        username=record.username if record.username != name else "",
        phone=local_phone(record.phone) if record.phone else "",
        link=wa_link(record.phone) if record.phone else "",
        cells=cells[:2],
        more=cells[2:],
        reach=segment(assignment, "reach", name=name),
        response=segment(assignment, "response", name=name),
        is_next=is_next,
    )


def segment(assignment: Assignment, field: str, *, name: str, refusal: str = "") -> Segment:
    """Give the buttons of one mark as they stand."""
    value = getattr(assignment, field)
    options = [
        Option(choice, label, LOOKS[field, choice][0], choice == value)
        for choice, label in CHOICES[field]
    ]
    return Segment(assignment.pk, field, name, options, refusal)


def changes_of(assignment: Assignment, *, limit: int = 200) -> list[Change]:
    """Give what was marked when and by whom, the last first."""
    events: QuerySet[Any] = assignment.events.select_related(  # type: ignore[attr-defined]  # made by pghistory
        "reach_by", "response_by"
    )
    latest = list(events.order_by("-pgh_id")[: limit + 1])
    steps = zip_longest(latest, latest[1:])
    found = [change for now, before in steps for change in _differences(now, before)]
    return found[:limit]


def _differences(now: Any, before: Any) -> Iterable[Change]:
    for field, choices in CHOICES.items():
        value, old = getattr(now, field), getattr(before, field, None)
        if value != old:
            by = getattr(now, f"{field}_by")
            tone, icon = LOOKS.get((field, value), ("neu", ""))
            yield Change(
                field=field,
                value=value or "",
                label=dict(choices).get(value, ""),
                tone=tone,
                icon=icon,
                by=by.name if by else "",
                at=getattr(now, f"{field}_at"),
            )


def _shown(batch: Batch, show: str) -> AssignmentQuerySet:
    rows = batch.assignments()
    if show == "unchecked":
        return rows.filter(reach=None)
    return rows.filter(reach=show) if show else rows
