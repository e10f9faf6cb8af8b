"""What happens to the records of somebody who leaves."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User


class Holdings(models.TextChoices):
    RECALL = "recall", _("Take them back to the shelf")
    HAND_OVER = "hand_over", _("Hand them over to somebody else")
    KEEP = "keep", _("Leave them as they are for now")


class LeavingForm(forms.Form):
    """Asked only of people who hold records or wait for some."""

    holdings = forms.ChoiceField(
        label=_("Their records"),
        choices=Holdings.choices,
        initial=Holdings.RECALL,
        widget=forms.RadioSelect,
    )
    to = forms.ModelChoiceField(
        label=_("New holder"), queryset=User.objects.none(), required=False, empty_label="–"
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        to = cast("forms.ModelChoiceField[User]", self.fields["to"])
        to.queryset = User.objects.staff().active().exclude(pk=person.pk).order_by("name")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        nobody = not cleaned.get("to") and "to" not in self.errors
        if cleaned.get("holdings") == Holdings.HAND_OVER and nobody:
            self.add_error("to", _("Choose who gets the records."))
        return cleaned
