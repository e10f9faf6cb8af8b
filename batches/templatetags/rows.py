"""The rows of a work screen, filled into drawings of their shapes."""

from __future__ import annotations

from dataclasses import fields, replace
from html import escape
from typing import Any

from django import template
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from batches.reports.customers import Customer, Segment
from batches.stencils import PK, TEMPLATE, Stencils, slot

register = template.Library()

ROW = "batches/_row.html"
_TEXTS = ("name", "username", "phone", "link", "plain", "said", "note", "tries")
_PAIRS = ("cells", "more")
_stencils = Stencils()


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
    shape = (is_selecting, *_shape(customer))
    return _stencils.filled(shape, values, draw=lambda: _drawn(customer, is_selecting=is_selecting))


def _shape(customer: Customer) -> tuple[Any, ...]:
    """Give what a row has: which texts there are, how many cells, which marks."""
    return (
        customer.is_next,
        *(bool(getattr(customer, name)) for name in _TEXTS),
        *(len(getattr(customer, name)) for name in _PAIRS),
        *(tuple(o.pressed for o in s.options) for s in (customer.reach, customer.response)),
    )


def _drawn(customer: Customer, *, is_selecting: bool) -> str:
    """Draw a row with slots."""

    def marks(segment: Segment) -> Segment:
        return replace(segment, pk=PK, name=slot("name"))

    texts = {name: slot(name) if getattr(customer, name) else "" for name in _TEXTS}
    pairs = {
        name: [(slot(f"{name}k{i}"), slot(f"{name}v{i}")) for i in range(len(had))]
        for name, had in ((name, getattr(customer, name)) for name in _PAIRS)
    }
    slotted = {
        "pk": PK,
        "number": slot("number"),
        "reach": marks(customer.reach),
        "response": marks(customer.response),
        "is_next": customer.is_next,
        **texts,
        **pairs,
    }
    if missing := {field.name for field in fields(Customer)} - set(slotted):
        raise AssertionError(f"these parts of a row have no slot: {missing}")
    return render_to_string(
        ROW,
        {
            "c": slotted,
            "select": is_selecting,
            "back": slot("back"),
            "offer": {"chosen": {"pk": TEMPLATE}},
            "csrf_token": slot("token"),
        },
    )
