"""Rows of a sheet that look like the row before them, as nearly all rows of a list do.

Such a row is learned as one regular expression in which only the values are open: it then costs
one match instead of one for each cell.
"""

from __future__ import annotations

import re
from collections import deque

from databases.importing import limits

# The shape in which nearly all programs write a cell.
CELL = re.compile(
    r'<c r="([A-Z]{1,3})[0-9]+"(?: s="([0-9]{1,6})")?(?: t="([a-zA-Z]+)")?'
    r"(?:/>|>(?:<f[^<>]*>[^<]*</f>|<f[^<>]*/>)?"
    r'(?:<v>([^<&]*)</v>|<is><t(?: xml:space="preserve")?>([^<&]*)</t></is>)?</c>)'
)
_HEAD = r'\s*+<row r="([0-9]{1,7})"[^<>]*+>'
ROW = re.compile(_HEAD)
_FORMULA = r"(?:<f[^<>]*+>[^<]*+</f>|<f[^<>]*+/>)"
_VALUE = r"<v>([^<&]*+)</v>"
_INLINE = r'<is><t(?: xml:space="preserve")?+>([^<&]*+)</t></is>'

_REMEMBERED = 8
# Rows that all differ are read cell by cell; learning each would only cost.
_LEARNED = 64


class RowShape:
    """One shape of a row: how to match it, and what its values are.

    `types` has (type, style) of each value; `gaps` are the positions, in ascending order, of
    cells without one that stand before others.
    """

    def __init__(self, pattern: str, types: list[tuple[str, str]], gaps: list[int]) -> None:
        self.match = re.compile(pattern).fullmatch
        self.types = types
        self.gaps = gaps
        kinds = {kind for kind, _style in types}
        self.is_inline = kinds == {"inlineStr"}
        self.is_shared = kinds == {"s"}


class RowShapes:
    """The shapes seen last in a sheet."""

    def __init__(self) -> None:
        self._known: deque[RowShape] = deque(maxlen=_REMEMBERED)
        self._left = _LEARNED

    def match(self, part: str) -> tuple[RowShape, tuple[str, ...]] | None:
        """Give the shape of a row and (its number, its values …); None if it has to be read."""
        for shape in self._known:
            if found := shape.match(part):
                if shape is not self._known[0]:
                    self._known.remove(shape)
                    self._known.appendleft(shape)
                return shape, found.groups()
        if not self._left:
            return None
        self._left -= 1
        new = learn(part)
        found = new.match(part) if new else None
        if new is None or found is None:
            return None
        self._known.appendleft(new)
        return new, found.groups()


def learn(part: str) -> RowShape | None:
    """Give the shape of the row `part`, None if a cell of it is unusual or out of order."""
    head = ROW.match(part)
    if head is None:
        return None
    pattern, types = [_HEAD], []
    gaps: list[int] = []
    end, last, width = head.end(), -1, 0
    for cell in CELL.finditer(part, end):
        letters, style, kind, value, inline = cell.groups()
        column = position(letters)
        if cell.start() != end or column is None or not last < column < limits.COLUMNS:
            return None
        end, last = cell.end(), column
        pattern.append(f'<c r="{letters}[0-9]++"')
        pattern.append(f' s="{style}"' if style else "")
        pattern.append(f' t="{kind}"' if kind else "")
        if cell[0].endswith("/>"):
            pattern.append("/>")
            continue
        pattern.append(">" + (_FORMULA if "<f" in cell[0] else ""))
        if value is not None or inline is not None:
            pattern.append(_INLINE if value is None else _VALUE)
            if (inline is not None) != (kind == "inlineStr"):
                return None
            gaps.extend(range(width, column))
            width = column + 1
            types.append((kind or "", style or ""))
        pattern.append("</c>")
    if end != len(part) or not types:
        return None
    return RowShape("".join(pattern), types, gaps)


def position(letters: str) -> int | None:
    """Give the position of a column, 0 for A; None for what is no column."""
    found = 0
    for letter in letters.upper():
        if not "A" <= letter <= "Z" or found > 100_000:
            return None
        found = found * 26 + ord(letter) - 64
    return found - 1 if found else None
