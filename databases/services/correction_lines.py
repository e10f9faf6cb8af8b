"""What becomes of each line of a file of corrected rows, in the temporary table `correction`.

A line names a row of the database by number. Its cells are judged by the import's own rules; what
the database does not let become ready (`classify`) is asked of it once for the check page and once
more under the product's lock.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from crm.kernel.csv_out import plain_cell
from databases.importing.copy_format import copy_array, copy_text
from databases.importing.outcomes import TOO_LONG, Judge
from databases.importing.process import Stopped
from databases.importing.shapes import ATTENTION, BLANK, DUPLICATE, READY
from databases.models import Database, Import
from databases.models.shelf import Attention
from databases.services.judging import identity_of
from databases.services.pulse import Pulse

BEFORE = 2  # the columns before those of the database: row number and reason
LISTED = 20
_AT_ONCE = 1_000

# What becomes of a line besides the four outcomes of an import.
UNTOUCHED = "untouched"  # the row it names needs no attention (any more)
UNKNOWN = "unknown"  # it names no row
REPEATED = "repeated"  # an earlier line names the same row
OUTCOMES = (READY, ATTENTION, DUPLICATE, BLANK, UNTOUCHED, UNKNOWN, REPEATED)

_COLUMNS = (
    "line, row_number, record_id, skipped_id, outcome, reason, same_as, "
    "cells, username, name, phone, username_key, name_key"
)


# A line with the row that it names, as that row is stored; those that are ready are not looked at.
_LINES = r"""
SELECT l.row_number, l.cells, l.attention, w.row_number, r.id, r.attention, s.id, s.reason,
       s.same_as, coalesce(CASE WHEN r.attention IS NOT NULL THEN r.cells END, s.cells)
FROM corrected_line l
CROSS JOIN LATERAL (
    SELECT substring(l.cells[1] FROM '^\s*([0-9]{1,7})\s*$')::int AS row_number
) w
LEFT JOIN databases_record r ON r.database_id = %s AND r.row_number = w.row_number
LEFT JOIN databases_skippedrow s ON s.source_id = %s AND s.row_number = w.row_number
ORDER BY l.row_number
"""


def judge_lines(original: Import, database: Database, pulse: Pulse) -> None:
    """Fill `correction` from the lines, each judged by the import's own rules."""
    judging = _Judging(database)
    # Beside the reading cursor: what was judged is written while the rest is still read.
    with transaction.atomic(), connection.chunked_cursor() as lines:
        lines.execute(_LINES, [database.pk, original.pk])
        while some := lines.fetchmany(_AT_ONCE):
            if pulse.should_stop():
                raise Stopped
            with (
                connection.cursor() as cursor,
                cursor.copy(f"COPY correction ({_COLUMNS}) FROM STDIN") as copy,
            ):
                copy.write("".join(_copy_line(judging.judge(_Line(*line))) for line in some))


def _copy_line(values: Sequence[Any]) -> str:
    fields = (
        "\\N"
        if value is None
        else copy_array(value)
        if isinstance(value, list)
        else copy_text(str(value))
        for value in values
    )
    return "\t".join(fields) + "\n"


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    cells: list[str]
    seen: str | None  # what the reader found wrong with it
    row_number: int | None
    record_id: int | None
    attention: str | None
    skipped_id: int | None
    skipped: str | None
    same_as: int | None
    stored: list[str] | None


class _Judging:
    """Gives the verdict on one line after another."""

    def __init__(self, database: Database) -> None:
        self._width = len(database.columns)
        self._judge = Judge(database.roles)
        self._named: set[int] = set()

    def judge(self, line: _Line) -> tuple[Any, ...]:
        if line.row_number is None or (line.record_id is None and line.skipped_id is None):
            return self._verdict(line, UNKNOWN)
        if line.row_number in self._named:
            return self._verdict(line, REPEATED)
        self._named.add(line.row_number)
        if line.record_id is not None and line.attention is None:
            return self._verdict(line, UNTOUCHED)
        stored = line.stored or []
        cells = list(self._as_typed(line.cells[BEFORE:], stored))
        if _filled(cells) == _filled(stored):
            return self._unchanged(line)
        if not _filled(cells):
            return self._verdict(line, BLANK)
        # The reader saw the file: what it says of cut cells and lost digits cannot be seen here.
        if line.seen in (TOO_LONG, Attention.PHONE_PRECISION_LOST):
            return self._verdict(line, ATTENTION, reason=line.seen)
        row = self._judge.judge(line.row_number, cells)
        verdict = self._verdict(line, row.outcome, reason=row.reason, same_as=row.same_as)
        if row.outcome not in (READY, DUPLICATE):
            return verdict
        identity = (row.username, row.name, row.phone, row.username_key, row.name_key)
        return (*verdict[:7], list(row.cells), *identity)

    def _as_typed(self, cells: Sequence[str], stored: Sequence[str]) -> Iterator[str]:
        last = len(cells)
        while last > self._width and not cells[last - 1]:
            last -= 1
        for position, cell in enumerate(cells[:last]):
            before = stored[position] if position < len(stored) else ""
            yield as_before(before, plain_cell(cell))

    def _unchanged(self, line: _Line) -> tuple[Any, ...]:
        if line.attention is not None:
            return self._verdict(line, ATTENTION, reason=line.attention)
        if line.skipped == BLANK:
            return self._verdict(line, BLANK)
        return self._verdict(line, DUPLICATE, reason=line.skipped or "", same_as=line.same_as)

    def _verdict(
        self, line: _Line, outcome: str, *, reason: str = "", same_as: int | None = None
    ) -> tuple[Any, ...]:
        ids = (line.record_id, line.skipped_id)
        return (line.number, line.row_number, *ids, outcome, reason, same_as, *[None] * 6)


