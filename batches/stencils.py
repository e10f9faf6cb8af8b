"""Parts of a page that come many times: drawn once for each shape, filled for each item.

The template engine looks at some hundred places of a card or a row; fifty of them took twenty times
what the rest of the page takes. They differ in a few texts and numbers, and in which parts they
have at all: their shape. So a template is drawn once for each shape with slots where the texts go,
kept, and the slots are filled, escaped as the engine would.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping

from django.utils.translation import get_language

Stencil = list[str]  # a text, the name of a slot, a text, …

# Slots for numbers, which addresses want as numbers. No id gets that far.
PK, TEMPLATE = 918_273_645_546_372_819, 918_273_645_546_372_820
_NUMBERS = {str(PK): "pk", str(TEMPLATE): "template"}
_SLOTS = re.compile("\ue000([a-z_]+[0-9]*)\ue001|" + "|".join(_NUMBERS))
_MOST = 2000  # shapes to keep; there are some dozen on a page


def slot(name: str) -> str:
    return f"\ue000{name}\ue001"


class Stencils:
    """The shapes of one template that were drawn since the process began, in each language."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, Stencil] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def clear(self) -> None:
        self._kept.clear()

    def filled(self, shape: Hashable, values: Mapping[str, str], *, draw: Callable[[], str]) -> str:
        """Give the drawing of `shape` with `values`, which are escaped; `draw` draws it at need."""
        key = (get_language(), shape)
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            found = self._kept[key] = _cut(draw())
        parts = found.copy()
        parts[1::2] = [values[name] for name in parts[1::2]]
        return "".join(parts)


def _cut(drawn: str) -> Stencil:
    """Take a drawing apart at its slots."""
    parts, end = [], 0
    for found in _SLOTS.finditer(drawn):
        parts += [drawn[end : found.start()], found[1] or _NUMBERS[found[0]]]
        end = found.end()
    return [*parts, drawn[end:]]
