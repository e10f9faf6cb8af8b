"""The parts of an Excel workbook that may be huge: its texts and its sheets.

Both are streams of whole blocks (a text, a row). Blocks of the usual shape are read by one regular
expression, three times as fast as by the XML parser, which reads all others. Leaving out whole
blocks keeps the document that the parser sees well formed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from databases.importing import limits
from databases.importing.cell_text import iso_text, number_text, serial_text, unescaped
from databases.importing.markup import Attributes, Handler, feed, local, parser_for
from databases.importing.problems import FileProblem
from databases.importing.xlsx_shapes import CELL, ROW, RowShape, RowShapes, position

_TEXT = re.compile(r'<si><t(?: xml:space="preserve")?>([^<&]*)</t></si>')
_OPEN, _CLOSED_ROW, _CLOSED_TEXT = b"<sheetData>", b"</row>", b"</si>"
_ENCODING = re.compile(rb"<\?xml[^>]*encoding=[\"']([^\"']*)", re.IGNORECASE)
_LONGEST_ROW = 16 * 1024**2

# A cell as `CELL` finds it: column, style, type, value, text that stands in the cell itself.
_Found = tuple[str, str, str, str, str]


class SharedStrings(Handler):
    """The texts of a workbook, read only as far as they are asked for.

    Programs number them in the order of their first use, so the first rows need the first few.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.strings: list[str] = []
        self._progress = feed(parser_for(self), self._take_texts(pieces))
        self._parts: list[str] = []
        self._reading = False
        self._phonetic = 0

    def _take_texts(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Keep whole texts of the usual shape; pass on all else for the XML parser."""
        prolog = next(pieces, b"")
        start = prolog.find(b"<si>")
        if start < 0 or not _is_utf8(prolog):
            yield prolog
            yield from pieces
            return
        yield prolog[:start]
        yield from _by_blocks(prolog[start:], pieces, _CLOSED_TEXT, self._take_block)

    def _take_block(self, block: bytes) -> bool:
        text = _plain_text(block)
        if text is None:
            return False
        found = _TEXT.findall(text)
        if len(found) != text.count("<si"):
            return False
        if "_x" in text:
            found = [unescaped(one) for one in found]
        self.strings.extend(found)
        if len(self.strings) > limits.SHARED_STRINGS:
            raise FileProblem("too_complex")
        return True

    def __getitem__(self, index: int) -> str:
        while index >= len(self.strings):
            try:
                next(self._progress)
            except StopIteration:
                raise FileProblem("damaged") from None
        return self.strings[index]

    def several(self, indices: Sequence[str]) -> list[str]:
        """Give the texts of several indices as they stand in the file, empty ones being empty."""
        strings, digits = self.strings, "".join(indices)
        if "" not in indices and digits.isascii() and digits.isdigit():
            with suppress(IndexError, ValueError):
                return [strings[int(index)] for index in indices]
        return [self[_index(index)] if index else "" for index in indices]

    def start(self, name: str, attributes: Attributes) -> None:
        name = local(name)
        if name == "t":
            self._reading = not self._phonetic
        elif name == "rPh":
            self._phonetic += 1

    def end(self, name: str) -> None:
        name = local(name)
        if name == "t":
            self._reading = False
        elif name == "rPh":
            self._phonetic -= 1
        elif name == "si":
            self.strings.append(unescaped("".join(self._parts)))
            self._parts.clear()
            if len(self.strings) > limits.SHARED_STRINGS:
                raise FileProblem("too_complex")

    def text(self, text: str) -> None:
        if self._reading:
            self._parts.append(text)


class SheetRows(Handler):
    """Collects the cells of a sheet, row by row, into `done`."""

    def __init__(self, shared: SharedStrings, kinds: list[str], *, from_1904: bool) -> None:
        self.done: list[tuple[int, list[str]]] = []
        self._shared = shared
        self._kinds = kinds
        self._from_1904 = from_1904
        self._positions: dict[str, int] = {}
        self._shapes = RowShapes()
        self._prefix: str | None = None
        self._names("")
        self._row = self._column = 0
        self._cells: list[str] = []
        self._type = "n"
        self._style: str | None = None
        self._parts: list[str] = []
        self._reading = False
        self._phonetic = 0
        self._far = 0
        self._far_address = ""

    def _names(self, prefix: str) -> None:
        self._c, self._v, self._t = prefix + "c", prefix + "v", prefix + "t"
        self._row_tag, self._phonetic_tag = prefix + "row", prefix + "rPh"

    def take_rows(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Read whole rows of the usual shape into `done`; pass on all else for the XML parser."""
        prolog = b""
        for piece in pieces:
            prolog += piece
            if _OPEN in prolog or len(prolog) > _LONGEST_ROW:
                break
        start = prolog.find(_OPEN) + len(_OPEN)
        if start < len(_OPEN) or not _is_utf8(prolog):
            yield prolog
            yield from pieces
            return
        yield prolog[:start]
        yield from _by_blocks(prolog[start:], pieces, _CLOSED_ROW, self._take_block)

    def _take_block(self, block: bytes) -> bool:
        """Read the rows of `block`, or none of them if one has an unusual shape."""
        text = _plain_text(block)
        if text is None:
            return False
        parts = text.split("</row>")
        parts.pop()
        if text.count("<row") != len(parts):
            return False
        shaped: list[tuple[RowShape, tuple[str, ...]] | tuple[int, list[_Found]]] = []
        for part in parts:
            if usual := self._shapes.match(part):
                shaped.append(usual)
                continue
            head = ROW.match(part)
            cells = CELL.findall(part, head.end()) if head else []
            if head is None or len(cells) != part.count("<c"):
                return False
            shaped.append((int(head[1]), cells))
        for row in shaped:
            if isinstance(row[0], RowShape):
                self._take_shaped(*row)
            else:
                self._take_row(*row)
        return True

    def _take_shaped(self, shape: RowShape, found: tuple[str, ...]) -> None:
        self._begin_row(int(found[0]))
        values = found[1:]
        if shape.is_inline:
            cells = list(values)
            if "_x" in "".join(cells):
                cells = [unescaped(cell) for cell in cells]
        elif shape.is_shared:
            cells = self._shared.several(values)
        else:
            cells = [
                self._typed(value, kind, style) if value else ""
                for value, (kind, style) in zip(values, shape.types, strict=True)
            ]
        for gap in shape.gaps:
            cells.insert(gap, "")
        while cells and not cells[-1]:
            cells.pop()
        self.done.append((self._row, cells))

    def _typed(self, value: str, kind: str, style: str) -> str:
        if kind == "s":
            return self._shared[_index(value)]
        if not (kind or style):
            return number_text(value)
        self._type, self._style = kind or "n", style or None
        return self._value(value)

    def _take_row(self, number: int, row: list[_Found]) -> None:
        self._begin_row(number)
        positions = self._positions
        for letters, style, kind, value, inline in row:
            if value:
                value = self._typed(value, kind, style)
            elif inline and kind == "inlineStr":
                value = unescaped(inline)
            else:
                continue
            position = positions.get(letters)
            if position is None:
                position = positions[letters] = _position(letters)
            self._column = position
            if position == len(self._cells) < limits.COLUMNS:
                self._cells.append(value)
            else:
                self._put(value)
        self._end_row()

    def start(self, name: str, attributes: Attributes) -> None:
        if name == self._c:
            reference = attributes.get("r")
            if reference:
                letters = reference.rstrip("0123456789")
                position = self._positions.get(letters)
                if position is None:
                    position = self._positions[letters] = _position(letters)
                self._column = position
            else:
                self._column += 1
            self._type = attributes.get("t", "n")
            self._style = attributes.get("s")
        elif name == self._v or (name == self._t and not self._phonetic):
            self._reading = True
        elif name == self._row_tag:
            self._begin_row(whole(attributes.get("r")) or self._row + 1)
        elif name == self._phonetic_tag:
            self._phonetic += 1
        elif self._prefix is None:
            self._prefix = name[: -len(local(name))]
            self._names(self._prefix)

    def text(self, text: str) -> None:
        if self._reading:
            self._parts.append(text)

    def end(self, name: str) -> None:
        if name == self._v or name == self._t:
            self._reading = False
        elif name == self._c:
            if self._parts:
                raw = self._parts[0] if len(self._parts) == 1 else "".join(self._parts)
                self._parts.clear()
                self._put(self._value(raw))
        elif name == self._row_tag:
            self._end_row()
        elif name == self._phonetic_tag:
            self._phonetic -= 1

    def _begin_row(self, number: int) -> None:
        if number <= self._row:
            raise FileProblem("damaged")
        if number > limits.ROWS:
            raise FileProblem("too_many_rows", limit=limits.ROWS)
        self._row, self._column = number, -1

    def _end_row(self) -> None:
        if self._far:
            self._refuse_far()
        self.done.append((self._row, self._cells))
        self._cells = []

    def _put(self, value: str) -> None:
        column, cells = self._column, self._cells
        if column == len(cells):
            if column < limits.COLUMNS:
                cells.append(value)
                return
        elif column < len(cells):
            cells[column] = value
            return
        elif column < limits.COLUMNS:
            cells.extend([""] * (column - len(cells)))
            cells.append(value)
            return
        if value.strip():
            self._far += 1
            self._far_address = f"{_letters(column)}{self._row}"

    def _value(self, raw: str) -> str:
        kind = self._type
        if kind == "s":
            return self._shared[_index(raw)]
        if kind == "n":
            raw = raw.strip()
            if self._style is not None and self._style.isdigit():
                style = int(self._style)
                date = self._kinds[style] if style < len(self._kinds) else ""
                if date:
                    return serial_text(raw, date, from_1904=self._from_1904)
            return number_text(raw)
        if kind in ("str", "inlineStr"):
            return unescaped(raw)
        if kind == "b":
            return "TRUE" if raw.strip() in ("1", "true") else "FALSE"
        if kind == "d":
            return iso_text(raw.strip())
        return ""  # an error such as #N/A

    def _refuse_far(self) -> None:
        # One or two are leftovers of a tool; a whole row of them is a wide table.
        if self._far > 8 or len(self._cells) == limits.COLUMNS:
            raise FileProblem("too_many_columns", limit=limits.COLUMNS)
        raise FileProblem("far_cell", address=self._far_address)


def _by_blocks(
    rest: bytes, pieces: Iterator[bytes], closing: bytes, take: Callable[[bytes], bool]
) -> Iterator[bytes]:
    """Offer `take` what ends with `closing`, and give what it does not want and what remains."""
    while True:
        end = rest.rfind(closing) + len(closing)
        if end >= len(closing):
            block, rest = rest[:end], rest[end:]
            yield b"" if take(block) else block
        elif len(rest) > _LONGEST_ROW:
            break
        piece = next(pieces, b"")
        if not piece:
            break
        rest += piece
    yield rest
    yield from pieces


def _is_utf8(prolog: bytes) -> bool:
    declared = _ENCODING.match(prolog)
    return declared is None or declared[1].lower() == b"utf-8"


def _plain_text(block: bytes) -> str | None:
    """Give `block` as text, or None if it holds what only an XML parser understands."""
    if b"<!" in block or b"<?" in block or b"\r" in block:
        return None
    try:
        return block.decode()
    except UnicodeDecodeError:
        return None


def _index(raw: str) -> int:
    raw = raw.strip()
    if not (raw.isascii() and raw.isdigit() and len(raw) < 10):
        raise FileProblem("damaged")
    return int(raw)


def whole(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else 0


def _position(letters: str) -> int:
    found = position(letters)
    if found is None:
        raise FileProblem("damaged")
    return found


def _letters(position: int) -> str:
    letters, position = "", position + 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
