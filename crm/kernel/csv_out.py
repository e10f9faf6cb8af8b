"""Writing CSV that no spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator

# What starts a formula, also behind spaces, quotes and no-break spaces, in any line of a cell,
# and in the full-width forms that some spreadsheets fold.
_DANGEROUS = re.compile(r"(?:^|[\n\r])[\s\"'\u00a0\u200b\ufeff]*[=+\-@\t\r\n＝＋－＠]|^[\t\r\n]")


def safe_cell(value: str) -> str:
    """Give `value` with a leading apostrophe where a spreadsheet would calculate it."""
    return f"'{value}" if _DANGEROUS.search(value) else value


def plain_cell(value: str) -> str:
    """Undo `safe_cell`, and nothing else: an apostrophe that was there before stays."""
    return value[1:] if value.startswith("'") and _DANGEROUS.search(value[1:]) else value


class _Echo:
    def write(self, text: str) -> str:
        return text


def csv_lines(header: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    """Give the lines of a CSV file, made as they are sent; with a mark that it is UTF-8."""
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow([safe_cell(cell) for cell in header])
    for row in rows:
        yield writer.writerow([safe_cell(cell) for cell in row])
