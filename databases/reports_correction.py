"""What the pages say of corrected rows, and of single rows of a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from databases.models import Import, Record, SkippedRow
from databases.reports import ReasonCount, counts_by_reason, reason_text


@dataclass(frozen=True, slots=True)
class Listed:
    """A row that does not become ready, and why."""

    number: int
    text: str
    same_as: int | None = None


@dataclass(frozen=True, slots=True)
class CorrectionLine:
    """How many lines of a file have one outcome, with the first rows of it."""

    key: str
    label: str | Promise
    count: int
    tone: str
    icon: str
    help: str | Promise
    rows: list[Listed]
    reasons: list[ReasonCount]

    @property
    def more(self) -> int:
        """How many rows are not listed."""
        return max(0, self.count - len(self.rows))


@dataclass(frozen=True, slots=True)
class CorrectionView:
    """What becomes of each line of a file of corrected rows: the lines add up to `total`."""

    total: int
    ready: int
    lines: list[CorrectionLine]


_LINES: list[tuple[str, str | Promise, str, str, str | Promise]] = [
    ("ready", _("Ready"), "ok", "check", _("Stored with the new cells, and on the shelf.")),
    (
        "attention",
        _("Still need attention"),
        "warn",
        "triangle-alert",
        _("Nothing changes in them. Correct them and upload once more."),
    ),
    (
        "duplicate",
        _("Same customer as another row"),
        "muted",
        "copy",
        _("Nothing changes in them: the other row is there already."),
    ),
    ("blank", _("Blank"), "muted", "rows-3", _("Nothing changes in them.")),
    (
        "untouched",
        _("Need no attention"),
        "muted",
        "circle-check",
        _("These rows are ready already, so they stay as they are."),
    ),
    (
        "repeated",
        _("Named twice"),
        "warn",
        "copy",
        _("The first line of each row counts, the others are passed over."),
    ),
    (
        "unknown",
        _("Unknown row"),
        "warn",
        "circle-question-mark",
        _("The database has no such row; listed by their line in the file."),
    ),
]


def correction_view(source: Import) -> CorrectionView:
    """Put together what becomes of the lines of a file of corrected rows."""
    found: dict[str, Any] = source.reading.get("correction") or {}
    counts, listed = found.get("lines", {}), found.get("listed", {})
    lines = [
        CorrectionLine(
            key=key,
            label=label,
            count=counts[key],
            tone=tone,
            icon=icon,
            help=text,
            rows=[
                Listed(number, reason_text(reason, same_as) if reason else "", same_as)
                for number, reason, same_as in listed.get(key, [])
            ],
            reasons=counts_by_reason(found.get("reasons", {})) if key == "attention" else [],
        )
        for key, label, tone, icon, text in _LINES
        if counts.get(key)
    ]
    return CorrectionView(sum(counts.values()), counts.get("ready", 0), lines)


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row of a file: the record it became, or why it was skipped."""

    number: int
    cells: list[str]
    outcome: str
    text: str = ""
    same_as: int | None = None


def file_row(source: Import, number: int, *, user: User) -> FileRow | None:
    """Give what became of one row of a file, by its number; None when it has no such row."""
    records = Record.objects.visible_to(user).in_database(source.database_id or 0)
    record = records.filter(row_number=number).first()
    if record is not None:
        why = reason_text(record.attention) if record.attention else ""
        return FileRow(number, record.cells, "attention" if why else "ready", why)
    skipped = SkippedRow.objects.filter(source=source, row_number=number).first()
    return skipped_row(skipped) if skipped else None


def skipped_rows(source: Import, *, only: str = "") -> QuerySet[SkippedRow]:
    """Give the rows of a file that became no record: all, or "duplicate" or "blank" ones."""
    rows = SkippedRow.objects.filter(source=source)
    if only == "blank":
        return rows.filter(reason=SkippedRow.Reason.BLANK)
    return rows.exclude(reason=SkippedRow.Reason.BLANK) if only == "duplicate" else rows


def skipped_row(row: SkippedRow) -> FileRow:
    """Give a row that became no record."""
    outcome = "blank" if row.reason == SkippedRow.Reason.BLANK else "duplicate"
    text = reason_text(row.reason, row.same_as)
    return FileRow(row.row_number, row.cells, outcome, text, row.same_as)
