"""What a staff sends from a batch."""

from __future__ import annotations

import datetime as dt
from typing import Any, TypedDict

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from assignments.models import Assignment
from batches.models import BatchSetting, ContactAttempt, MessageTemplate
from batches.reports import MARKS, SHOWS
from crm.kernel.forms import LinesField
from crm.kernel.text import clean_lines, clean_text, customer_key
from databases.models import Product

MOST_AT_ONCE = 500  # ticked one by one; all that are shown have no such limit


class Place(TypedDict):
    """Where in a batch somebody is: which customers are shown, from which record on, how."""

    show: str
    q: str
    start: int | None
    select: bool


class PlaceForm(forms.Form):
    """The place in the address. What means nothing is the beginning, as in an old bookmark."""

    show = forms.ChoiceField(choices=list(SHOWS.items()), required=False)
    q = forms.CharField(max_length=100, required=False)
    start = forms.IntegerField(min_value=0, max_value=2**63 - 1, required=False)
    select = forms.BooleanField(required=False)

    def place(self) -> Place:
        self.is_valid()
        given = self.cleaned_data
        return {
            "show": given.get("show") or "",
            "q": clean_text(given.get("q") or ""),
            "start": given.get("start"),
            "select": bool(given.get("select")),
        }


class ListForm(forms.Form):
    """The filters of the list of batches. What means nothing filters nothing."""

    show = forms.ChoiceField(choices=[("unfinished", ""), ("finished", "")], required=False)
    product = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)

    def filters(self) -> dict[str, Any]:
        self.is_valid()
        given = self.cleaned_data
        return {"show": given.get("show") or "", "product_id": given.get("product")}


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


class MarkManyForm(forms.Form):
    """One mark for several customers: the ticked ones, or all that are shown."""

    mark = forms.ChoiceField(
        choices=list(MARKS.items()),
        error_messages={
            "invalid_choice": _("Choose one of the buttons."),
            "required": _("Choose one of the buttons."),
        },
    )
    all = forms.BooleanField(required=False)
    confirmed = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        mark = given.get("mark", "")
        given["field"], _colon, value = mark.partition(":")
        given["value"] = value or None
        given["ids"] = [] if given.get("all") else self._ids()
        return given

    def _ids(self) -> list[int]:
        """Read the ticked boxes; whose they are is asked when they are marked."""
        ticked = self.data.getlist("ids") if hasattr(self.data, "getlist") else []
        try:
            # 0 is nobody: a number too long for any must be refused like every other stranger's.
            ids = sorted({int(one) if len(one) <= 18 else 0 for one in ticked})
        except ValueError:
            ids = []
        if len(ids) > MOST_AT_ONCE:
            raise ValidationError(
                _t("Choose at most %(most)s customers, or all that are shown.")
                % {"most": MOST_AT_ONCE}
            )
        if not ids:
            raise ValidationError(_t("Choose at least one customer."))
        return ids


class UndoForm(forms.Form):
    """Which act of marking is to be undone: its mark, its moment in microseconds, for whom."""

    field = forms.ChoiceField(choices=[("reach", ""), ("response", "")])
    at = forms.IntegerField(min_value=1, max_value=4_102_444_800_000_000)
    customer = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)

    def moment(self) -> dt.datetime:
        """Give the moment of the act, to the microsecond."""
        return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(
            microseconds=self.cleaned_data["at"]
        )


class NoteForm(forms.ModelForm):  # type: ignore[type-arg]
    """What is known about a customer; `version` is that of the note it was typed over."""

    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    class Meta:
        model = Assignment
        fields = ("note",)
        field_classes = {"note": LinesField}
        widgets = {"note": forms.Textarea(attrs={"rows": 3, "maxlength": 500})}

    def clean_note(self) -> str:
        note = clean_lines(self.cleaned_data["note"])
        return note if customer_key(note) else ""  # nothing that could be seen


class TitleForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a batch is called; `version` is that of the title it was typed over."""

    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    class Meta:
        model = BatchSetting
        fields = ("title",)

    def clean_title(self) -> str:
        title = clean_text(self.cleaned_data["title"])
        return title if customer_key(title) else ""  # nothing that could be seen


class PinForm(forms.Form):
    """Whether a batch stands before the others."""

    pinned = forms.TypedChoiceField(
        choices=[("1", ""), ("0", "")], coerce=lambda value: value == "1"
    )


class AttemptForm(forms.Form):
    """How a customer was gone after, and with which message of their product."""

    kind = forms.ChoiceField(choices=ContactAttempt.Kind.choices)
    template = forms.ModelChoiceField(MessageTemplate.objects.none(), required=False)

    def __init__(self, data: Any, *, product: Product | None) -> None:
        super().__init__(data)
        chosen: Any = self.fields["template"]
        # Archived ones too: the page that offered it may be older.
        chosen.queryset = MessageTemplate.objects.of_product(product)
