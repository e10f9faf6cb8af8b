"""What people send to the request pages, cleaned."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from assignments.models import Assignment, RecordRequest
from assignments.reports.database_rows import NONE, STATES, Place, RowFilters
from assignments.reports.row_search import STEP as FIRST_STEP
from crm.kernel.text import clean_text
from databases.models import Database, Product, Program
from databases.models.shelf import Attention

_REASON_LENGTH = 300
_SEARCH_LENGTH = 100
_MANY = 1_000_000
DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


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
    product = forms.ModelChoiceField(
        label=_("Product"),
        required=False,
        queryset=Product.objects.none(),
        empty_label=_("All products"),
    )
    database = forms.ModelChoiceField(
        label=_("Database"),
        required=False,
        queryset=Database.objects.none(),
        empty_label=_("All databases"),
    )
    since = forms.DateField(label=_("From"), required=False, widget=DAY)
    until = forms.DateField(label=_("To"), required=False, widget=DAY)

    def __init__(self, data: Any, *, user: User) -> None:
        super().__init__(data)
        staff = cast("forms.ModelChoiceField[User]", self.fields["staff"])
        staff.queryset = User.objects.staff().order_by("name")
        product = cast("forms.ModelChoiceField[Product]", self.fields["product"])
        product.queryset = Product.objects.visible_to(user).order_by("name")
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


class RowFilterForm(forms.Form):
    """Which rows of a database to show, and from which on. All of it stands in the address."""

    q = forms.CharField(required=False)
    state = forms.ChoiceField(required=False, choices=[(state, state) for state in STATES])
    reason = forms.ChoiceField(required=False, choices=Attention.choices)
    staff = forms.IntegerField(required=False, min_value=1)
    reach = forms.ChoiceField(required=False, choices=[*Assignment.Reach.choices, (NONE, NONE)])
    response = forms.ChoiceField(
        required=False, choices=[*Assignment.Response.choices, (NONE, NONE)]
    )
    after = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1)

    def filters(self) -> RowFilters:
        """Give what was understood; a filter that means nothing filters nothing."""
        self.is_valid()
        got = self.cleaned_data
        return RowFilters(
            search=clean_text(got.get("q", ""))[:_SEARCH_LENGTH],
            state=got.get("state", ""),
            reason=got.get("reason", ""),
            staff_id=got.get("staff"),
            reach=got.get("reach", ""),
            response=got.get("response", ""),
        )

    def after_row(self) -> int:
        """Give the number of the row after which the page begins."""
        self.is_valid()
        return self.cleaned_data.get("after") or 0


class ScanForm(RowFilterForm):
    """Where a scan of all cells goes on, how much of it at once, and what it has found so far."""

    rows = forms.IntegerField(required=False, min_value=1, max_value=_MANY)
    found = forms.IntegerField(required=False, min_value=0, max_value=_MANY * 10)
    stop = forms.BooleanField(required=False)

    def place(self) -> Place:
        """Give where the scan is; what makes no sense begins it anew."""
        after, got = self.after_row(), self.cleaned_data
        return Place(after, got.get("rows") or FIRST_STEP, got.get("found") or 0)

    def is_stopped(self) -> bool:
        self.is_valid()
        return bool(self.cleaned_data.get("stop"))
