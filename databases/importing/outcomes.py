"""What becomes of a row: ready, needs attention, a duplicate of an earlier one, or blank.

A row that needs attention is never a duplicate and makes none: nobody knows yet who it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from crm.kernel.contact import PLAIN_MOBILE, PRECISION_LOST, read_phone
from crm.kernel.text import clean_text, customer_key
from databases.importing import limits
from databases.importing.cell_text import RoundNumber
from databases.importing.copy_format import (
    copy_array,
    copy_plain_array,
    copy_text,
    is_plain,
    storable,
)
from databases.importing.detect import NAME, PHONE, USERNAME
from databases.importing.problems import FileProblem
from databases.importing.shapes import ATTENTION, BLANK, DUPLICATE, READY, Tally

TOO_LONG = "cell_too_long"
# A phone on each line, read as PLAIN_MOBILE reads one.
_PLAIN_MOBILES = re.compile(f"^(?:{PLAIN_MOBILE.pattern})$", re.MULTILINE)


@dataclass(slots=True)
class Judged:
    """A row and what became of it; `array` is its cells as a field of a COPY line."""

    outcome: str
    reason: str
    cells: Sequence[str]
    array: str
    phone: str = ""
    username: str = ""
    name: str = ""
    username_key: str = ""
    name_key: str = ""
    same_as: int | None = None


@dataclass(slots=True)
class Judge:
    """Judges the rows below the header in their order, and counts."""

    roles: Sequence[str]
    ready: int = 0
    blank: int = 0
    wide: int = 0
    attention: dict[str, int] = field(default_factory=dict)
    duplicate: dict[str, int] = field(default_factory=dict)
    _width: int = 0
    _characters: int = 0
    _phone: int = -1
    _name: int = -1
    _username: int = -1
    _seen: dict[int | str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._width = len(self.roles)
        self._phone = self._position(PHONE)
        self._name = self._position(NAME)
        self._username = self._position(USERNAME)

    def _position(self, role: str) -> int:
        return self.roles.index(role) if role in self.roles else -1

    def judge(self, number: int, cells: list[str]) -> Judged:
        """Judge one row; `cells` is changed to the width of the table."""
        if len(cells) != self._width:
            cells = self._fit(cells)
        text = "".join(cells)
        if not text or text.isspace():
            self.blank += 1
            return Judged(BLANK, BLANK, (), "{}")
        self._count_characters(len(text))
        too_long = len(text) > limits.CELL_CHARACTERS and self._cut(cells)
        raw_phone = cells[self._phone] if self._phone >= 0 else ""
        if is_plain(text):
            array = copy_plain_array(cells)
        else:
            cells = [storable(cell) for cell in cells]
            array = copy_array(cells)
        row = Judged(READY, "", cells, array)
        if self._username >= 0:
            row.username = clean_text(cells[self._username])
            row.username_key = customer_key(row.username)[: limits.KEY_CHARACTERS]
        if self._name >= 0:
            row.name = clean_text(cells[self._name])
            row.name_key = customer_key(row.name)[: limits.KEY_CHARACTERS]
        reason = self._read_phone(row, raw_phone) if self._phone >= 0 else ""
        if too_long:
            reason = TOO_LONG
        if reason:
            row.outcome, row.reason = ATTENTION, reason
            self.attention[reason] = self.attention.get(reason, 0) + 1
            return row
        identity: int | str
        if self._phone >= 0:
            identity, repeated = int(row.phone), "duplicate_phone"
        elif row.username_key:
            identity, repeated = row.username_key, "duplicate_username"
        else:
            self.ready += 1
            return row
        first = self._seen.setdefault(identity, number)
        if first != number:
            row.outcome, row.reason, row.same_as = DUPLICATE, repeated, first
            self.duplicate[repeated] = self.duplicate.get(repeated, 0) + 1
            return row
        self.ready += 1
        return row

    def plain_line(self, owner: str, number: int, cells: list[str]) -> str | None:
        """Give the COPY line of a row that is ready and plain, as nearly all of a list are.

        It is what `judge` and `record_line` give, in half the time; None leaves the row to them.
        """
        if len(cells) != self._width or self._phone < 0:
            return None
        text, raw = "".join(cells), cells[self._phone]
        if not (text.isascii() and is_plain(text)) or len(text) > limits.CELL_CHARACTERS:
            return None
        mobile = PLAIN_MOBILE.fullmatch(raw)
        if mobile is None or type(raw) is not str:
            return None
        phone = "62" + mobile[1]
        if self._seen.setdefault(int(phone), number) != number:
            return None
        self._count_characters(len(text))
        self.ready += 1
        username = name = username_key = name_key = ""
        if self._username >= 0:
            username = " ".join(cells[self._username].split())
            username_key = username.lower()[: limits.KEY_CHARACTERS]
        if self._name >= 0:
            name = " ".join(cells[self._name].split())
            name_key = name.lower()[: limits.KEY_CHARACTERS]
        return (
            f"{owner}\t{number}\t{copy_plain_array(cells)}\t{username}\t{name}\t{phone}"
            f"\t{username_key}\t{name_key}\t\\N\n"
        )

    def plain_lines(
        self, owner: str, numbers: Sequence[int], rows: Sequence[list[str]]
    ) -> str | None:
        """Give the COPY lines of rows that follow each other, if all of them are ready and plain.

        They are what `plain_line` gives row by row, in half the time; None, when one row is not
        plain, leaves all of them to it.
        """
        count, width, place = len(rows), self._width, self._phone
        if place < 0 or set(map(len, rows)) != {width}:
            return None
        arrays = list(map('","'.join, rows))
        text = "".join(arrays)
        marks = (width - 1) * count
        if (
            # All cells together: none can be too long then.
            len(text) > limits.CELL_CHARACTERS
            or not (text.isascii() and text.isprintable())
            or "\\" in text
            or text.count('"') != 2 * marks
        ):
            return None
        raw = [row[place] for row in rows]
        mobiles = _PLAIN_MOBILES.findall("\n".join(raw))
        if len(mobiles) != count or set(map(type, raw)) != {str}:
            return None
        phones = ["62" + mobile for mobile in mobiles]
        found: dict[int | str, int] = dict(zip(map(int, phones), numbers, strict=True))
        if len(found) != count or not self._seen.keys().isdisjoint(found):
            return None
        self._seen.update(found)
        self._count_characters(len(text) - 3 * marks)
        self.ready += count
        usernames, username_keys = _plain_texts(rows, self._username)
        names, name_keys = _plain_texts(rows, self._name)
        return "".join(
            [
                f'{owner}\t{number}\t{{"{array}"}}\t{username}\t{name}\t{phone}'
                f"\t{username_key}\t{name_key}\t\\N\n"
                for number, array, username, name, phone, username_key, name_key in zip(
                    numbers, arrays, usernames, names, phones, username_keys, name_keys, strict=True
                )
            ]
        )

    def _count_characters(self, count: int) -> None:
        self._characters += count
        if self._characters > limits.TEXT_CHARACTERS:
            raise FileProblem("inflates")

    def tally(self) -> Tally:
        return Tally(
            total=self.ready
            + self.blank
            + sum(self.attention.values())
            + sum(self.duplicate.values()),
            ready=self.ready,
            attention=dict(self.attention),
            duplicate=dict(self.duplicate),
            blank=self.blank,
            lost_digits=self.attention.get(PRECISION_LOST, 0),
            wide_rows=self.wide,
        )

    def _read_phone(self, row: Judged, raw: str) -> str:
        row.phone, reason = read_phone(raw)
        if row.phone and type(raw) is RoundNumber:
            # 8.25E+11 opened and saved again is a number cell with nine zeros.
            row.phone, reason = "", PRECISION_LOST
        return reason

    def _fit(self, cells: list[str]) -> list[str]:
        if len(cells) < self._width:
            return cells + [""] * (self._width - len(cells))
        last = len(cells)
        while last > self._width and not cells[last - 1].strip():
            last -= 1
        if last > self._width:
            if last > limits.COLUMNS:
                raise FileProblem("too_many_columns", limit=limits.COLUMNS)
            # Nothing of a row is thrown away because its header is too short.
            self.wide += 1
        return cells[:last]

    def _cut(self, cells: list[str]) -> bool:
        too_long = False
        for position, cell in enumerate(cells):
            if len(cell) > limits.CELL_CHARACTERS:
                cells[position] = cell[: limits.CELL_CHARACTERS]
                too_long = True
        return too_long


def _plain_texts(rows: Sequence[list[str]], place: int) -> tuple[Sequence[str], Sequence[str]]:
    """Give a column of plain cells, spaces trimmed and collapsed, and its keys."""
    if place < 0:
        return [""] * len(rows), [""] * len(rows)
    column = [row[place] for row in rows]
    lines = "\n".join(["", *column, ""])
    if "  " in lines or " \n" in lines or "\n " in lines:
        column = [" ".join(cell.split()) for cell in column]
        lines = "\n".join(["", *column, ""])
    keys = lines.lower().split("\n")[1:-1]
    return column, [key[: limits.KEY_CHARACTERS] for key in keys]


def record_line(database: str, number: int, row: Judged) -> str:
    """Give a row as a COPY line for the table of records."""
    username, name = copy_text(row.username), copy_text(row.name)
    username_key, name_key = copy_text(row.username_key), copy_text(row.name_key)
    return (
        f"{database}\t{number}\t{row.array}\t{username}\t{name}\t{row.phone}"
        f"\t{username_key}\t{name_key}\t{row.reason or chr(92) + 'N'}\n"
    )


def skipped_line(source: str, number: int, row: Judged) -> str:
    """Give a row as a COPY line for the table of skipped rows."""
    same_as = "\\N" if row.same_as is None else row.same_as
    return f"{source}\t{number}\t{row.reason}\t{same_as}\t{row.array}\n"
