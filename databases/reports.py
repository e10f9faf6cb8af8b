"""What pages show about databases and imports, put together from several tables."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from databases.importing.process import sentence
from databases.models import Database, Import, Record, SkippedRow
from databases.models.shelf import Attention

_OURS = {
    "crashed": lambda: _(
        "Something went wrong on the server and nothing was imported. Try again; if it fails "
        "once more, tell whoever runs the server."
    ),
    "not_that_way": lambda: _(
        "The file cannot be read in the way you chose, so it is read as it was found at first."
    ),
    "changed": lambda: _(
        "The file gave other rows than the check had shown, so nothing was imported. "
        "Upload it again."
    ),
    "disk_full": lambda: _(
        "The disk of the database is full. Nothing was imported. Tell whoever runs the server, "
        "then try again."
    ),
    "not_the_download": lambda: _(
        "This is not the file that “Download the rows” gave: its first columns must be Row and "
        "Reason, and then all columns of the database in their order. Download it again, correct "
        "the cells, leave the columns as they are, and upload it."
    ),
    "columns_changed": lambda: _(
        "The columns of the database were changed meanwhile, so nothing was corrected. "
        "Download the rows again."
    ),
    "database_gone": lambda: _("The database was deleted, so there is nothing to correct."),
    "being_changed": lambda: _(
        "All records of the database are being changed right now, so nothing was corrected. "
        "Try again when that is done."
    ),
    "file_gone": lambda: _("The uploaded file is no longer kept. Upload it again."),
}


def problem_of(source: Import) -> str:
    """Say what went wrong with an import, as one sentence; nothing when nothing did."""
    if not source.problem:
        return ""
    ours = _OURS.get(source.problem)
    return ours() if ours else sentence(source.problem, source.problem_detail)


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums over the databases that are not archived."""

    databases: int
    records: int
    ready: int
    available: int
    requested: int
    assigned: int

    @property
    def available_percent(self) -> int | None:
        return self.available * 100 // self.records if self.records else None

    @property
    def assigned_percent(self) -> int | None:
        return self.assigned * 100 // self.ready if self.ready else None


def totals(databases: QuerySet[Database]) -> Totals:
    """Add up where the records of `databases` are."""
    sums = databases.aggregate(
        databases=Count("pk"),
        records=Sum("stat__total", default=0),
        attention=Sum("stat__attention", default=0),
        available=Sum("stat__available", default=0),
        requested=Sum("stat__requested", default=0),
        assigned=Sum("stat__assigned", default=0),
    )
    return Totals(ready=sums["records"] - sums.pop("attention"), **sums)


@dataclass(frozen=True, slots=True)
class ProductCount:
    """A product and how many databases it has; without one, those of no product."""

    id: int | None
    name: str
    count: int

    @property
    def key(self) -> str:
        return str(self.id) if self.id else "none"


def by_product(databases: QuerySet[Database]) -> list[ProductCount]:
    """Count `databases` per product, in one query."""
    rows = databases.order_by("product__name").values("product", "product__name")
    return [
        ProductCount(row["product"], row["product__name"] or _("Unknown"), row["count"])
        for row in rows.annotate(count=Count("pk"))
    ]


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many rows are not ready for a reason; `is_more`: at least so many."""

    text: str
    count: int
    key: str = ""
    is_more: bool = False


def reason_text(reason: str, same_as: int | None = None) -> str:
    """Say why a row is not ready."""
    if reason in Attention.values:
        return str(Attention(reason).label)
    if reason in SkippedRow.Reason.values:
        return str(SkippedRow.Reason(reason).label) % {"row": same_as}
    return reason


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of every row of a file; the parts add up to `source.read`."""

    attention: list[ReasonCount]
    duplicate: list[ReasonCount]


_DUPLICATES = {
    "duplicate_phone": lambda: _("Same phone as an earlier row"),
    "duplicate_username": lambda: _("Same username as an earlier row"),
}


def counts_by_reason(counts: dict[str, int]) -> list[ReasonCount]:
    """Put reasons into words, the frequent ones first."""
    return [
        ReasonCount(
            _DUPLICATES[reason]() if reason in _DUPLICATES else reason_text(reason), count, reason
        )
        for reason, count in sorted(counts.items(), key=lambda item: -item[1])
    ]


COUNTED = 10_000  # rows for one reason; beyond that a page says "more than"


def attention_now(database_id: int, *, total: int) -> list[ReasonCount]:
    """Count what needs attention in a database by reason, the frequent ones first.

    `total` is how many there are for any reason: with a single one nothing has to be counted.
    """
    counts = Record.objects.all().attention_counts(database_id, most=COUNTED + 1)
    if len(counts) == 1:
        counts = dict.fromkeys(counts, total)
        return counts_by_reason(counts)
    return [
        replace(found, count=min(found.count, COUNTED), is_more=found.count > COUNTED)
        for found in counts_by_reason(counts)
    ]


def import_report(source: Import) -> ImportReport:
    """Give the reasons of what is not ready now: repaired rows are not among them any more."""
    tally: dict[str, Any] = source.reading.get("tally") or {}
    duplicates = tally.get("duplicate") or {}
    if sum(duplicates.values()) != source.duplicate:
        # Rows came and went since; all duplicates of a file are so for one reason.
        first = next(iter(duplicates), SkippedRow.Reason.DUPLICATE_PHONE.value)
        duplicates = {first: source.duplicate} if source.duplicate else {}
    attention: list[ReasonCount] = []
    if source.attention and source.database_id:
        attention = attention_now(source.database_id, total=source.attention)
    return ImportReport(
        attention=attention,
        duplicate=counts_by_reason(duplicates),
    )


def not_ready_rows(source: Import) -> Iterator[list[str]]:
    """Give every row that is not ready now: row number, reason, cells; in the file's order.

    Records that were repaired since are ready and not among them.
    """
    attention = (
        Record.objects.in_database(source.database_id or 0)
        .needing_attention()
        .order_by("row_number")
        .values_list("row_number", "attention", "cells")
    )
    skipped = (
        SkippedRow.objects.filter(source=source)
        .order_by("row_number")
        .values_list("row_number", "reason", "same_as", "cells")
    )
    stored = ((row, reason_text(reason or ""), cells) for row, reason, cells in stream(attention))
    passed = ((row, reason_text(why, same), cells) for row, why, same, cells in stream(skipped))
    width = len(source.database.columns) if source.database else 0
    for row, reason, cells in _merge(stored, passed):
        # A blank row has its cells too, to be filled in.
        yield [str(row), reason, *cells, *[""] * (width - len(cells))]


def stream(rows: Any) -> Iterator[Any]:
    """Read a large answer in pieces from the server."""
    return iter(rows.iterator(chunk_size=2000))


def _merge(
    first: Iterable[tuple[int, str, list[str]]], second: Iterable[tuple[int, str, list[str]]]
) -> Iterator[tuple[int, str, list[str]]]:
    return heapq.merge(first, second, key=lambda row: row[0])


def search(databases: QuerySet[Database], text: str) -> QuerySet[Database]:
    """Give those whose name, description or product contains `text`."""
    if not text:
        return databases
    return databases.filter(
        Q(name__icontains=text) | Q(description__icontains=text) | Q(product__name__icontains=text)
    )
