"""How marks are named and drawn."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from assignments.models import Assignment

# Each mark as the screen draws it: its tone and its icon, which echo WhatsApp's own ticks.
LOOKS: dict[tuple[str, str], tuple[str, str]] = {
    ("reach", "ada"): ("ok", "check-check"),
    ("reach", "ceklis1"): ("warn", "check"),
    ("reach", "tidak"): ("bad", "x"),
    ("response", "ya"): ("ok", "message-circle-reply"),
    ("response", "tidak"): ("bad", "message-circle-off"),
}
CHOICES: dict[str, list[tuple[str, str]]] = {
    "reach": [(c.value, str(c.label)) for c in Assignment.Reach],
    "response": [(c.value, str(c.label)) for c in Assignment.Response],
}
SHOWS: dict[str, str | Promise] = {
    "": _("All"),
    "unchecked": _("Unchecked"),
    **dict(CHOICES["reach"]),
}


@dataclass(frozen=True, slots=True)
class Tally:
    """How many customers of a batch carry one mark."""

    label: str
    count: int
    tone: str
    icon: str


def tallies(field: str, counts: dict[str, int]) -> list[Tally]:
    return [Tally(label, counts[value], *LOOKS[field, value]) for value, label in CHOICES[field]]
