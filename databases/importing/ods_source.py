"""Workbooks of LibreOffice, streamed. "This row a million times" is their way to say "empty"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import repeat

from databases.importing import limits
from databases.importing.archive import Archive
from databases.importing.cell_text import duration_text, iso_text, number_text
from databases.importing.markup import Attributes, Handler, feed, parser_for
from databases.importing.problems import FileProblem

_CONTENT = "content.xml"
_DURATION = re.compile(r"PT(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})(?:[.,]\d+)?S)?")


class OdsSource:
    """The sheets of an OpenDocument file, all in one stream of XML."""

    kind = "ods"
    encoding = ""
    delimiter = ""
    mixed = False
    rows_estimate: int | None = None

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        archive.check_all()
        self._seen = 0
        names = _Names()
        for _ in feed(parser_for(names), archive.pieces(_CONTENT)):
            pass
        self.sheets = tuple(names.found)[: limits.SHEETS]
        if not self.sheets:
            raise FileProblem("no_sheet")

    def hidden(self, _sheet: str) -> bool:
        return False

    def fraction(self) -> float:
        size = self.archive.entries[_CONTENT].file_size
        return min(1.0, self._seen / size) if size else 0.0

    def rows(self, sheet: str) -> Iterator[tuple[int, list[str]]]:
        """Give (row number, cells) of each row that holds something."""
        self._seen = 0
        handler = _Sheet(sheet)
        for _ in feed(parser_for(handler), self._counted()):
            done, handler.done = handler.done, []
            for first, times, cells in done:
                for number in range(first, first + times):
                    yield number, list(cells)
            if handler.finished:
                return

    def _counted(self) -> Iterator[bytes]:
        for piece in self.archive.pieces(_CONTENT):
            self._seen += len(piece)
            yield piece


class _Names(Handler):
    def __init__(self) -> None:
        self.found: dict[str, None] = {}

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "table:table":
            self.found[attributes.get("table:name", "")] = None


class _Sheet(Handler):
    def __init__(self, sheet: str) -> None:
        self.done: list[tuple[int, int, list[str]]] = []
        self.finished = False
        self._sheet = sheet
        self._inside = False
        self._row = 0
        self._row_times = self._cell_times = 1
        self._column = 0
        self._cells: list[str] = []
        self._cell: Attributes | None = None
        self._paragraphs: list[list[str]] = []
        self._reading = 0
        self._note = 0

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "table:table":
            self._inside = not self.finished and attributes.get("table:name", "") == self._sheet
        elif not self._inside:
            return
        elif name == "table:table-row":
            self._row_times = _times(attributes.get("table:number-rows-repeated"))
            self._cells, self._column = [], 0
        elif name in ("table:table-cell", "table:covered-table-cell"):
            self._cell, self._paragraphs = attributes, []
            self._cell_times = _times(attributes.get("table:number-columns-repeated"))
        elif name == "office:annotation":
            self._note += 1
        elif self._note or self._cell is None:
            return
        elif name == "text:p":
            self._paragraphs.append([])
            self._reading += 1
        elif self._paragraphs and name == "text:s":
            times = min(_times(attributes.get("text:c")), limits.CELL_CHARACTERS)
            self._paragraphs[-1].append(" " * times)
        elif self._paragraphs and name in ("text:tab", "text:line-break"):
            self._paragraphs[-1].append("\t" if name == "text:tab" else "\n")

    def text(self, text: str) -> None:
        if self._reading and not self._note:
            self._paragraphs[-1].append(text)

    def end(self, name: str) -> None:
        if not self._inside:
            return
        if name == "text:p":
            if not self._note and self._reading:
                self._reading -= 1
        elif name == "office:annotation":
            self._note -= 1
        elif name in ("table:table-cell", "table:covered-table-cell"):
            self._end_cell()
        elif name == "table:table-row":
            self._end_row()
        elif name == "table:table":
            self._inside, self.finished = False, True

    def _end_cell(self) -> None:
        value = self._value()
        if value.strip():
            if self._column + self._cell_times > limits.COLUMNS:
                if self._cell_times > 1 or len(self._cells) >= limits.COLUMNS:
                    raise FileProblem("too_many_columns", limit=limits.COLUMNS)
                raise FileProblem("far_cell", address=f"{self._row + 1}:{self._column + 1}")
            self._cells.extend(repeat("", self._column - len(self._cells)))
            self._cells.extend(repeat(value, self._cell_times))
        self._column += self._cell_times
        self._cell = None

    def _end_row(self) -> None:
        first, self._row = self._row + 1, self._row + self._row_times
        if not self._cells:
            return
        if self._row > limits.ROWS:
            raise FileProblem("too_many_rows", limit=limits.ROWS)
        self.done.append((first, self._row_times, self._cells))

    def _value(self) -> str:
        cell = self._cell or {}
        shown = "\n".join("".join(parts) for parts in self._paragraphs)
        if cell.get("calcext:value-type") == "error":
            return ""
        match cell.get("office:value-type"):
            case "float" | "percentage" | "currency":
                return number_text(cell.get("office:value", ""))
            case "date":
                return iso_text(cell.get("office:date-value", ""))
            case "time":
                return _time(cell.get("office:time-value", ""))
            case "boolean":
                return "TRUE" if cell.get("office:boolean-value") == "true" else "FALSE"
        return cell.get("office:string-value", shown) if cell else shown


def _times(text: str | None) -> int:
    if text is None or not (text.isascii() and text.isdigit()):
        return 1
    return min(max(1, int(text[:9])), 2**31)


def _time(raw: str) -> str:
    match = _DURATION.fullmatch(raw)
    if match is None:
        return raw
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return duration_text(hours * 3600 + minutes * 60 + seconds)
