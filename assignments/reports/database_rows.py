"""Which rows of one database are wanted: by where they are, whose, which marks, a search."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Exists, F, OuterRef, Q, Sum
from django.utils.translation import gettext as _

from accounts.models import User
from assignments.models import Assignment, BatchStat, RecordRequest
from assignments.models.holdings import AssignmentQuerySet
from assignments.reports import row_search
from assignments.reports.row_search import FEW, Found, Identity
from databases.models import Database, Pool, Record
from databases.models.shelf import Attention, RecordQuerySet

ROWS_SIZE = 50
STATES = ("available", "requested", "assigned", "attention")
# Not marked yet, as a filter.
NONE = "none"
_BATCHES = 200


@dataclass(frozen=True, slots=True)
class RowFilters:
    """Which rows are wanted. The marks are those of whoever holds the row now."""

    search: str = ""
    state: str = ""
    reason: str = ""
    staff_id: int | None = None
    reach: str = ""
    response: str = ""

    @property
    def is_any(self) -> bool:
        return bool(self.search) or self.is_narrow

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the search is asked for."""
        return bool(self.state or self.reason or self.staff_id or self.reach or self.response)

    @property
    def is_contrary(self) -> bool:
        """Whether no row can fit: what is on the shelf has no holder, what is held no marks."""
        marked = bool(self.reach or self.response)
        held = marked or self.staff_id is not None
        return (self.state == "available" and held) or (self.state == "requested" and marked)


@dataclass(frozen=True, slots=True)
class Place:
    """How far a scan of all cells is: the last row read, how many to read next, what it found."""

    after: int
    rows: int
    found: int


@dataclass(frozen=True, slots=True)
class Scan:
    """What some steps of a scan found, and where they ended."""

    records: list[Record]
    place: Place
    last: int
    is_over: bool
    # Neither over nor with a page of rows to look at first.
    goes_on: bool


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who holds rows of a database: assigned ones, and ones held for their requests."""

    id: int
    name: str
    records: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One mark to filter by, with how many rows carry it."""

    value: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Facets:
    """What can be filtered by, with how many rows each would show."""

    holders: list[Holder]
    reach: list[Choice]
    response: list[Choice]


def facets_of(database: Database, *, staff_id: int | None = None) -> Facets:
    """Say who holds rows of a database, and how many rows carry which mark.

    With `staff_id` the marks are counted in that holder's hands only.
    """
    batches = list(
        BatchStat.objects.filter(database=database, records__gt=0)
        .values("staff_id", "staff__name")
        .annotate(
            **{f"sum_{name}": Sum(name) for name in ("records", "ada", "ceklis1", "tidak", "ya")},
            sum_no=Sum("tidak_response"),
        )
    )
    held = (
        RecordRequest.objects.pending()
        .filter(database=database)
        .values("staff_id", "staff__name")
        .annotate(records=Sum("quantity"))
    )
    holders: dict[int, Holder] = {}
    for pk, name, records in [
        *((row["staff_id"], row["staff__name"], row["sum_records"]) for row in batches),
        *((row["staff_id"], row["staff__name"], row["records"]) for row in held),
    ]:
        before = holders[pk].records if pk in holders else 0
        holders[pk] = Holder(pk, name, before + records)
    counted = [row for row in batches if staff_id in (None, row["staff_id"])]
    total = {
        name: sum(row[f"sum_{name}"] for row in counted)
        for name in ("records", "ada", "ceklis1", "tidak", "ya", "no")
    }
    checked = total["ada"] + total["ceklis1"] + total["tidak"]
    return Facets(
        holders=sorted(holders.values(), key=lambda holder: holder.name.casefold()),
        reach=[
            *(Choice(one.value, str(one.label), total[one.value]) for one in Assignment.Reach),
            Choice(NONE, _("Not checked"), total["records"] - checked),
        ],
        response=[
            Choice("ya", "Ya", total["ya"]),
            Choice("tidak", "Tidak", total["no"]),
            Choice(NONE, _("Not known"), total["records"] - total["ya"] - total["no"]),
        ],
    )


def page_of(user: User, database: Database, filters: RowFilters, *, after: int = 0) -> Found:
    """Give a page of the rows that fit, in the order of the file, from after row `after`."""
    if filters.is_contrary:
        return Found([], "", after == 0)
    records = Record.objects.visible_to(user).in_database(database.pk)
    matching = _fitting(records, filters, database.pk)
    identity = row_search.identity_of(filters.search) if filters.search else None
    if identity is not None:
        matching = matching.filter(identity.condition())
    if identity is None and (filters.state in ("", "attention") and not _of_holder(filters)):
        return row_search.follow(matching, after=after, size=ROWS_SIZE)
    return row_search.find(
        matching,
        database_id=database.pk,
        after=after,
        size=ROWS_SIZE,
        ids=lambda: _ids(records, database, filters, identity),
    )


