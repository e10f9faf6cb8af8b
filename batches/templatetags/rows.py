"""The rows of a work screen, drawn once for each shape and filled for each customer.

A row has some hundred places for the template engine to look at; fifty rows of them took twenty
times what the rest of the page takes. Rows differ in a few texts and numbers, and in which parts
they have at all: their shape. So `batches/_row.html` is drawn once for each shape with slots where
the texts go, kept, and the slots are filled, escaped as the engine would.
"""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import Any

from django import template
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from batches.reports.customers import Customer, Segment

register = template.Library()

ROW = "batches/_row.html"
# Slots for numbers, which addresses want as numbers. No id gets that far.
PK, TEMPLATE = 918_273_645_546_372_819, 918_273_645_546_372_820
_NUMBERS = {str(PK): "pk", str(TEMPLATE): "template"}
_SLOTS = re.compile("\ue000([a-z]+[0-9]*)\ue001|" + "|".join(_NUMBERS))
_TEXTS = ("name", "username", "phone", "link", "plain", "said", "note", "tries")
_PAIRS = ("cells", "more")
_MOST = 2000  # shapes to keep; there are some dozen in a batch

Stencil = list[str]  # a text, the name of a slot, a text, …
_stencils: dict[Any, Stencil] = {}


@register.simple_tag(takes_context=True)
def rows(context: Context, customers: list[Customer]) -> SafeString:
    """Draw the rows of `customers`. Optional in the context: back, select, offer."""
    is_selecting = bool(context.get("select"))
    offer = context.get("offer")
    chosen = offer.chosen.pk if offer and offer.chosen else ""
    around = {"back": context.get("back") or "", "token": context.get("csrf_token") or ""}
    given = {name: escape(value) for name, value in around.items()} | {"template": str(chosen)}
    return mark_safe(  # noqa: S308 -- each value is escaped
        "".join(_filled(customer, given, is_selecting=is_selecting) for customer in customers)
    )


def _filled(customer: Customer, given: dict[str, str], *, is_selecting: bool) -> str:
    values = dict(given)
    values["pk"], values["number"] = str(customer.pk), str(customer.number)
    for name in _TEXTS:
        values[name] = escape(getattr(customer, name))
    for name in _PAIRS:
        for i, (column, value) in enumerate(getattr(customer, name)):
            values[f"{name}k{i}"], values[f"{name}v{i}"] = escape(column), escape(value)
    parts = list(_stencil(customer, is_selecting=is_selecting))
    parts[1::2] = [values[slot] for slot in parts[1::2]]
    return "".join(parts)


def _stencil(customer: Customer, *, is_selecting: bool) -> Stencil:
    key = (get_language(), is_selecting, _shape(customer))
    found = _stencils.get(key)
    if found is None:
        if len(_stencils) >= _MOST:
            _stencils.clear()
        found = _stencils[key] = _drawn(customer, is_selecting=is_selecting)
    return found


def _shape(customer: Customer) -> tuple[Any, ...]:
    """Give what a row has: which texts there are, how many cells, which marks."""
    return (
        customer.is_next,
        *(bool(getattr(customer, name)) for name in _TEXTS),
        *(len(getattr(customer, name)) for name in _PAIRS),
        *(tuple(o.pressed for o in s.options) for s in (customer.reach, customer.response)),
    )


def _drawn(customer: Customer, *, is_selecting: bool) -> Stencil:
    """Draw a row with slots, taken apart at them."""

    def marks(segment: Segment) -> Segment:
        return replace(segment, pk=PK, name=_slot("name"))

    texts = {name: _slot(name) if getattr(customer, name) else "" for name in _TEXTS}
    pairs = {
        name: [(_slot(f"{name}k{i}"), _slot(f"{name}v{i}")) for i in range(len(had))]
        for name, had in ((name, getattr(customer, name)) for name in _PAIRS)
    }
    slotted = {
        "pk": PK,
        "number": _slot("number"),
        "reach": marks(customer.reach),
        "response": marks(customer.response),
        "is_next": customer.is_next,
        **texts,
        **pairs,
    }
    if missing := {field.name for field in fields(Customer)} - set(slotted):
        raise AssertionError(f"these parts of a row have no slot: {missing}")
    drawn = render_to_string(
        ROW,
        {
            "c": slotted,
            "select": is_selecting,
            "back": _slot("back"),
            "offer": {"chosen": {"pk": TEMPLATE}},
            "csrf_token": _slot("token"),
        },
    )
    parts, end = [], 0
    for found in _SLOTS.finditer(drawn):
        parts += [drawn[end : found.start()], found[1] or _NUMBERS[found[0]]]
        end = found.end()
    return [*parts, drawn[end:]]


def _slot(name: str) -> str:
    return f"\ue000{name}\ue001"
