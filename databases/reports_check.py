"""What the check page shows of a file that was read: its first rows, numbers and warnings."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from databases.importing.process import Tally
from databases.models import Import
from databases.reports import ReasonCount, counts_by_reason, reason_text


def same_content(source: Import, *, user: User) -> Import | None:
    """Give the newest other import of exactly this file."""
    return (
        Import.objects.visible_to(user)
        .filter(sha256=source.sha256, uploaded_at__lt=source.uploaded_at)
        .exclude(state__in=[Import.State.REFUSED, Import.State.CANCELLED, Import.State.UNDONE])
        .exclude(database__deleted_at__isnull=False)
        .select_related("uploaded_by", "database")
        .order_by("-uploaded_at")
        .first()
    )


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
class LastTime:
    """When and by whom such columns were confirmed before, in the way they are proposed now."""

    at: dt.datetime
    by: str


@dataclass(frozen=True, slots=True)
class CheckView:
    """The numbers, warnings and first rows of a check page; without a tally they are to come."""

    lines: list[PreviewLine]
    tally: Tally | None
    twin: Import | None
    warnings: frozenset[str]
    attention: list[ReasonCount]
    duplicate: list[ReasonCount]
    last_time: LastTime | None

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
        duplicate=counts_by_reason(tally.duplicate) if tally else [],
        last_time=_last_time(reading.get("as_last_time")),
    )


def _last_time(known: dict[str, Any] | None) -> LastTime | None:
    return LastTime(dt.datetime.fromisoformat(known["at"]), known["by"]) if known else None


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
