"""Keyset pages: the next page starts where this one ended, however deep it is.

Cursors are signed, each for its list: what stands in one was a position of that very list, so
nothing made up is ever read, converted or compared.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, TypeVar

from django.core.signing import BadSignature, Signer
from django.db.models import Model, Q, QuerySet

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """Rows of one page; `next` is the cursor of the following one, or "" at the end."""

    rows: list[M]
    next: str
    is_first: bool


def keyset(queryset: QuerySet[M], *, order: Sequence[str], after: str | None, size: int) -> Page[M]:
    """Give the page of `queryset` that follows the cursor `after` (None or "": the first).

    `order` names columns of the model (or annotations), `-` for descending; its last entry must be
    unique. No column may be null. A cursor that means nothing gives the first page.
    """
    ordered = queryset.order_by(*order)
    signer = Signer(sep=".", salt=f"page {queryset.model._meta.label} {' '.join(order)}")
    position = _decode(after, signer) if after else None
    if position is not None:
        ordered = ordered.filter(_beyond(order, position))
    rows = list(ordered[: size + 1])
    more = len(rows) > size
    rows = rows[:size]
    following = ""
    if more:
        following = _encode([_value(rows[-1], name.lstrip("-")) for name in order], signer)
    return Page(rows, following, position is None)


def _value(row: Any, path: str) -> Any:
    for name in path.split("__"):
        row = getattr(row, name)
    return row


def _beyond(order: Sequence[str], position: Sequence[Any]) -> Q:
    """a > x, or a = x and b > y, …: what comes after `position` in `order`."""
    condition, same = Q(), Q()
    for name, value in zip(order, position, strict=True):
        column = name.lstrip("-")
        operator = "lt" if name.startswith("-") else "gt"
        condition |= same & Q(**{f"{column}__{operator}": value})
        same &= Q(**{column: value})
    return condition


def _encode(values: list[Any], signer: Signer) -> str:
    plain = [
        {"t": value.isoformat()}
        if isinstance(value, dt.datetime)
        else {"d": value.isoformat()}
        if isinstance(value, dt.date)
        else {"n": str(value)}
        if isinstance(value, Decimal)
        else value
        for value in values
    ]
    text = json.dumps(plain, separators=(",", ":"), ensure_ascii=False)
    return signer.sign(base64.urlsafe_b64encode(text.encode()).decode().rstrip("="))


def _decode(cursor: str, signer: Signer) -> list[Any] | None:
    readers: dict[str, Callable[[str], Any]] = {
        "t": dt.datetime.fromisoformat,
        "d": dt.date.fromisoformat,
        "n": Decimal,
    }
    try:
        signed = signer.unsign(cursor)
    except (BadSignature, ValueError):
        return None
    found: list[Any] = []
    for value in json.loads(base64.urlsafe_b64decode(signed + "=" * (-len(signed) % 4))):
        if isinstance(value, dict):
            ((kind, text),) = value.items()
            found.append(readers[kind](text))
        else:
            found.append(value)
    return found
