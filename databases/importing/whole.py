"""All rows of a file, judged one after the other and sent on their way into the database."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from itertools import dropwhile, islice
from typing import Any, Protocol

from databases.importing import frames, limits
from databases.importing.outcomes import Judge, Judged, record_line, skipped_line
from databases.importing.problems import FileProblem
from databases.importing.shapes import ATTENTION, BLANK, READY

_SIZE_OF_PIECE = 512 * 1024
_PROGRESS_EVERY = 0.2
# Rows that are tried as one, and how many while there are unusual ones among them: each of those
# has its neighbours done again, and rows may be large.
_MANY, _FEW = 50, 8
# A gap in a sheet may be a million rows long; its rows count, but nobody needs a list of them.
_BLANKS_LISTED = 10_000
_NOTHING = Judged(BLANK, BLANK, (), "{}")


class Source(Protocol):
    """A file that gives its rows."""

    kind: str
    encoding: str
    delimiter: str
    mixed: bool
    sheets: tuple[str, ...]

    @property
    def rows_estimate(self) -> int | None: ...

    def fraction(self) -> float: ...

    def hidden(self, sheet: str, /) -> bool: ...

    def rows(self, sheet: str, /) -> Iterator[tuple[int, list[str]]]: ...


class Output:
    """Frames on their way to the parent."""

    def __init__(self, descriptor: int) -> None:
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._pending: dict[bytes, list[str]] = {frames.RECORDS: [], frames.SKIPPED: []}
        self._length = {frames.RECORDS: 0, frames.SKIPPED: 0}

    def send(self, tag: bytes, payload: bytes) -> None:
        content = frames.HEADER.pack(tag, len(payload)) + payload
        view = memoryview(content)
        while view:
            view = view[self._file.write(view) or 0 :]

    def send_json(self, tag: bytes, content: dict[str, Any]) -> None:
        self.send(tag, json.dumps(content, ensure_ascii=True).encode())

    def add(self, tag: bytes, line: str) -> None:
        self._pending[tag].append(line)
        self._length[tag] += len(line)
        if self._length[tag] > _SIZE_OF_PIECE:
            self.flush(tag)

    def flush(self, tag: bytes) -> None:
        content = "".join(self._pending[tag]).encode()
        self._pending[tag].clear()
        self._length[tag] = 0
        for start in range(0, len(content), frames.LARGEST):
            self.send(tag, content[start : start + frames.LARGEST])


class Whole:
    """Takes a file from below its header to its end; with `load`, its rows are sent, too."""

    def __init__(
        self,
        source: Source,
        header_row: int,
        judge: Judge,
        output: Output,
        load: dict[str, int] | None,
    ) -> None:
        self._source, self._judge, self._output = source, judge, output
        self._header_row = self._last = header_row
        self._load = load is not None
        self._database = str(load["database_id"]) if load else ""
        self._origin = str(load["import_id"]) if load else ""
        # Empty rows at the end of a sheet are formatting; those of a text file are lines.
        self._physical = source.kind == "csv"
        self._listed = 0

    def run(self, sheet: str) -> None:
        """Judge every row of a sheet, saying how far it is, and how it all adds up at the end."""
        source, output = self._source, self._output
        done, next_progress, together = 0, time.monotonic(), _FEW
        below = dropwhile(lambda row: row[0] <= self._header_row, source.rows(sheet))
        while rows := list(islice(below, together)):
            done += len(rows)
            if time.monotonic() >= next_progress:
                next_progress = time.monotonic() + _PROGRESS_EVERY
                output.send_json(frames.PROGRESS, {"rows": done, "fraction": source.fraction()})
            if self._take_together(rows):
                together = _MANY
                continue
            together = _FEW
            for number, cells in rows:
                self._take(number, cells)
        self._finish()

    def _take_together(self, rows: list[tuple[int, list[str]]]) -> bool:
        """Take rows that are all plain at once; False without having done anything otherwise."""
        first, last = rows[0][0], rows[-1][0]
        in_a_row = self._physical or last - self._last == len(rows)
        if not self._load or not in_a_row or last > limits.ROWS:
            return False
        lines = self._judge.plain_lines(
            self._database, range(first, last + 1), [cells for _, cells in rows]
        )
        if lines is None:
            return False
        self._output.add(frames.RECORDS, lines)
        self._last = last
        return True

    def _take(self, number: int, cells: list[str]) -> None:
        if number > limits.ROWS:
            raise FileProblem("too_many_rows", limit=limits.ROWS)
        judge, output, last = self._judge, self._output, self._last
        if self._load and (self._physical or number == last + 1):
            line = judge.plain_line(self._database, number, cells)
            if line is not None:
                output.add(frames.RECORDS, line)
                self._last = number
                return
        row, empty = judge.judge(number, cells), range(0)
        if row.outcome == BLANK:
            if not self._physical:
                judge.blank -= 1
                return
            empty = range(number, number + 1)
        elif not self._physical and number - last > 1:
            judge.blank += number - last - 1
            empty = range(last + 1, min(number, last + 1 + _BLANKS_LISTED))
        self._last = number
        if self._load:
            for blank in empty:
                if self._listed < _BLANKS_LISTED:
                    self._listed += 1
                    output.add(frames.SKIPPED, skipped_line(self._origin, blank, _NOTHING))
            if row.outcome in (READY, ATTENTION):
                output.add(frames.RECORDS, record_line(self._database, number, row))
            elif row.outcome != BLANK:
                output.add(frames.SKIPPED, skipped_line(self._origin, number, row))

    def _finish(self) -> None:
        tally, output = self._judge.tally(), self._output
        if tally.total == tally.blank:
            raise FileProblem("header_only" if self._header_row else "empty")
        for tag in (frames.RECORDS, frames.SKIPPED):
            output.flush(tag)
        output.send_json(frames.PROGRESS, {"rows": tally.total, "fraction": 1.0})
        output.send_json(
            frames.TALLY,
            {
                "total": tally.total,
                "ready": tally.ready,
                "attention": tally.attention,
                "duplicate": tally.duplicate,
                "blank": tally.blank,
                "lost_digits": tally.lost_digits,
                "wide_rows": tally.wide_rows,
            },
        )
