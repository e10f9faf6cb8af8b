"""Text that PostgreSQL's COPY takes without an error, whatever a file contained."""

from __future__ import annotations

import re
from collections.abc import Sequence

# NUL is refused by PostgreSQL, lone surrogates cannot be encoded; the other controls would only
# garble a page. Tab and newline are part of a cell.
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def storable(cell: str) -> str:
    """Give `cell` verbatim but for control characters, with newlines as LF."""
    if "\r" in cell:
        cell = cell.replace("\r\n", "\n").replace("\r", "\n")
    return _SURROGATE.sub("\ufffd", _UNWANTED.sub("", cell))


def is_plain(text: str) -> bool:
    """Tell whether `text` needs no cleaning and no escaping at all."""
    return text.isprintable() and "\\" not in text and '"' not in text


def copy_text(text: str) -> str:
    """Give `text`, already storable, as a field of a COPY line."""
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if "\n" in text or "\t" in text or "\r" in text:
        text = text.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    return text


def copy_array(cells: Sequence[str]) -> str:
    """Give storable `cells` as an array field of a COPY line."""
    quoted = ('"' + c.replace("\\", "\\\\").replace('"', '\\"') + '"' if c else '""' for c in cells)
    return copy_text("{" + ",".join(quoted) + "}")


def copy_plain_array(cells: Sequence[str]) -> str:
    """Give `cells` of which `is_plain` is known as an array field of a COPY line."""
    return '{"' + '","'.join(cells) + '"}' if cells else "{}"
