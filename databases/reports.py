"""What pages show about databases and imports, put together from several tables."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from accounts.models import User
from databases.importing.process import Tally, sentence
from databases.models import Database, Import, Record, SkippedRow
from databases.models.shelf import Attention

_OURS = {
    "crashed": lambda: _(
        "Something went wrong on the server and nothing was imported. Try again; if it fails "
        "once more, tell whoever runs the server."
    ),
    "changed": lambda: _(
        "The file gave other rows than the check had shown, so nothing was imported. "
        "Upload it again."
    ),
    "disk_full": lambda: _(
        "The disk of the database is full. Nothing was imported. Tell whoever runs the server, "
        "then try again."
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


def same_content(source: Import, *, user: User) -> Import | None:
    """Give the newest other import of exactly this file."""
    return (
        Import.objects.visible_to(user)
        .filter(sha256=source.sha256, uploaded_at__lt=source.uploaded_at)
        .exclude(state__in=[Import.State.REFUSED, Import.State.CANCELLED])
        .select_related("uploaded_by", "database")
        .order_by("-uploaded_at")
        .first()
    )


@dataclass(frozen=True, slots=True)
class ReasonCount:
    text: str
    count: int


@dataclass(frozen=True, slots=True)
class PreviewCell:
    """One cell as it will be stored; `note` says what becomes of it, in the `tone` of the note."""

    text: str
    note: str = ""
    tone: str = ""

    @property
    def is_number(self) -> bool:
        return any(c.isdecimal() for c in self.text) and not any(c.isalpha() for c in self.text)


@dataclass(frozen=True, slots=True)
class PreviewLine:
    number: int
    outcome: str
    cells: list[PreviewCell]
    note: str = ""


@dataclass(frozen=True, slots=True)
class CheckView:
    """The numbers, warnings and first rows of a check page; without a tally they are to come."""

    lines: list[PreviewLine]
    tally: Tally | None
    twin: Import | None
    warnings: frozenset[str]
    attention: list[ReasonCount]

    @property
    def skipped(self) -> int:
        return self.tally.duplicates + self.tally.blank if self.tally else 0

    @property
    def to_import(self) -> int:
        """What the import button promises: ready rows, or else those stored for repair."""
        return (self.tally.ready or self.tally.needs_attention) if self.tally else 0


def check_view(source: Import, *, user: User) -> CheckView:
    """Put together what the check page shows of a file that was read."""
    reading = source.reading
    roles = [column["role"] for column in reading["columns"]]
    by = next((roles.index(role) for role in ("phone", "username") if role in roles), 0)
    tally = Tally(**reading["tally"]) if reading.get("tally") else None
    return CheckView(
        lines=[_preview_line(row, roles, by) for row in reading["preview"]],
        tally=tally,
        twin=same_content(source, user=user),
        warnings=frozenset(reading.get("warnings", [])),
        attention=counts_by_reason(tally.attention) if tally else [],
    )


def _preview_line(row: dict[str, Any], roles: list[str], by: int) -> PreviewLine:
    outcome, phone = row["outcome"], row["phone"]
    cells = [PreviewCell(text) for text in row["cells"]]
    cells += [PreviewCell("") for _missing in range(len(roles) - len(cells))]
    note = ""
    if outcome == "blank":
        note = _("Blank row, skipped")
    elif outcome == "duplicate":
        said = _("Same as row %(row)s, skipped") % {"row": row["same_as"]}
        cells[by] = PreviewCell(cells[by].text, said, "dup")
    elif outcome == "attention":
        at = by
        if row["reason"] == "cell_too_long":
            at = max(range(len(cells)), key=lambda i: len(cells[i].text))
        cells[at] = PreviewCell(cells[at].text, reason_text(row["reason"]), "warn")
    elif phone and "phone" in roles:
        at = roles.index("phone")
        cells[at] = PreviewCell(cells[at].text, phone if phone != cells[at].text else "", "norm")
    return PreviewLine(row["row_number"], outcome, cells[: len(roles)], note)


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
        ReasonCount(_DUPLICATES[reason]() if reason in _DUPLICATES else reason_text(reason), count)
        for reason, count in sorted(counts.items(), key=lambda item: -item[1])
    ]


def import_report(source: Import) -> ImportReport:
    """Give the reasons of what is not ready, as they were at import."""
    tally: dict[str, Any] = source.reading.get("tally") or {}
    return ImportReport(
        attention=counts_by_reason(tally.get("attention", {})),
        duplicate=counts_by_reason(tally.get("duplicate", {})),
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
    for row, reason, cells in _merge(stored, passed):
        yield [str(row), reason, *cells]


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
