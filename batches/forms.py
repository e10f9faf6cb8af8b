"""What a staff sends from a batch."""

from __future__ import annotations

from typing import Any, TypedDict

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from assignments.models import Assignment
from batches.reports import SHOWS


class Place(TypedDict):
    """Where in a batch somebody is: which customers are shown, from which record on."""

    show: str
    start: int | None


class PlaceForm(forms.Form):
    """The place in the address. What means nothing is the beginning, as in an old bookmark."""

    show = forms.ChoiceField(choices=list(SHOWS.items()), required=False)
    start = forms.IntegerField(min_value=0, max_value=2**63 - 1, required=False)

    def place(self) -> Place:
        self.is_valid()
        given = self.cleaned_data
        return {"show": given.get("show") or "", "start": given.get("start")}


class WantedField(forms.TypedChoiceField):
    """One of the choices, or empty to take a mark back; left out altogether is a mistake."""

    def __init__(self, choices: type[Assignment.Reach] | type[Assignment.Response]) -> None:
        super().__init__(
            choices=[("", "–"), *choices.choices],
            coerce=choices,
            empty_value=None,
            required=False,
            error_messages={
                "invalid_choice": _("Choose one of the buttons."),
                "required": _("Choose one of the buttons."),
            },
        )

    def clean(self, value: Any) -> Any:
        if value is None:
            raise ValidationError(self.error_messages["required"], code="required")
        return super().clean(value)


class ReachForm(forms.Form):
    """The reach that is wanted."""

    reach = WantedField(Assignment.Reach)


class ResponseForm(forms.Form):
    """The response that is wanted."""

    response = WantedField(Assignment.Response)