def _filled(cells: Sequence[str]) -> list[str]:
    """Give `cells` without the empty ones at the end, which a file need not have."""
    last = len(cells)
    while last and not cells[last - 1].strip():
        last -= 1
    return list(cells[:last])


_SCIENTIFIC = re.compile(r"([0-9])(?:[.,]([0-9]+))?[eE]\+?([0-9]{2,3})")
_EXACT_DIGITS = 15  # what a spreadsheet keeps of a number


def as_before(before: str, now: str) -> str:
    """Give `before` where `now` is only what a spreadsheet makes of it when it opens a CSV.

    It takes zeros from the front of an account number and shows a long one as 1.23457E+15. Nobody
    typed that, so nothing of it is stored.
    """
    if now == before or not (before.isascii() and before.isdigit()) or before == "0":
        return now
    digits = before.lstrip("0")
    rounded = digits[:_EXACT_DIGITS] + "0" * (len(digits) - _EXACT_DIGITS)
    if now in (digits, rounded):
        return before
    if shown := _SCIENTIFIC.fullmatch(now):
        places = len(shown[2] or "")
        mantissa = f"{shown[1]}.{shown[2]}" if places else shown[1]
        if f"{int(digits or 0):.{places}e}" == f"{mantissa}e+{int(shown[3]):02}":
            return before
    return now


def classify(database: Database) -> None:
    """Take from `correction` what the database does not let become ready, as it is now."""
    phone = database.has_phone
    key = "phone" if phone else "username_key"
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE correction c SET outcome = %s
            WHERE outcome = %s AND NOT EXISTS (
                SELECT FROM databases_record r
                WHERE r.database_id = %s AND r.id = c.record_id AND r.attention IS NOT NULL
            ) AND NOT EXISTS (SELECT FROM databases_skippedrow s WHERE s.id = c.skipped_id)
            """,
            [UNTOUCHED, READY, database.pk],
        )
        cursor.execute(
            f"""
            UPDATE correction c SET outcome = %(duplicate)s, reason = %(reason)s,
                   same_as = r.row_number
            FROM databases_record r
            WHERE c.outcome IN (%(ready)s, %(duplicate)s) AND r.database_id = %(database)s
              AND r.attention IS NULL AND r.{key} = c.{key} AND r.{key} <> ''
            """,  # noqa: S608 -- one of two columns of our own
            {
                "duplicate": DUPLICATE,
                "reason": identity_of(database),
                "ready": READY,
                "database": database.pk,
            },
        )


def outcome() -> dict[str, Any]:
    """Count what `correction` holds, and list the first rows of what does not become ready."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT outcome, count(*) FROM correction GROUP BY outcome")
        counts = dict(cursor.fetchall())
        cursor.execute(
            "SELECT reason, count(*) FROM correction WHERE outcome = %s GROUP BY reason",
            [ATTENTION],
        )
        reasons = dict(cursor.fetchall())
        listed: dict[str, list[Any]] = {}
        for which, columns in (
            (ATTENTION, "row_number, reason, NULL"),
            (DUPLICATE, "row_number, reason, same_as"),
            (UNTOUCHED, "row_number, '', NULL"),
            (REPEATED, "row_number, '', NULL"),
            (UNKNOWN, "line, '', NULL"),
        ):
            cursor.execute(
                f"SELECT {columns} FROM correction WHERE outcome = %s ORDER BY line LIMIT %s",  # noqa: S608 -- our own text
                [which, LISTED],
            )
            listed[which] = [list(row) for row in cursor.fetchall()]
    return {
        "lines": {name: counts.get(name, 0) for name in OUTCOMES},
        "reasons": reasons,
        "listed": listed,
    }
