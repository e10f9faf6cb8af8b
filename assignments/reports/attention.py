"""What needs attention in a database, as its list shows it."""

from __future__ import annotations

from dataclasses import dataclass

from databases.importing.limits import CELL_CHARACTERS
from databases.models import Database, Record, Role
from databases.models.shelf import Attention
from databases.reports import ReasonCount, attention_now

_SHOWN = 80  # characters of a cell in a table


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as far as a table shows it; `length` is given for one that is too long."""

    text: str
    is_wrong: bool = False
    length: int = 0


@dataclass(frozen=True, slots=True)
class AttentionRow:
    """A record with its cells; `reason` is empty once it is ready."""

    record: Record
    cells: list[Cell]

    @property
    def reason(self) -> str:
        return str(Attention(self.record.attention).label) if self.record.attention else ""


def attention_row(record: Record) -> AttentionRow:
    """Give `record` (with its database) as a row of the list."""
    wrong = wrong_positions(record) if record.attention else []
    cells = [
        Cell(
            text[:_SHOWN] + ("…" if len(text) > _SHOWN else ""),
            position in wrong,
            len(text) if len(text) >= CELL_CHARACTERS else 0,
        )
        for position, text in enumerate(record.cells)
    ]
    cells += [Cell("", i in wrong) for i in range(len(cells), len(record.database.columns))]
    return AttentionRow(record, cells[: len(record.database.columns)])


def wrong_positions(record: Record) -> list[int]:
    """Give where the cells stand for which the row needs attention."""
    roles, cells = record.database.roles, record.cells
    phone = [roles.index(Role.PHONE)] if Role.PHONE in roles else []
    if record.attention != Attention.CELL_TOO_LONG:
        return phone or [0]
    cut = [position for position, cell in enumerate(cells) if len(cell) >= CELL_CHARACTERS]
    return sorted({*cut, *phone}) or [0]


@dataclass(frozen=True, slots=True)
class AttentionCounts:
    """How many rows need attention now, and for which reasons."""

    database: Database
    total: int
    reasons: list[ReasonCount]


def attention_counts(database: Database) -> AttentionCounts:
    """Count what needs attention in `database` (with its totals)."""
    total = database.stat.attention
    return AttentionCounts(
        database, total, attention_now(database.pk, total=total) if total else []
    )