def scan(user: User, database: Database, filters: RowFilters, place: Place, *, steps: int) -> Scan:
    """Look for the search text in all cells, in rows that the identity search leaves out.

    Goes on from `place` for so many steps at most, or until another page of rows was found.
    """
    records = Record.objects.visible_to(user).in_database(database.pk)
    identity = row_search.identity_of(filters.search)
    others = _fitting(records, filters, database.pk).exclude(identity.condition())
    last, found = row_search.last_row(database.pk), list[Record]()
    room = ROWS_SIZE - place.found % ROWS_SIZE
    at, rows = place.after, place.rows
    for _step in range(steps if filters.search else 0):
        step = row_search.scan(
            others,
            text=filters.search,
            after=at,
            last=last,
            rows=rows,
            size=room - len(found),
        )
        found += step.found
        at, rows = step.read_to, step.rows
        if at >= last or len(found) >= room:
            break
    return Scan(
        records=found,
        place=Place(at, rows, place.found + len(found)),
        last=last,
        is_over=steps > 0 and at >= last,
        goes_on=steps > 0 and at < last and len(found) < room,
    )


def _fitting(records: RecordQuerySet, filters: RowFilters, database_id: int) -> RecordQuerySet:
    if filters.state == "attention" or filters.reason:
        records = records.needing_attention()
    if filters.reason:
        records = records.filter(attention=filters.reason)
    if filters.state == "available":
        # Said once more: only this database's part of the shelf is planned for.
        shelf = Pool.objects.filter(pk=OuterRef("pk"), database_id=database_id)
        records = records.filter(Exists(shelf))
    if filters.state in ("requested", "assigned") or _of_holder(filters):
        held = _held(Assignment.objects.filter(record=OuterRef("pk")), filters)
        records = records.filter(Exists(held))
    return records


def _of_holder(filters: RowFilters) -> bool:
    return bool(filters.staff_id is not None or filters.reach or filters.response)


def _held(assignments: AssignmentQuerySet, filters: RowFilters) -> AssignmentQuerySet:
    state = Assignment.State
    if filters.state == "requested":
        held = assignments.filter(state=state.HELD)
    elif filters.state == "assigned" or filters.reach or filters.response:
        held = assignments.active()
    else:
        held = assignments.live()
    if filters.staff_id is not None:
        held = held.filter(staff=filters.staff_id)
    for name in ("reach", "response"):
        if value := getattr(filters, name):
            held = held.filter(**{name: None if value == NONE else value})
    return held


def _ids(
    records: RecordQuerySet, database: Database, filters: RowFilters, identity: Identity | None
) -> list[int] | None:
    """Give the ids of all that can fit by the best index there is, or None when they are many."""
    if identity is not None and (ids := identity.ids(records)) is not None:
        return ids
    if filters.state == "attention" or filters.reason:
        return _few(_fitting(records, filters, database.pk).values_list("pk", flat=True))
    if filters.state == "available":
        return _few(Pool.objects.filter(database=database).values_list("pk", flat=True))
    if filters.state == "" and not _of_holder(filters):
        return None
    held = Assignment.objects.filter(database=database)
    if filters.state == "requested":
        waiting = RecordRequest.objects.pending().filter(database=database)
        held = held.filter(request__in=list(waiting.values_list("pk", flat=True)))
    elif filters.reach or filters.response:
        batches = _batches(database, filters)
        if batches is None:
            return None
        held = held.filter(batches)
    return _few(_held(held, filters).values_list("record_id", flat=True))


def _few(ids: Iterable[int]) -> list[int] | None:
    return row_search.few(list(ids[: FEW + 1]))  # type: ignore[index]  # a queryset


def _batches(database: Database, filters: RowFilters) -> Q | None:
    """Name the batches that have the wanted marks, or None when those are too many to go through.

    No index covers a mark, but the totals of the batches say where to look.
    """
    stats = BatchStat.objects.filter(database=database, records__gt=0)
    if filters.staff_id is not None:
        stats = stats.filter(staff=filters.staff_id)
    marked = {
        "reach": F("ada") + F("ceklis1") + F("tidak"),
        "response": F("ya") + F("tidak_response"),
    }
    for name, all_marked in marked.items():
        value = getattr(filters, name)
        if value == NONE:
            stats = stats.filter(records__gt=all_marked)
        elif value:
            column = "tidak_response" if (name, value) == ("response", "tidak") else value
            stats = stats.filter(**{f"{column}__gt": 0})
    sums = stats.aggregate(batches=Count("pk"), records=Sum("records"))
    if sums["batches"] > _BATCHES or (sums["records"] or 0) > row_search.MOST_READ:
        return None
    places = list(stats.values_list("request_id", "staff_id"))
    legacy = [staff for request, staff in places if request is None]
    named = Q(request__in=[request for request, _who in places if request is not None])
    return named | Q(request=None, staff__in=legacy) if legacy else named


def reasons() -> list[tuple[str, str]]:
    """Give the reasons why a row can need attention, with their names."""
    return [(reason.value, str(reason.label)) for reason in Attention]
