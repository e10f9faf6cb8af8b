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
from itertools import islice
from pathlib import Path
from typing import Any

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
from databases.importing.outcomes import Judge, Judged
from databases.importing.problems import FileProblem
from databases.importing.shapes import Column
from databases.importing.sniff import sniff
from databases.importing.whole import Output, Source, Whole

_PARENT_DIED = 1  # PR_SET_PDEATHSIG


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
        Whole(source, layout.header_row, Judge(roles), output, request["load"]).run(sheet)


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


if __name__ == "__main__":
    main()
