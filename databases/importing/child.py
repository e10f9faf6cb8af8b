"""The process that opens an uploaded file: `python -m databases.importing.child`.

It reads one request from its standard input, limits itself, and answers with frames. It has no
database, no settings and no secrets, writes no file, and ends with its parent.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from databases.importing import frames, limits
from databases.importing.copy_format import storable
from databases.importing.csv_source import CsvSource
from databases.importing.detect import (
    PHONE,
    ROLES,
    Layout,
    find_layout,
    promise,
)
from databases.importing.outcomes import Judge, Judged, record_line, skipped_line
from databases.importing.problems import FileProblem
from databases.importing.shapes import ATTENTION, BLANK, READY, Column
from databases.importing.sniff import sniff

_SIZE_OF_PIECE = 512 * 1024
_PROGRESS_EVERY = 0.2
_ROWS_BETWEEN_LOOKS = 2_000
# A gap in a sheet may be a million rows long; its rows count, but nobody needs a list of them.
_BLANKS_LISTED = 10_000
_PARENT_DIED = 1  # PR_SET_PDEATHSIG


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


def main() -> None:
    # Ctrl-C in the terminal is meant for the parent, which decides what becomes of the reading.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    output = Output(os.dup(1))
    # Whatever a library prints must not be taken for a frame.
    os.dup2(2, 1)
    request = json.loads(sys.stdin.readline())
    end_with(request["parent"])
    path = Path(request["path"])
    try:
        restrict(path.stat().st_size, str(request["name"]))
        answer(path, request, output)
    except FileProblem as problem:
        fail(output, problem)
    except (MemoryError, RecursionError):
        fail(output, FileProblem("too_complex"))
    except BrokenPipeError:
        os._exit(1)
    except OSError:
        raise
    except BaseException as error:  # noqa: BLE001 -- a panic in a library arrives as one
        sys.stderr.write(f"{type(error).__name__}: {error}"[:2000])
        fail(output, FileProblem("damaged"))


def fail(output: Output, problem: FileProblem) -> None:
    output.send_json(frames.PROBLEM, {"code": problem.code, "detail": problem.detail})


def end_with(parent: int) -> None:
    """Let the kernel kill this process when its parent dies."""
    ctypes.CDLL(None, use_errno=True).prctl(_PARENT_DIED, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def restrict(size: int, name: str) -> None:
    """Take from this process what no honest file needs."""
    memory = limits.memory(name)
    seconds = limits.cpu_seconds(size)
    for what, soft, hard in (
        (resource.RLIMIT_AS, memory, memory),
        (resource.RLIMIT_CPU, seconds, seconds + 5),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_NOFILE, 32, 32),
    ):
        resource.setrlimit(what, (soft, hard))


def open_source(path: Path, name: str, choices: dict[str, Any]) -> Source:
    kind, archive = sniff(path, name)
    if kind == "csv":
        return CsvSource(path, encoding=choices["encoding"], delimiter=choices["delimiter"])
    # Imported when needed: a text file should not wait for them.
    if kind == "xlsx" and archive:
        from databases.importing.xlsx_source import XlsxSource

        return XlsxSource(archive)
    if kind == "ods" and archive:
        from databases.importing.ods_source import OdsSource

        return OdsSource(archive)
    from databases.importing.binary_source import BinarySource

    return BinarySource(path, kind, archive)


def answer(path: Path, request: dict[str, Any], output: Output) -> None:
    choices = request["choices"]
    source = open_source(path, request["name"], choices)
    sheet, head, layout = find_sheet(source, choices["sheet"], choices["header_row"])
    layout = with_roles(layout, choices["roles"], strict=request["load"] is not None)
    roles = [column.role for column in layout.columns]
    output.send_json(frames.INSPECTION, inspection(source, sheet, head, layout))
    if request["whole"]:
        run(source, sheet, layout.header_row, Judge(roles), output, request["load"])


def find_sheet(
    source: Source, chosen: str | None, header_row: int | None
) -> tuple[str, list[tuple[int, list[str]]], Layout]:
    """Find the sheet that holds the customers: the chosen one, or the most promising."""
    candidates = [sheet for sheet in source.sheets if chosen in (sheet, shown(sheet))][:1]
    candidates = candidates or list(source.sheets) or [""]
    best: tuple[str, list[tuple[int, list[str]]], Layout] | None = None
    best_promise, problem = -10.0, FileProblem("empty")
    for sheet in candidates:
        try:
            head = list(islice(source.rows(sheet), limits.SAMPLE_ROWS + 50))
            layout = find_layout(head, header_row=header_row)
        except FileProblem as found:
            # An empty sheet says less about the file than what is wrong with another one.
            if problem.code == "empty" or found.code == "dangerous":
                problem = found
            if found.code in ("dangerous", "inflates"):
                raise
            continue
        value = promise(layout, len(head)) - (2.0 if source.hidden(sheet) else 0.0)
        if value > best_promise:
            best, best_promise = (sheet, head, layout), value
    if best is None:
        raise problem
    return best


def with_roles(layout: Layout, roles: list[str] | None, *, strict: bool) -> Layout:
    if roles is None:
        return layout
    if len(roles) != len(layout.columns) or any(role not in ROLES for role in roles):
        if strict:
            raise FileProblem("changed")
        return layout
    columns = (
        Column(column.name, role, 1.0) for column, role in zip(layout.columns, roles, strict=True)
    )
    return Layout(layout.header_row, tuple(columns))


def inspection(
    source: Source, sheet: str, head: list[tuple[int, list[str]]], layout: Layout
) -> dict[str, Any]:
    judge = Judge([column.role for column in layout.columns])
    body = ((number, cells) for number, cells in head if number > layout.header_row)
    warnings = []
    if all(column.role != PHONE for column in layout.columns):
        warnings.append("no_phone_column")
    if layout.header_row == 0:
        warnings.append("no_header_row")
    if source.mixed:
        warnings.append("mixed_encoding")
    return {
        "kind": source.kind,
        "encoding": source.encoding,
        "delimiter": source.delimiter,
        "sheets": [shown(name) for name in source.sheets],
        "sheet": shown(sheet),
        "header_row": layout.header_row,
        "columns": [[c.name, c.role, c.confidence] for c in layout.columns],
        "preview": [
            preview_row(number, judge.judge(number, list(cells)))
            for number, cells in islice(body, limits.PREVIEW_ROWS)
        ],
        "rows_estimate": source.rows_estimate,
        "header_fingerprint": layout.fingerprint,
        "warnings": warnings,
    }


def shown(sheet: str) -> str:
    """Give the name of a sheet as the check page has it."""
    return storable(sheet)[: limits.NAME_CHARACTERS]


def preview_row(number: int, row: Judged) -> list[Any]:
    # All rows together must fit into one frame, however wide they are.
    most = limits.PREVIEW_CHARACTERS_OF_ROW // max(1, len(row.cells))
    most = min(most, limits.PREVIEW_CHARACTERS)
    cells = [cell if len(cell) <= most else f"{cell[:most]}…" for cell in row.cells]
    return [number, cells, row.outcome, row.reason, row.phone, row.same_as]


def run(
    source: Source,
    sheet: str,
    header_row: int,
    judge: Judge,
    output: Output,
    load: dict[str, int] | None,
) -> None:
    """Judge every row of the file; with `load`, send each on its way into the database."""
    database = str(load["database_id"]) if load else ""
    origin = str(load["import_id"]) if load else ""
    last, look_at, next_progress = header_row, _ROWS_BETWEEN_LOOKS, time.monotonic()
    # Empty rows at the end of a sheet are formatting; those of a text file are lines.
    physical = source.kind == "csv"
    waiting: list[int] = []
    blank = Judged(BLANK, BLANK, (), "{}")
    listed = done = 0
    for number, cells in source.rows(sheet):
        if number <= header_row:
            continue
        if number > limits.ROWS:
            raise FileProblem("too_many_rows", limit=limits.ROWS)
        done += 1
        if done >= look_at:
            look_at += _ROWS_BETWEEN_LOOKS
            if time.monotonic() >= next_progress:
                next_progress = time.monotonic() + _PROGRESS_EVERY
                output.send_json(frames.PROGRESS, {"rows": done, "fraction": source.fraction()})
        if load and not waiting and (physical or number == last + 1):
            line = judge.plain_line(database, number, cells)
            if line is not None:
                output.add(frames.RECORDS, line)
                last = number
                continue
        row = judge.judge(number, cells)
        if row.outcome == BLANK:
            if not physical:
                judge.blank -= 1
                continue
            waiting.append(number)
        elif not physical and number - last > 1:
            judge.blank += number - last - 1
            waiting.extend(range(last + 1, min(number, last + 1 + _BLANKS_LISTED)))
        last = number
        if load:
            for empty in waiting:
                if listed < _BLANKS_LISTED:
                    listed += 1
                    output.add(frames.SKIPPED, skipped_line(origin, empty, blank))
            if row.outcome in (READY, ATTENTION):
                output.add(frames.RECORDS, record_line(database, number, row))
            elif row.outcome != BLANK:
                output.add(frames.SKIPPED, skipped_line(origin, number, row))
        waiting.clear()
    tally = judge.tally()
    if tally.total == tally.blank:
        raise FileProblem("header_only" if header_row else "empty")
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


if __name__ == "__main__":
    main()
