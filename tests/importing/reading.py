"""Helpers: a file through the same two calls that an upload makes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from databases.importing.process import (
    Choices,
    FileProblem,
    Inspection,
    Records,
    Skipped,
    Tally,
    load,
    read,
)


@dataclass
class Loaded:
    inspection: Inspection
    tally: Tally
    records: list[dict[str, object]]
    skipped: list[dict[str, object]]


def inspect(path: Path, name: str = "", choices: Choices | None = None) -> tuple[Inspection, Tally]:
    found = list(read(path, original_name=name or path.name, choices=choices or Choices()))
    assert isinstance(found[0], Inspection)
    assert isinstance(found[-1], Tally)
    return found[0], found[-1]


def confirmed(inspection: Inspection) -> Choices:
    """What the check screen sends back when nothing was changed."""
    return Choices(
        encoding=inspection.encoding or None,
        delimiter=inspection.delimiter or None,
        sheet=inspection.sheet or None,
        header_row=inspection.header_row,
        roles=tuple(column.role for column in inspection.columns),
    )


def bring_in(path: Path, name: str = "", choices: Choices | None = None) -> Loaded:
    inspection, before = inspect(path, name, choices)
    records, skipped, tally = b"", b"", None
    with load(
        path,
        original_name=name or path.name,
        choices=confirmed(inspection),
        database_id=7,
        import_id=3,
    ) as frames:
        for frame in frames:
            if isinstance(frame, Records):
                records += frame.payload
            elif isinstance(frame, Skipped):
                skipped += frame.payload
            elif isinstance(frame, Tally):
                tally = frame
    assert tally == before
    return Loaded(
        inspection,
        tally,
        [_record(line) for line in _lines(records)],
        [_skipped(line) for line in _lines(skipped)],
    )


def code_of(path: Path, name: str = "", choices: Choices | None = None) -> str:
    """Say what is wrong with a file, nothing if it can be imported."""
    try:
        bring_in(path, name, choices)
    except FileProblem as problem:
        return problem.code
    return ""


def problem_of(path: Path, name: str = "", choices: Choices | None = None) -> FileProblem:
    try:
        found = inspect(path, name, choices)
    except FileProblem as problem:
        return problem
    raise AssertionError(f"no problem found: {found}")


def _lines(payload: bytes) -> list[list[str]]:
    return [line.split("\t") for line in payload.decode().split("\n")[:-1]]


def _record(fields: list[str]) -> dict[str, object]:
    names = ("database", "row", "cells", "username", "name", "phone", "ukey", "nkey", "attention")
    found: dict[str, object] = {
        name: None if value == "\\N" else unescaped(value)
        for name, value in zip(names, fields, strict=True)
    }
    return found | {"row": int(fields[1]), "cells": array(unescaped(fields[2]))}


def _skipped(fields: list[str]) -> dict[str, object]:
    return {
        "source": fields[0],
        "row": int(fields[1]),
        "reason": fields[2],
        "same_as": None if fields[3] == "\\N" else int(fields[3]),
        "cells": array(unescaped(fields[4])),
    }


def unescaped(field: str) -> str:
    """Undo COPY's escapes."""
    out, at = [], 0
    while at < len(field):
        if field[at] == "\\":
            at += 1
            out.append({"n": "\n", "t": "\t", "r": "\r"}.get(field[at], field[at]))
        else:
            out.append(field[at])
        at += 1
    return "".join(out)


def array(text: str) -> list[str]:
    """Read an array as PostgreSQL prints one in which everything is quoted."""
    cells, at = [], 1
    while at < len(text) - 1:
        assert text[at] == '"'
        at += 1
        cell = []
        while text[at] != '"':
            at += text[at] == "\\"
            cell.append(text[at])
            at += 1
        cells.append("".join(cell))
        at += 2
    return cells
