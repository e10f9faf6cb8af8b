"""The batches of a staff, each with its live numbers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils.functional import Promise

from accounts.models import User
from assignments.models import Assignment, BatchStat
from assignments.models.holdings import AssignmentQuerySet
from batches.keys import BatchKey
from batches.reports.looks import SHOWS, Tally, tallies
from crm.kernel.paging import keyset

CARDS = 30
FINISHED = 20


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch with its live numbers."""

    stat: BatchStat

    @property
    def key(self) -> BatchKey:
        return BatchKey(self.stat.request_id, self.stat.database_id)

    @property
    def is_legacy(self) -> bool:
        return self.stat.request_id is None

    @property
    def title(self) -> str:
        return str(self.stat.database.name)

    @property
    def granted_at(self) -> dt.datetime | None:
        request = self.stat.request
        return request.decided_at if request else None

    @property
    def is_finished(self) -> bool:
        return self.stat.unchecked <= 0

    def counts(self) -> list[tuple[str, str | Promise, int]]:
        """Give (filter, label, how many) for each way to look at the batch."""
        stat = self.stat
        number = {
            "": stat.records,
            "unchecked": stat.unchecked,
            "ada": stat.ada,
            "ceklis1": stat.ceklis1,
            "tidak": stat.tidak,
        }
        return [(show, label, number[show]) for show, label in SHOWS.items()]

    def reach_counts(self) -> list[Tally]:
        stat = self.stat
        return tallies("reach", {"ada": stat.ada, "ceklis1": stat.ceklis1, "tidak": stat.tidak})

    def response_counts(self) -> list[Tally]:
        return tallies("response", {"ya": self.stat.ya, "tidak": self.stat.tidak_response})

    def assignments(self) -> AssignmentQuerySet:
        """Give what its holder has of it now."""
        stat = self.stat
        return Assignment.objects.active().of_batch(
            staff_id=stat.staff_id, database_id=stat.database_id, request_id=stat.request_id
        )

    def unchecked(self) -> AssignmentQuerySet:
        """Give what is left to check, in the order of the file."""
        return self.assignments().filter(reach=None).order_by("record_id")


@dataclass(frozen=True, slots=True)
class BatchList:
    """The batches of one staff: those with work left as cards, the last finished ones below."""

    batches: list[Batch]
    finished: list[Batch]
    next: str
    is_first: bool
    unfinished_count: int
    left: int
    finished_count: int
    next_customer: str


def my_batches(*, user: User, after: str | None = None, finished: bool = False) -> BatchList:
    """Give the batches of `user`, newest first, Legacy last."""
    mine = BatchStat.objects.visible_to(user)
    checked = F("ada") + F("ceklis1") + F("tidak")
    open_ones, done = mine.filter(records__gt=checked), mine.filter(records__lte=checked)
    totals = mine.aggregate(
        unfinished=Count("pk", filter=Q(records__gt=checked)),
        finished=Count("pk", filter=Q(records__lte=checked)),
        left=Coalesce(Sum(F("records") - checked, filter=Q(records__gt=checked)), 0),
    )
    page = keyset(
        _for_cards(done if finished else open_ones),
        order=["-place", "id"],
        after=after,
        size=CARDS,
    )
    cards = [Batch(stat) for stat in page.rows]
    below = [] if finished or after else _for_cards(done).order_by("-place", "id")[:FINISHED]
    first = cards[0] if cards and page.is_first and not finished else None
    upcoming = first.unchecked().select_related("record").first() if first else None
    return BatchList(
        batches=cards,
        finished=[Batch(stat) for stat in below],
        next=page.next,
        is_first=page.is_first,
        unfinished_count=totals["unfinished"],
        left=totals["left"],
        finished_count=totals["finished"],
        next_customer=str(upcoming.record) if upcoming else "",
    )


def find_batch(*, user: User, key: BatchKey) -> Batch | None:
    """Give the batch of `user` with that key, if it is theirs now."""
    mine = BatchStat.objects.visible_to(user).select_related("database__product", "request")
    which = (
        Q(request=key.request_id) if key.request_id else Q(request=None, database=key.database_id)
    )
    stat = mine.filter(which).first()
    return Batch(stat) if stat else None


def batch_of(assignment: Assignment) -> Batch:
    """Give the batch that `assignment` belongs to, with its numbers of now."""
    stats = BatchStat.objects.select_related("database__product", "request")
    return Batch(
        stats.get(
            staff_id=assignment.staff_id,
            database_id=assignment.database_id,
            request_id=assignment.request_id,
        )
    )


def _for_cards(stats: QuerySet[BatchStat]) -> QuerySet[BatchStat]:
    return stats.select_related("database__product", "request").annotate(
        place=Coalesce("request_id", 0)
    )
