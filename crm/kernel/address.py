"""Reading what stands in an address: anybody can write anything there."""

from __future__ import annotations


def id_in(text: str) -> int | None:
    """Give the id that `text` is, or None: not a number, or longer than any id."""
    return int(text) if len(text) < 19 and text.isascii() and text.isdigit() else None
