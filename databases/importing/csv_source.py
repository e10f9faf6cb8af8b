"""Text files: their encoding and delimiter found by trying, their records read by `csv`."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
import statistics
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from databases.importing import limits
from databases.importing.problems import FileProblem

ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "cp1252",
    "latin-1",
)
DELIMITERS = (",", ";", "\t", "|")

_HEAD = 256 * 1024
_CHUNK = 1024 * 1024
# Enough to tell; should what follows differ, `_bytes_of_cp1252` still reads it right.
_SCANNED = 64 * 1024**2
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)
# Nobody who wrote a file can have known it.
_END = f"\x00{uuid.uuid4().hex}"
_ERRORS = "bytes_of_cp1252"


def _bytes_of_cp1252(error: UnicodeError) -> tuple[str, int]:
    """Read what is not valid as Windows-1252: files glued together from two programs exist."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1").translate(_CP1252), error.end


# Five bytes mean nothing in cp1252; they stay C1 controls and are dropped with these.
_CP1252 = {
    byte: bytes([byte]).decode("cp1252", errors="ignore") or chr(byte) for byte in range(128, 160)
}

codecs.register_error(_ERRORS, _bytes_of_cp1252)


class CsvSource:
    """The records of a text file. Row numbers count records: a quoted newline starts none."""

    kind = "csv"
    sheets: tuple[str, ...] = ()

    def __init__(self, path: Path, *, encoding: str | None, delimiter: str | None) -> None:
        self.path = path
        self.size = path.stat().st_size
        self.mixed = False
        self.encoding = encoding if encoding in ENCODINGS else self._find_encoding()
        head = self._head()
        if not head.strip("\ufeff \t\r\n\x00"):
            raise FileProblem("empty")
        self.delimiter = delimiter if delimiter and len(delimiter) == 1 else find_delimiter(head)
        if self.delimiter in '"\r\n\x00':
            self.delimiter = ","
        self._separator_line = _SEPARATOR_LINE.fullmatch(head.split("\n", 1)[0]) is not None
        self._average = self._bytes_per_record(head)
        self._position: BinaryIO | None = None

    @property
    def rows_estimate(self) -> int | None:
        return max(1, round(self.size / self._average)) if self._average else None

    def fraction(self) -> float:
        """Tell which share of the file has been read."""
        if self._position is None or not self.size:
            return 0.0
        return min(1.0, self._position.tell() / self.size)

    def hidden(self, _sheet: str) -> bool:
        return False

    def rows(self, _sheet: str = "") -> Iterator[tuple[int, list[str]]]:
        """Give (record number, cells) of every record, the first being 1."""
        csv.field_size_limit(limits.QUOTED_CHARACTERS)
        with self.path.open("rb", buffering=_CHUNK) as binary:
            self._position = binary
            text = io.TextIOWrapper(
                binary, encoding=self.encoding, errors=self._errors(), newline=""
            )
            # An unclosed quote swallows all that follows, so it swallows this line too.
            reader = csv.reader(itertools.chain(text, [_END]), delimiter=self.delimiter)
            number = 0
            try:
                for cells in reader:
                    number += 1
                    if number == 1 and self._separator_line:
                        yield number, []
                    elif cells and cells[-1].endswith(_END):
                        if cells != [_END]:
                            raise FileProblem("unclosed_quote", row=number)
                        return
                    else:
                        yield number, cells
            except csv.Error as error:
                raise self._endless(number + 1) from error
            finally:
                self._position = None

    def _endless(self, row: int) -> FileProblem:
        """Tell a cell that swallows the rows after it from one that is merely huge."""
        with self.path.open("r", encoding=self.encoding, errors=self._errors(), newline="") as text:
            for _ in itertools.islice(csv.reader(text, delimiter=self.delimiter), row - 1):
                pass
            quoted = '"' in text.readline(limits.QUOTED_CHARACTERS)
        return FileProblem("unclosed_quote" if quoted else "giant_cell", row=row)

    def _errors(self) -> str:
        return _ERRORS if self.encoding in ("utf-8", "utf-8-sig", "cp1252") else "replace"

    def _head(self) -> str:
        with self.path.open("rb") as file:
            decoder = codecs.getincrementaldecoder(self.encoding)(errors=self._errors())
            return decoder.decode(file.read(_HEAD))

    def _find_encoding(self) -> str:
        with self.path.open("rb") as file:
            head = file.read(4096)
            if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
                return "utf-32"
            if head.startswith(codecs.BOM_UTF8):
                return "utf-8-sig"
            if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                return "utf-16"
            if without_mark := _utf16_without_mark(head):
                return without_mark
            file.seek(0)
            valid, invalid = _count_utf8(file)
        if not invalid:
            return "utf-8"
        # A few stray bytes in a file that is otherwise UTF-8 must not garble all other names.
        if valid > invalid * 8:
            self.mixed = True
            return "utf-8"
        return "cp1252"

    def _bytes_per_record(self, head: str) -> float:
        records = sum(1 for _ in _records(head, self.delimiter))
        taken = min(self.size, _HEAD)
        return taken / records if records else 0.0


def find_delimiter(head: str) -> str:
    """Find the character that cuts `head` into the most regular table."""
    if announced := _SEPARATOR_LINE.fullmatch(head.split("\n", 1)[0]):
        return announced[1]
    best, best_score = ",", 0.0
    for delimiter in DELIMITERS:
        widths = [
            len(cells)
            for cells in itertools.islice(_records(head, delimiter), 200)
            if any(cell.strip() for cell in cells)
        ]
        if not widths:
            continue
        width = statistics.mode(widths)
        if width < 2:
            # Title lines may outnumber the rows of a very short table.
            width = max(widths)
        if width < 2:
            continue
        regular = sum(1 for w in widths if w == width) / len(widths)
        score = regular + min(width, 40) / 200
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _records(head: str, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(limits.QUOTED_CHARACTERS)
    # The last line of a sample is usually cut in the middle.
    lines = list(io.StringIO(head, newline=""))
    if len(lines) > 1 and len(head) > _HEAD // 8 and not head.endswith("\n"):
        lines.pop()
    try:
        yield from csv.reader(lines, delimiter=delimiter)
    except csv.Error:
        return


def _utf16_without_mark(head: bytes) -> str:
    pairs = len(head) // 2
    if pairs < 4:
        return ""
    low, high = head[0 : pairs * 2 : 2], head[1 : pairs * 2 : 2]
    if high.count(0) > pairs * 0.7 and low.count(0) < pairs * 0.1:
        return "utf-16-le"
    if low.count(0) > pairs * 0.7 and high.count(0) < pairs * 0.1:
        return "utf-16-be"
    return ""


def _count_utf8(file: BinaryIO) -> tuple[int, int]:
    """Count the characters beyond ASCII that are valid UTF-8, and the places that are not."""
    invalid = 0

    def count(error: UnicodeError) -> tuple[str, int]:
        nonlocal invalid
        invalid += 1
        return "", error.end if isinstance(error, UnicodeDecodeError) else 0

    codecs.register_error("count_invalid", count)
    decoder = codecs.getincrementaldecoder("utf-8")(errors="count_invalid")
    valid = 0
    while file.tell() < _SCANNED and (chunk := file.read(_CHUNK)):
        if chunk.isascii():
            # The decoder may hold the first bytes of a character that never came.
            if decoder.getstate()[0]:
                decoder.decode(b" ")
            continue
        text = decoder.decode(chunk)
        valid += len(text) - len(text.encode("ascii", "ignore"))
        if invalid > 10_000 and invalid > valid:
            break
    if not file.read(1):
        decoder.decode(b"", final=True)
    return valid, invalid
