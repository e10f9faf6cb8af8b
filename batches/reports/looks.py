"""How marks are named and drawn."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from assignments.models import Assignment
from assignments.reports.marks import LOOKS

CHOICES: dict[str, list[tuple[str, str]]] = {
    "reach": [(c.value, str(c.label)) for c in Assignment.Reach],
    "response": [(c.value, str(c.label)) for c in Assignment.Response],
}
# The ways to look at a batch. `tidak` is how far somebody was reached, so the answer has a longer
# name, in addresses as well as on the screen.
SHOWS: dict[str, str | Promise] = {
    "": _("All"),
    "unchecked": _("Unchecked"),
    **dict(CHOICES["reach"]),
    "ya": "Ya",
    "tidak_response": _("No reply"),
}
# What each way keeps, as lookups; all of them keep what is in the batch.
KEPT: dict[str, dict[str, object]] = {
    "": {},
    "unchecked": {"reach": None},
    **{value: {"reach": value} for value, _label in CHOICES["reach"]},
    "ya": {"response": "ya"},
    "tidak_response": {"response": "tidak"},
}
# What several customers can be marked as at once: `field:value`, without a value to clear it.
MARKS: dict[str, str | Promise] = {
    f"{field}:{value}": label for field in CHOICES for value, label in CHOICES[field]
} | {"reach:": _("Clear WhatsApp"), "response:": _("Clear reply")}


@dataclass(frozen=True, slots=True)
class Tally:
    """How many customers of a batch carry one mark."""

    value: str
    label: str
    count: int
    tone: str
    icon: str


def tallies(field: str, counts: dict[str, int]) -> list[Tally]:
    return [
        Tally(value, label, counts[value], *LOOKS[field, value]) for value, label in CHOICES[field]
    ]
