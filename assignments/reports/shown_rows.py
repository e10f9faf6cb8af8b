"""Rows of one database as its page shows them: where each is, whose, and with which marks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from assignments.models import Assignment
from assignments.reports.marks import LOOKS
from databases.models import Database, Record

# Characters of a long cell, and around what was found in one.
_SHORT, _BESIDE = 80, 30


@dataclass(frozen=True, slots=True)
class Mark:
    label: str
    tone: str
    icon: str
    at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: where the search text stands in it, and the whole when that is long."""

    before: str
    hit: str = ""
    after: str = ""
    whole: str = ""
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row as uploaded, with where it is now."""

    record: Record
    state: str
    cells: list[Cell]
    holder: str = ""
    since: dt.datetime | None = None
    marks: list[Mark] = field(default_factory=list)


def rows_of(database: Database, records: Sequence[Record], *, search: str = "") -> list[Row]:
    """Put beside each record where it is, whose and with which marks."""
    live = {
        assignment.record_id: assignment
        for assignment in Assignment.objects.live()
        .filter(record__in=[record.pk for record in records])
        .select_related("staff")
    }
    shown = set(database.shown_positions())
    return [
        _row(record, live.get(record.pk), _cells(record, database, shown, search))
        for record in records
    ]


def _row(record: Record, held: Assignment | None, cells: list[Cell]) -> Row:
    if held is None:
        return Row(record, "attention" if record.attention else "available", cells)
    is_given = held.state == Assignment.State.ACTIVE
    return Row(
        record,
        "assigned" if is_given else "requested",
        cells,
        holder=held.staff.name,
        since=held.assigned_at if is_given else held.held_at,
        marks=[
            Mark(label, *LOOKS[name, value], at)
            for name, value, label, at in (
                ("reach", held.reach, held.get_reach_display(), held.reach_at),
                ("response", held.response, held.get_response_display(), held.response_at),
            )
            if value
        ],
    )


def _cells(record: Record, database: Database, shown: set[int], search: str) -> list[Cell]:
    texts = [*record.cells, *[""] * (len(database.columns) - len(record.cells))]
    return [_cell(text, search, is_hidden=i not in shown) for i, text in enumerate(texts)]


def _cell(text: str, search: str, *, is_hidden: bool) -> Cell:
    at = text.casefold().find(search.casefold()) if search else -1
    # Folding may lengthen a text: then nothing is marked rather than the wrong letters.
    if at < 0 or len(text.casefold()) != len(text):
        if len(text) <= _SHORT:
            return Cell(text, is_hidden=is_hidden)
        return Cell(text[:_SHORT].rstrip() + "…", whole=text, is_hidden=is_hidden)
    end = at + len(search)
    before, hit, after = text[:at], text[at:end], text[end:]
    if len(text) <= _SHORT:
        return Cell(before, hit, after, is_hidden=is_hidden)
    if len(before) > _BESIDE:
        before = "…" + before[-_BESIDE:]
    if len(after) > _BESIDE:
        after = after[:_BESIDE] + "…"
    return Cell(before, hit, after, whole=text, is_hidden=is_hidden)
