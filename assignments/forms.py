"""What people send to the request pages, cleaned."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from assignments.models import RecordRequest
from databases.models import Database, Program

_REASON_LENGTH = 300
_MANY = 1_000_000


class AskForm(forms.Form):
    """How many records of one database, and why. `offer` is the number a refusal offered."""

    quantity = forms.IntegerField(
        label=_("Quantity"),
        min_value=1,
        max_value=_MANY,
        initial=50,
        widget=forms.NumberInput(
            attrs={"inputmode": "numeric", "enterkeyhint": "done", "autocomplete": "off"}
        ),
    )
    offer = forms.IntegerField(
        min_value=1, max_value=_MANY, required=False, widget=forms.HiddenInput
    )
    note = forms.CharField(
        label=_("Note"),
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"enterkeyhint": "send"}),
    )
    token = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """Let the offered number stand for the typed one, whatever that was."""
        cleaned = super().clean() or {}
        if offer := cleaned.pop("offer", None):
            self.errors.pop("quantity", None)
            cleaned["quantity"] = offer
        return cleaned


class ApproveForm(forms.Form):
    """How many of the asked records to give."""

    quantity = forms.IntegerField(
        min_value=1,
        max_value=_MANY,
        error_messages={
            "required": _("Give a number."),
            "invalid": _("Give a number."),
            "min_value": _("Give at least 1, or reject the request."),
        },
    )


class RejectForm(forms.Form):
    """Why a request is refused; the staff reads it."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=_REASON_LENGTH,
        error_messages={"required": _("Say why, in a few words: the staff reads it.")},
        widget=forms.TextInput(attrs={"enterkeyhint": "done", "autocomplete": "off"}),
    )


class BulkForm(forms.Form):
    """One decision for several requests."""

    APPROVE, REJECT = "approve", "reject"

    do = forms.ChoiceField(choices=[(APPROVE, APPROVE), (REJECT, REJECT)])
    reason = forms.CharField(max_length=_REASON_LENGTH, required=False)
    id = forms.TypedMultipleChoiceField(
        coerce=int, error_messages={"required": _("Select at least one request.")}
    )

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        # Which ids are theirs to decide is asked of the database, all at once, by the view.
        sent = [value for value in data.getlist("id") if value.isascii() and value.isdigit()]
        field = cast("forms.TypedMultipleChoiceField", self.fields["id"])
        field.choices = [(value, value) for value in sent if len(value) < 19]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("do") == self.REJECT and not cleaned.get("reason"):
            self.add_error("reason", _("Say why, in a few words: the staff reads it."))
        return cleaned


class HistoryFilterForm(forms.Form):
    """Which decided requests to show. All in the address, so that a page can be sent to others."""

    status = forms.ChoiceField(
        label=_("Status"),
        required=False,
        choices=[
            ("", _("All results")),
            *[
                choice
                for choice in RecordRequest.Status.choices
                if choice[0] != RecordRequest.Status.PENDING
            ],
        ],
    )
    staff = forms.ModelChoiceField(
        label=_("Staff"), required=False, queryset=User.objects.none(), empty_label=_("All staff")
    )
    database = forms.ModelChoiceField(
        label=_("Database"),
        required=False,
        queryset=Database.objects.none(),
        empty_label=_("All databases"),
    )
    day = forms.DateField(
        label=_("Day"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, data: Any, *, user: User) -> None:
        super().__init__(data)
        staff = cast("forms.ModelChoiceField[User]", self.fields["staff"])
        staff.queryset = User.objects.staff().order_by("name")
        database = cast("forms.ModelChoiceField[Database]", self.fields["database"])
        database.queryset = (
            Database.objects.visible_to(user)
            .in_program(Program.STANDARD)
            .only("pk", "name")
            .order_by("name")
        )

    def chosen(self) -> dict[str, Any]:
        """Give what was understood; a filter that means nothing filters nothing."""
        self.is_valid()
        return {name: self.cleaned_data.get(name) or None for name in self.fields} | {
            "status": self.cleaned_data.get("status") or ""
        }
