"""Message templates: what an admin writes, with `{fields}`, and what a customer is sent.

`{name}` stands for the customer's name, `{name|Kak}` for the same or "Kak" where there is none, and
`{Kota|}` for a column by its header, or nothing. Case and spaces do not matter. `{{` and `}}` are
braces. Columns differ from list to list: a field that a list does not have gives its fallback.

Nothing here knows a model or a page, and filling never raises: a message that an old rule let in
is still sent as well as it can be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from crm.kernel.text import clean_lines, clean_text, customer_key

BODY_LIMIT = 1000
# What a filled message may have: links of several thousand characters are cut on the way.
LIMIT = 1500
# A cell may hold a whole letter; a field of a message is a word or two.
VALUE_LIMIT = 120

NAME, USERNAME, PHONE, DATABASE = "name", "username", "phone", "database"
FIXED = (NAME, USERNAME, PHONE, DATABASE)

_PARTS = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|\{|\}")
# They have a meaning in a template, so a header is called without them.
_MARKUP = str.maketrans("{}|", "   ")


@dataclass(frozen=True, slots=True)
class Field:
    """A place that is filled for each customer; `name` is its key."""

    name: str
    written: str
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a template: `kind` is `open` (a brace without its other half), `empty` (a
    field without a name) or `unknown` (no such field); `text` is where, as it was written."""

    kind: str
    text: str


def field_key(header: str) -> str:
    """Give the one spelling of a field's or a column's name."""
    return customer_key(header.translate(_MARKUP))


def field_label(header: str) -> str:
    """Give a column's header as it can be written in a template."""
    return clean_text(header.translate(_MARKUP))


def parse(body: str) -> tuple[list[str | Field], list[Flaw]]:
    """Give the parts of a template in their order, and what is wrong with it (then it is text)."""
    parts: list[str | Field] = []
    flaws: list[Flaw] = []
    end = 0
    for found in _PARTS.finditer(body):
        parts.append(body[end : found.start()])
        end, text, inside = found.end(), found[0], found[1]
        if inside is None:
            if text == "{":
                flaws.append(Flaw("open", body[found.start() :][:20]))
            parts.append(text[0])
            continue
        name, _, fallback = inside.partition("|")
        if key := field_key(name):
            parts.append(Field(key, clean_text(name), clean_text(fallback)))
        else:
            flaws.append(Flaw("empty", text[:20]))
            parts.append(text)
    parts.append(body[end:])
    return [part for part in parts if part], flaws


def check(body: str, *, columns: Iterable[str]) -> list[Flaw]:
    """Give what is wrong with a template, `columns` being those that its lists show."""
    parts, flaws = parse(body)
    known = {*FIXED, *map(field_key, columns)}
    unknown = [p for p in parts if isinstance(p, Field) and p.name not in known]
    return flaws + [Flaw("unknown", field.written) for field in unknown]


class Message:
    """A template, read once and filled for many customers."""

    def __init__(self, body: str) -> None:
        self._parts = parse(clean_lines(body))[0]

    def fill(self, values: Mapping[str, str]) -> str:
        """Give the text for one customer; `values` are by `field_key`."""
        said = "".join(
            part
            if isinstance(part, str)
            else clean_text(values.get(part.name, ""))[:VALUE_LIMIT] or part.fallback
            for part in self._parts
        )
        return clean_lines(said)[:LIMIT].rstrip()


def values_of(
    *, name: str, username: str, phone: str, database: str, columns: Iterable[tuple[str, str]]
) -> dict[str, str]:
    """Give what fills a message: the fixed fields, and `columns` (header, value), shown ones only.

    A fixed field keeps its meaning where a column is called the same.
    """
    fixed = {NAME: name, USERNAME: username, PHONE: phone, DATABASE: database}
    return {field_key(header): value for header, value in columns} | fixed
