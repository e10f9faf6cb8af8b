"""The batches of a list, filled into drawings of their shapes."""

from __future__ import annotations

from dataclasses import asdict
from html import escape
from typing import Any

from django import template
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

from batches.keys import BatchKey
from batches.reports.batches import Batch
from batches.reports.looks import Tally
from batches.stencils import PK, Stencils, slot
from crm.kernel.templatetags.formats import thousands, when

register = template.Library()

CARD = "batches/_card.html"
FOLDED = f"{CARD}#folded"
_NUMBERS = ("checked", "records", "unchecked")
_FLAGS = ("is_legacy", "is_pinned", "is_new", "is_finished")
_stencils = Stencils()


@register.simple_tag(takes_context=True)
def cards(context: Context, batches: list[Batch], next_customer: str = "") -> SafeString:
    """Draw `batches` as cards; the first one leads to `next_customer`. Optional: back."""
    nexts = [next_customer] + [""] * len(batches)
    return _all(CARD, context, list(zip(batches, nexts, strict=False)))


@register.simple_tag(takes_context=True)
def folded(context: Context, batches: list[Batch]) -> SafeString:
    """Draw finished batches, each in a line. Optional: back."""
    return _all(FOLDED, context, [(batch, "") for batch in batches])


def _all(name: str, context: Context, batches: list[tuple[Batch, str]]) -> SafeString:
    around = {"back": context.get("back") or "", "token": context.get("csrf_token") or ""}
    given = {key: escape(value) for key, value in around.items()}
    return mark_safe(  # noqa: S308 -- each value is escaped
        "".join(_filled(name, batch, customer, given) for batch, customer in batches)
    )


def _filled(name: str, batch: Batch, next_customer: str, given: dict[str, str]) -> str:
    stat = batch.stat
    product = stat.database.product
    numbers = {key: getattr(stat, key) for key in _NUMBERS}
    tallies = {"reach": batch.reach_counts(), "response": batch.response_counts()}
    values = {
        **given,
        "pk": str(stat.request_id or stat.database_id),
        "title": escape(batch.title),
        "database": escape(stat.database.name),
        "product": escape(product.name) if product else "",
        "granted": conditional_escape(when(batch.granted_at)),
        "customer": escape(next_customer),
        "plain_checked": str(stat.checked),
        "plain_records": str(stat.records),
    }
    for key, number in numbers.items():
        values[key] = thousands(number)
    for field, marks in tallies.items():
        for mark in marks:
            values[f"{field}_{mark.value}"] = thousands(mark.count)
    shape = (
        name,
        *(getattr(batch, flag) for flag in _FLAGS),
        bool(batch.own_title),
        bool(product),
        bool(next_customer),
        *(bool(number) for number in numbers.values()),
        *(bool(mark.count) for marks in tallies.values() for mark in marks),
    )

    def draw() -> str:
        return _drawn(name, batch, tallies, is_next=bool(next_customer))

    return _stencils.filled(shape, values, draw=draw)


def _drawn(name: str, batch: Batch, tallies: dict[str, list[Tally]], *, is_next: bool) -> str:
    """Draw a batch with slots."""
    stat = batch.stat

    def counts(field: str) -> list[dict[str, Any]]:
        return [
            asdict(mark) | {"count": slot(f"{field}_{mark.value}") if mark.count else 0}
            for mark in tallies[field]
        ]

    slotted = {
        **{flag: getattr(batch, flag) for flag in _FLAGS},
        "key": BatchKey(None, PK) if batch.is_legacy else BatchKey(PK, None),
        "title": slot("title"),
        "own_title": bool(batch.own_title),
        "stat": {
            **{key: slot(key) if getattr(stat, key) else 0 for key in _NUMBERS},
            "database": {
                "name": slot("database"),
                "product": {"name": slot("product")} if stat.database.product else None,
            },
        },
        "reach_counts": counts("reach"),
        "response_counts": counts("response"),
    }
    return render_to_string(
        name,
        {
            "batch": slotted,
            "granted": slot("granted"),
            "checked": slot("plain_checked"),
            "records": slot("plain_records"),
            "next_customer": slot("customer") if is_next else "",
            "back": slot("back"),
            "csrf_token": slot("token"),
        },
    )
