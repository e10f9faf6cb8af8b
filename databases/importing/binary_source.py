"""Binary workbooks (.xls, .xlsb), read by calamine.

It builds the whole rectangle of a sheet in memory, and a damaged file may make it abort the
process. The limits of this process are the answer to both; cells of an .xlsb are also located
before, so that a stray one is named instead of only failing.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import python_calamine

from databases.importing import limits
from databases.importing.archive import Archive
from databases.importing.cell_text import python_text
from databases.importing.problems import FileProblem

_RECTANGLE = 24_000_000
_ROW_HEADER, _FIRST_CELL, _LAST_CELL = 0, 2, 11


class BinarySource:
    """The worksheets of a binary workbook."""

    encoding = ""
    delimiter = ""
    mixed = False
    rows_estimate: int | None = None

    def __init__(self, path: Path, kind: str, archive: Archive | None) -> None:
        self.kind = kind
        if archive is not None:
            archive.check_all()
            for name in archive.names():
                if name.lower().startswith("xl/worksheets/") and name.lower().endswith(".bin"):
                    _locate_cells(archive.pieces(name))
        try:
            self._book = python_calamine.CalamineWorkbook.from_path(str(path))
        except python_calamine.PasswordError as error:
            raise FileProblem("encrypted") from error
        except Exception as error:
            code = "encrypted" if "password" in str(error).lower() else "damaged"
            raise FileProblem(code) from error
        sheets = [
            sheet
            for sheet in self._book.sheets_metadata
            if sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
        ]
        self.sheets = tuple(sheet.name for sheet in sheets)[: limits.SHEETS]
        self._hidden = {
            sheet.name
            for sheet in sheets
            if sheet.visible != python_calamine.SheetVisibleEnum.Visible
        }
        self._read: tuple[str, python_calamine.CalamineSheet] | None = None
        self._row = 0
        if not self.sheets:
            raise FileProblem("no_sheet")

    def hidden(self, sheet: str) -> bool:
        return sheet in self._hidden

    def fraction(self) -> float:
        height = self._read[1].total_height if self._read else 0
        return min(1.0, self._row / height) if height else 0.0

    def rows(self, sheet: str) -> Iterator[tuple[int, list[str]]]:
        """Give (row number, cells) of each row."""
        if self._read is None or self._read[0] != sheet:
            self._read = None
            try:
                self._read = (sheet, self._book.get_sheet_by_name(sheet))
            except Exception as error:
                raise FileProblem("damaged") from error
        for number, row in enumerate(self._read[1].iter_rows(), 1):
            self._row = number
            yield number, [python_text(value) for value in row]


def _locate_cells(pieces: Iterator[bytes]) -> None:
    """Refuse a sheet whose cells lie so far apart that the rectangle between them is absurd."""
    last_row = last_column = row = 0
    for identity, data in _records(pieces):
        if identity == _ROW_HEADER and len(data) >= 4:
            row = struct.unpack_from("<I", data)[0]
        elif _FIRST_CELL <= identity <= _LAST_CELL and len(data) >= 4:
            column = struct.unpack_from("<I", data)[0]
            last_row, last_column = max(last_row, row), max(last_column, column)
            if row >= limits.ROWS or (last_row + 1) * (last_column + 1) > _RECTANGLE:
                raise FileProblem("far_cell", address=f"R{row + 1}C{column + 1}")


def _records(pieces: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """Give (id, first bytes) of the records of a part: MS-XLSB 2.1.4."""
    content = b"".join(pieces)
    at, end = 0, len(content)
    while at + 2 <= end:
        identity = content[at]
        at += 1
        if identity & 0x80:
            identity = (identity & 0x7F) | (content[at] << 7)
            at += 1
        length = shift = 0
        for _ in range(4):
            if at >= end:
                return
            byte = content[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        yield identity, content[at : at + 8]
        at += length
