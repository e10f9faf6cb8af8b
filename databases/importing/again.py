"""Stored rows judged anew: what other roles of the columns make of them.

The verdict is the import's own (`Judge`). Only what a file tells and a stored row no longer does is
carried over: that a cell was too long, and, while the phone column stays the same, what was made of
its cell (somebody may have repaired it since).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from databases.importing.cell_text import number_text
from databases.importing.detect import NAME, PHONE, USERNAME
from databases.importing.outcomes import TOO_LONG, Judge
from databases.importing.shapes import ATTENTION

IDENTITY = (USERNAME, NAME, PHONE)
_KEEP = ""


class Identity(NamedTuple):
    """Who a row is, as a record keeps it; `attention` says why it is not ready, or is None."""

    username: str
    name: str
    phone: str
    username_key: str
    name_key: str
    attention: str | None


class StoredRow(NamedTuple):
    """A row as it is stored: who it was, and its cells at `Again.positions`."""

    number: int
    was: Identity
    cells: Sequence[str | None]


class Again:
    """Judges stored rows whose columns had the roles `before` under the roles `after`.

    `from_sheet`: the rows came from a workbook, where a number cell that ends in many zeros may
    have lost its digits. A stored row no longer tells a number cell from text, so every cell that
    looks like one counts as one: a number is rather repaired by hand than invented.
    """

    def __init__(self, *, before: Sequence[str], after: Sequence[str], from_sheet: bool) -> None:
        present = [role for role in IDENTITY if role in after]
        self.positions = [list(after).index(role) for role in present]
        self._roles = [*present, _KEEP]
        self._phone = present.index(PHONE) if PHONE in present else None
        self._same_phone = _place(before, PHONE) == _place(after, PHONE)
        self._from_sheet = from_sheet

    def judge(self, rows: Iterable[StoredRow]) -> Iterator[Identity]:
        """Give who each row is now. Duplicates are not looked for: nothing is skipped later."""
        judge = Judge(self._roles)
        for row in rows:
            # The last cell stands for all others: a stored row is never blank.
            cells = [*(cell or "" for cell in row.cells), "-"]
            if self._from_sheet and self._phone is not None:
                cells[self._phone] = _as_number(cells[self._phone])
            found = judge.judge(row.number, cells)
            phone = found.phone
            attention = found.reason if found.outcome == ATTENTION else None
            if self._same_phone:
                phone, attention = row.was.phone, row.was.attention
            elif row.was.attention == TOO_LONG:
                attention = TOO_LONG
            yield Identity(
                found.username, found.name, phone, found.username_key, found.name_key, attention
            )


def moves_identity(before: Sequence[str], after: Sequence[str]) -> bool:
    """Say whether another column becomes the username, the name or the phone."""
    return any(_place(before, role) != _place(after, role) for role in IDENTITY)


def _place(roles: Sequence[str], role: str) -> int | None:
    return list(roles).index(role) if role in roles else None


def _as_number(cell: str) -> str:
    if cell.isascii() and cell.isdigit() and not cell.startswith("0"):
        return number_text(cell)
    return cell
