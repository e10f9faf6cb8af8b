"""The customers of one batch.

Inside a database the records are numbered by their import in the order of the file, so the order of
`record_id` is the file's order, and the index of a batch gives it without sorting.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from django.db.models import Count, F, Q, Value
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan

from accounts.models import User
from assignments.models import Assignment
from assignments.models.holdings import AssignmentQuerySet
from assignments.reports.marks import LOOKS
from assignments.reports.row_search import identity_of
from batches.message import Message
from batches.reports.attempts import tries_of
from batches.reports.batches import Batch
from batches.reports.looks import CHOICES, KEPT
from batches.reports.templates import values_of
from crm.kernel.contact import local_phone, wa_link
from databases.models import Record

PAGE = 25
_DIGITS_LEAST = 4  # anywhere in a number
# What is read of each customer of a page.
_READ = [
    *("record_id", "reach", "response", "note"),
    *(f"record__{name}" for name in ("row_number", "name", "username", "phone", "cells")),
]


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
    link: str  # with the message, where one is chosen
    plain: str
    said: str
    cells: list[tuple[str, str]]
    more: list[tuple[str, str]]
    reach: Segment
    response: Segment
    note: str
    tries: str
    is_next: bool


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """Some customers of a batch, in the order of the file."""

    customers: list[Customer]
    record_ids: list[int]
    start: int
    previous_from: int | None
    next_from: int | None


def find_customer(*, user: User, pk: int) -> Assignment | None:
    """Give what `user` holds, or held until it was taken from them: that is said kindly."""
    theirs = Assignment.objects.filter(staff=user).exclude(state=Assignment.State.HELD)
    return theirs.select_related("record").filter(pk=pk).first()


def are_of(batch: Batch, assignment_ids: list[int]) -> bool:
    """Say whether all of these are in a batch, or were until they were taken from its holder."""
    stat = batch.stat
    known = Assignment.objects.exclude(state=Assignment.State.HELD).of_batch(
        staff_id=stat.staff_id, database_id=stat.database_id, request_id=stat.request_id
    )
    return known.filter(pk__in=assignment_ids).count() == len(assignment_ids)


def shown(batch: Batch, *, show: str = "", query: str = "") -> AssignmentQuerySet:
    """Give the customers of a batch that a chip and a search keep."""
    rows = batch.assignments().filter(**KEPT[show])
    return rows.filter(_meant(query)) if query else rows


def customers_of(
    batch: Batch,
    *,
    show: str = "",
    query: str = "",
    start: int | None = None,
    message: Message | None = None,
) -> CustomerPage:
    """Give a page of a batch, from record `start`; without it, the page with the next to check.

    Their links carry `message`, filled for each.
    """
    rows = shown(batch, show=show, query=query).order_by("record_id")
    ids = rows.values_list("record_id", flat=True)
    is_all = not (show or query)
    # With fewer of them checked than a page holds, the next one is on the first page.
    is_first = is_all and (start == 0 or (start is None and batch.stat.checked < PAGE))
    upcoming: int | None = None
    earlier: list[int] = []  # the page before, the last first
    if not is_first:
        upcoming = batch.unchecked().values_list("record_id", flat=True).first()
        if start is None and is_all and upcoming is not None:
            place = ids.filter(record_id__lt=upcoming).count()
            if first := place - place % PAGE:
                lead = list(ids[first - PAGE : first + 1])
                if lead:  # they may all have been taken back a moment ago
                    start, earlier = lead[-1], lead[-2::-1]
        elif start:
            earlier = list(ids.filter(record_id__lt=start).order_by("-record_id")[:PAGE])
    following = rows.filter(record_id__gte=start or 0).select_related("record").only(*_READ)
    found = list(following[: PAGE + 1])
    if is_first:
        upcoming = next((a.record_id for a in found if a.reach is None), None)
    on_page = found[:PAGE]
    database = batch.stat.database
    for assignment in on_page:
        assignment.record.database = database  # one object for all: its columns are asked for
    tries = tries_of([a.pk for a in on_page])
    return CustomerPage(
        customers=[
            customer_of(
                a, is_next=a.record_id == upcoming, tries=tries.get(a.pk, ""), message=message
            )
            for a in on_page
        ],
        record_ids=[a.record_id for a in on_page],
        start=start or 0,
        previous_from=earlier[-1] if earlier else None,
        next_from=found[PAGE].record_id if len(found) > PAGE else None,
    )


def customer_of(
    assignment: Assignment, *, is_next: bool, tries: str = "", message: Message | None = None
) -> Customer:
    """Give what the holder of `assignment` may see of its record."""
    record: Record = assignment.record
    name, cells = record.name or str(record), record.shown_cells()
    said = message.fill(values_of(record)) if message and record.phone else ""
    return Customer(
        pk=assignment.pk,
        number=record.row_number,
        name=name,
        username=record.username if record.username != name else "",
        phone=local_phone(record.phone) if record.phone else "",
        link=wa_link(record.phone, said) if record.phone else "",
        plain=wa_link(record.phone) if record.phone else "",
        said=said,
        cells=cells[:2],
        more=cells[2:],
        reach=segment(assignment, "reach", name=name),
        response=segment(assignment, "response", name=name),
        note=assignment.note,
        tries=tries,
        is_next=is_next,
    )


def segment(assignment: Assignment, field: str, *, name: str = "", refusal: str = "") -> Segment:
    """Give the buttons of one mark as they stand."""
    name = name or assignment.record.name or str(assignment.record)
    options = _options(field, getattr(assignment, field))
    return Segment(assignment.pk, field, name, options, refusal)


@cache
def _options(field: str, value: str | None) -> list[Option]:
    return [
        Option(choice, label, LOOKS[field, choice][0], choice == value)
        for choice, label in CHOICES[field]
    ]


def overwritten(rows: AssignmentQuerySet, field: str, value: str | None) -> dict[str, int]:
    """Count, by what they carry now, the marks that setting `value` would replace."""
    others = rows.exclude(**{f"{field}__isnull": True}).order_by(field)
    if value is not None:
        others = others.exclude(**{field: value})
    counts = dict(others.values_list(field).annotate(Count("pk")))
    return {label: counts[mark] for mark, label in CHOICES[field] if mark in counts}


def _meant(text: str) -> Q:
    """Find whom a text can mean: part of a name or username, a phone in any spelling.

    Not LIKE, for which the index over the names of everybody would be taken: a batch is small.
    """
    identity = identity_of(text)
    found = Q()
    for column in ("record__name_key", "record__username_key"):
        found |= Q(GreaterThan(StrIndex(F(column), Value(identity.key)), 0))
    if identity.phone:
        found |= Q(record__phone=identity.phone)
    if identity.phone_start:
        found |= Q(record__phone__startswith=identity.phone_start)
    digits = re.sub(r"\D", "", text)  # many know only the end of a number
    if len(digits) >= _DIGITS_LEAST and re.fullmatch(r"[0-9 ()./-]+", text):
        found |= Q(record__phone__contains=digits)
    return found
