"""The batches of a staff, each with its live numbers and the look its owner gave it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    Case,
    Count,
    F,
    Field,
    FilteredRelation,
    IntegerField,
    Q,
    QuerySet,
    Sum,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce
from django.utils.functional import Promise

from accounts.models import User
from assignments.models import Assignment, BatchStat
from assignments.models.holdings import AssignmentQuerySet
from batches.keys import BatchKey
from batches.reports.looks import SHOWS, Tally, tallies
from crm.kernel.paging import keyset

CARDS = 20
_CHECKED = F("ada") + F("ceklis1") + F("tidak")
_SETTING = """
FROM batches_batchsetting AS setting
WHERE setting.staff_id = assignments_batchstat.staff_id
AND setting.database_id = assignments_batchstat.database_id
AND setting.request_id IS NOT DISTINCT FROM assignments_batchstat.request_id
"""
# The same as `for_cards` joins; for one batch this costs less than to put that query together.
_LOOK: dict[str, tuple[str, Field[Any, Any]]] = {
    "own_title": (f"SELECT title {_SETTING}", TextField()),
    "title_version": (f"SELECT title_version {_SETTING}", IntegerField()),
    "pin": (f"SELECT (pinned_at IS NOT NULL)::int {_SETTING}", IntegerField()),
}
_OPEN = Q(records__gt=_CHECKED)


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
    def own_title(self) -> str:
        """What its owner called it; empty until they do."""
        return getattr(self.stat, "own_title", "") or ""

    @property
    def title_version(self) -> int:
        return getattr(self.stat, "title_version", 0) or 0

    @property
    def is_pinned(self) -> bool:
        return bool(getattr(self.stat, "pin", 0))

    @property
    def title(self) -> str:
        return self.own_title or str(self.stat.database.name)

    @property
    def granted_at(self) -> dt.datetime | None:
        request = self.stat.request
        return request.decided_at if request else None

    @property
    def is_finished(self) -> bool:
        return self.stat.unchecked <= 0

    @property
    def is_new(self) -> bool:
        """Whether nobody marked anybody in it yet."""
        stat = self.stat
        return not (self.is_legacy or stat.checked or stat.ya or stat.tidak_response)

    def counts(self) -> list[tuple[str, str | Promise, int]]:
        """Give (filter, label, how many) for each way to look at the batch."""
        stat = self.stat
        number = {"": stat.records}
        return [
            (show, label, number[show] if show in number else getattr(stat, show))
            for show, label in SHOWS.items()
        ]

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
class ProductBatches:
    """What somebody holds of one product: the filter that keeps its batches, and how many."""

    id: int
    name: str
    unfinished: int
    finished: int


@dataclass(frozen=True, slots=True)
class BatchList:
    """A page of somebody's batches: those with work left as cards, the finished ones folded."""

    batches: list[Batch]
    finished: list[Batch]
    products: list[ProductBatches]
    next: str
    is_first: bool
    unfinished_count: int
    left: int
    finished_count: int
    next_customer: str


def my_batches(
    *, user: User, after: str | None = None, show: str = "", product_id: int | None = None
) -> BatchList:
    """Give the batches of `user`: pinned first, then the newest, Legacy last; finished ones below.

    `show` keeps the "unfinished" or the "finished" ones, `product_id` those of one product.
    """
    mine = BatchStat.objects.visible_to(user)
    products, totals = _totals(mine, product_id)
    if product_id is not None:
        mine = mine.filter(database__product=product_id)
    if show:
        mine = mine.filter(_OPEN if show == "unfinished" else ~_OPEN)
    page = keyset(for_cards(mine), order=["done", "-pin", "-place", "id"], after=after, size=CARDS)
    found = [Batch(stat) for stat in page.rows]
    folded = [batch for batch in found if batch.is_finished and show != "finished"]
    cards = found[: len(found) - len(folded)]  # they come last
    first = cards[0] if cards and page.is_first and show != "finished" else None
    customer = first.unchecked().select_related("record").first() if first else None
    return BatchList(
        batches=cards,
        finished=folded,
        products=products,
        next=page.next,
        is_first=page.is_first,
        unfinished_count=totals[0],
        finished_count=totals[1],
        left=totals[2],
        next_customer=str(customer.record) if customer else "",
    )


def find_batch(*, user: User, key: BatchKey) -> Batch | None:
    """Give the batch of `user` with that key, if it is theirs now."""
    which = (
        Q(request=key.request_id) if key.request_id else Q(request=None, database=key.database_id)
    )
    stats: QuerySet[Any] = BatchStat.objects.visible_to(user)
    looks = {name: RawSQL(sql, [], field) for name, (sql, field) in _LOOK.items()}  # noqa: S611
    stat = stats.select_related("database__product", "request").annotate(**looks)
    return next((Batch(found) for found in stat.filter(which)[:1]), None)


def batch_of(assignment: Assignment) -> Batch:
    """Give the batch that `assignment` belongs to, with its numbers of now, without its look."""
    stats = BatchStat.objects.select_related("database__product", "request")
    return Batch(
        stats.get(
            staff_id=assignment.staff_id,
            database_id=assignment.database_id,
            request_id=assignment.request_id,
        )
    )


def for_cards(stats: QuerySet[BatchStat]) -> QuerySet[Any]:
    """Join to each batch its database, its hand-out and its owner's settings: one query for all."""
    settings = "database__batch_settings"
    same_request = Q(**{f"{settings}__request": F("request")}) | Q(
        **{f"{settings}__request__isnull": True, "request__isnull": True}
    )
    return stats.select_related("database__product", "request").annotate(
        setting=FilteredRelation(
            settings, condition=Q(**{f"{settings}__staff": F("staff")}) & same_request
        ),
        own_title=Coalesce(F("setting__title"), Value("")),
        title_version=Coalesce(F("setting__title_version"), 0),
        pin=_flag(Q(setting__pinned_at__isnull=False)),
        done=_flag(~_OPEN),
        place=Coalesce("request_id", 0),
    )


def _flag(condition: Q) -> Case:
    """Give 1 where `condition` holds: a page can continue behind a number."""
    return Case(When(condition, then=1), default=0, output_field=IntegerField())


def _totals(
    mine: QuerySet[BatchStat], product_id: int | None
) -> tuple[list[ProductBatches], Sequence[int]]:
    """Give somebody's products, and (unfinished, finished, left) of the one that is looked at."""
    rows = list(
        mine.order_by("database__product__name")
        .values("database__product", "database__product__name")
        .annotate(
            unfinished=Count("pk", filter=_OPEN),
            all=Count("pk"),
            left=Coalesce(Sum(F("records") - _CHECKED, filter=_OPEN), 0),
        )
    )
    for row in rows:
        row["finished"] = row["all"] - row["unfinished"]
    products = [
        ProductBatches(
            row["database__product"],
            row["database__product__name"],
            row["unfinished"],
            row["finished"],
        )
        for row in rows
        if row["database__product"] is not None
    ]
    seen = [row for row in rows if product_id is None or row["database__product"] == product_id]
    return products, [sum(row[name] for row in seen) for name in ("unfinished", "finished", "left")]
