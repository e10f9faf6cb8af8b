"""Workbooks of Excel 2007 and later, streamed: a million rows in the memory of one.

A sheet is a sparse list of cells, so a stray cell in the last corner costs nothing here; readers
that build the whole rectangle ask for half a terabyte.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from databases.importing import limits
from databases.importing.archive import Archive
from databases.importing.cell_text import date_kind
from databases.importing.markup import Attributes, elements, feed, local, parser_for
from databases.importing.problems import FileProblem
from databases.importing.xlsx_parts import SharedStrings, SheetRows, whole

_PART = 64 * 1024**2
_FULL_CHECK = 96 * 1024**2


class XlsxSource:
    """The sheets of a workbook; rows come in the order and with the numbers of the sheet."""

    kind = "xlsx"
    encoding = ""
    delimiter = ""
    mixed = False
    rows_estimate: int | None = None

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        # Small archives are proven sound before anything is shown; large ones while they are read.
        if archive.claimed <= _FULL_CHECK:
            archive.check_all()
        self._by_lower_name = {name.lower().replace("\\", "/"): name for name in archive.names()}
        self._targets: dict[str, str] = {}
        self._hidden: set[str] = set()
        self._from_1904 = False
        self._total = self._seen = 0
        workbook = self._workbook_part()
        self._read_workbook(workbook)
        self.sheets = tuple(self._targets)
        if not self.sheets:
            raise FileProblem("no_sheet")
        folder = posixpath.dirname(workbook)
        self._kinds = self._read_styles(f"{folder}/styles.xml")
        self._shared = self._open_shared(f"{folder}/sharedStrings.xml")

    def hidden(self, sheet: str) -> bool:
        return sheet in self._hidden

    def fraction(self) -> float:
        return min(1.0, self._seen / self._total) if self._total else 0.0

    def rows(self, sheet: str) -> Iterator[tuple[int, list[str]]]:
        """Give (row number, cells) of each row that the sheet mentions."""
        name = self._find(self._targets[sheet])
        self._total, self._seen = self.archive.entries[name].file_size, 0
        handler = SheetRows(self._shared, self._kinds, from_1904=self._from_1904)
        for _ in feed(parser_for(handler), handler.take_rows(self._counted(name))):
            if handler.done:
                done, handler.done = handler.done, []
                yield from done

    def _counted(self, name: str) -> Iterator[bytes]:
        for piece in self.archive.pieces(name):
            self._seen += len(piece)
            yield piece

    def _find(self, name: str) -> str:
        found = self._by_lower_name.get(name.lower())
        if found is None:
            raise FileProblem("damaged")
        return found

    def _relations(self, part: str) -> list[Attributes]:
        folder, base = posixpath.split(part)
        name = self._by_lower_name.get(posixpath.join(folder, "_rels", base + ".rels").lower())
        if name is None:
            return []
        content = self.archive.read(name, _PART)
        return [found for tag, found in elements(content) if tag == "Relationship"]

    def _workbook_part(self) -> str:
        types = self._by_lower_name.get("[content_types].xml")
        if types:
            for _, found in elements(self.archive.read(types, _PART)):
                if "macroenabled" in found.get("ContentType", "").lower():
                    raise FileProblem("macros")
        for relation in self._relations(""):
            if relation.get("Type", "").endswith("/officeDocument"):
                return relation.get("Target", "").lstrip("/")
        return "xl/workbook.xml"

    def _read_workbook(self, part: str) -> None:
        folder = posixpath.dirname(part)
        targets = {
            relation.get("Id", ""): relation.get("Target", "")
            for relation in self._relations(part)
            if relation.get("Type", "").endswith("/worksheet")
        }
        for tag, found in elements(self.archive.read(self._find(part), _PART)):
            if tag == "workbookPr":
                self._from_1904 = found.get("date1904") in ("1", "true")
            if tag != "sheet":
                continue
            identity = next((v for k, v in found.items() if local(k) == "id"), "")
            target = targets.get(identity)
            if target is None or len(self._targets) >= limits.SHEETS:
                continue
            name = found.get("name", "")
            self._targets[name] = (
                target.lstrip("/")
                if target.startswith("/")
                else posixpath.normpath(posixpath.join(folder, target))
            )
            if found.get("state", "visible") != "visible":
                self._hidden.add(name)

    def _read_styles(self, part: str) -> list[str]:
        """Give, for each cell style, whether it shows a number as a date."""
        name = self._by_lower_name.get(part.lower())
        if name is None:
            return []
        codes: dict[int, str] = {}
        kinds: list[str] = []
        inside = False
        for tag, found in elements(self.archive.read(name, _PART)):
            if tag == "numFmt":
                codes[whole(found.get("numFmtId"))] = found.get("formatCode", "")[
                    : limits.FORMAT_CHARACTERS
                ]
            elif tag in ("cellXfs", "cellStyleXfs", "cellStyles", "dxfs"):
                inside = tag == "cellXfs"
            elif tag == "xf" and inside:
                number = whole(found.get("numFmtId"))
                kinds.append(date_kind(number, codes.get(number)))
        return kinds

    def _open_shared(self, part: str) -> SharedStrings:
        name = self._by_lower_name.get(part.lower())
        return SharedStrings(self.archive.pieces(name) if name else iter(()))
