"""Looking for customers among everything a staff holds.

Matches that are many are met soon when reading what they hold from its newest end; those that are
few are looked up by their ids. What lies between is read window by window, and a page that gets
too expensive ends early and says so: a page costs the same, however many records there are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, F, Func, Q
from django.db.models.fields.tuple_lookups import (  # type: ignore[import-untyped]  # not in the stubs
    Tuple,
    TupleLessThan,
)

from accounts.models import User
from assignments.models import Assignment, BatchStat
from assignments.models.holdings import AssignmentQuerySet
from assignments.reports.row_search import Identity, identity_of
from batches.keys import BatchKey
from batches.reports.attempts import tries_of
from batches.reports.batches import Batch, for_cards
from batches.reports.customers import Customer, customer_of
from databases.models import Record

PAGE = 30
# The records read first, and the most that are read for one page.
WINDOW = 4_000
MOST_READ = 60_000

# Where a page ends: the newest database first, in it the last record first.
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class FoundIn:
    """The customers of one batch that were found."""

    batch: Batch
    customers: list[Customer]


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what was found; `next` leads on, `is_part` when reading stopped before its end."""

    batches: list[FoundIn]
    record_ids: list[int]
    next: str
    is_first: bool
    is_part: bool


def search_customers(*, user: User, text: str, after: str = "") -> Found:
    """Give what `user` holds of those whom `text` means.

    It can be a phone in any spelling, a username or the beginning of one, or a part of a name.
    `after` is the `next` of the page before.
    """
    place = _read(after)
    held = _newest_first(Assignment.objects.visible_to(user))
    ids, read_to = _matches(user, _beyond(held, place), identity_of(text))
    found = list(
        _beyond(held, place).filter(record_id__in=ids).select_related("record")[: PAGE + 1]
    )
    shown, more = found[:PAGE], len(found) > PAGE
    if more:
        read_to = (shown[-1].database_id, shown[-1].record_id)
    return Found(
        batches=_in_batches(user, shown),
        record_ids=[assignment.record_id for assignment in shown],
        next=f"{read_to[0]}-{read_to[1]}" if read_to else "",
        is_first=place is None,
        is_part=read_to is not None and not more,
    )


def _in_batches(user: User, assignments: list[Assignment]) -> list[FoundIn]:
    """Put what was found into its batches, each in the order of its file."""
    mine = for_cards(BatchStat.objects.visible_to(user))
    requests = {a.request_id for a in assignments if a.request_id}
    legacy = {a.database_id for a in assignments if not a.request_id}
    stats = mine.filter(Q(request__in=requests) | Q(request=None, database__in=legacy))
    batches = {batch.key: batch for batch in map(Batch, stats)} if assignments else {}
    tries = tries_of([a.pk for a in assignments])
    found: dict[BatchKey, FoundIn] = {}
    for assignment in assignments:
        key = BatchKey(assignment.request_id, assignment.database_id)
        batch = batches.get(key)
        if batch is None:  # taken back a moment ago
            continue
        assignment.record.database = batch.stat.database  # its columns are asked for
        customer = customer_of(assignment, is_next=False, tries=tries.get(assignment.pk, ""))
        found.setdefault(key, FoundIn(batch, [])).customers.insert(0, customer)
    return list(found.values())


def _matches(
    user: User, held: AssignmentQuerySet, identity: Identity
) -> tuple[list[int], Place | None]:
    """Give the ids for a page, and where reading stopped if that was before the end."""
    found, last = _window(held, identity, WINDOW)
    if len(found) > PAGE or last is None:
        return found, None
    # The databases by number: each long list is a table of its own, and only theirs are asked.
    mine = BatchStat.objects.visible_to(user).order_by("database_id")
    databases = list(mine.values_list("database_id", flat=True).distinct())
    few = identity.ids(Record.objects.filter(database_id__in=databases))
    if few is not None:
        return few, None
    read = window = WINDOW
    while len(found) <= PAGE and last is not None and read < MOST_READ:
        window = min(window * 2, MOST_READ - read)
        more, last = _window(_beyond(held, last), identity, window)
        found += more
        read += window
    return found, last if len(found) <= PAGE else None


def _window(
    held: AssignmentQuerySet, identity: Identity, size: int
) -> tuple[list[int], Place | None]:
    """Read the next `size` records: the ids of a page of matches, and the last one if there was."""
    last = held.values_list("database_id", "record_id")[size - 1 : size].first()
    # As an array: the planner then fetches these records and never reads all there are.
    these = _AnyOf(F("pk"), ArraySubquery(held.values("record_id")[:size]))
    matching = Record.objects.filter(identity.condition(), these)
    ids = matching.order_by("-database_id", "-pk").values_list("pk", flat=True)
    return list(ids[: PAGE + 1]), last


class _AnyOf(Func):
    """Whether a value is in an array."""

    arg_joiner = " = ANY("
    template = "(%(expressions)s))"
    output_field = BooleanField()


def _newest_first(held: AssignmentQuerySet) -> AssignmentQuerySet:
    return held.order_by("-database_id", "-record_id")


def _beyond(held: AssignmentQuerySet, place: Place | None) -> AssignmentQuerySet:
    if place is None:
        return held
    # As one pair, which the index of a staff's records has in this order.
    pair = Tuple(F("database_id"), F("record_id"))
    return held.filter(TupleLessThan(pair, place))


def _read(after: str) -> Place | None:
    numbers = re.fullmatch(r"([0-9]{1,18})-([0-9]{1,18})", after)
    return (int(numbers[1]), int(numbers[2])) if numbers else None
