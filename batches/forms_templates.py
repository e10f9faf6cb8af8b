"""The form of a message template."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from batches import message
from batches.message import BODY_LIMIT, FIXED, Flaw
from batches.models import MessageTemplate
from crm.kernel.forms import LinesField
from crm.kernel.text import clean_lines, clean_text, customer_key

_NAMED = 30  # how many fields an error lists


class TemplateForm(forms.Form):
    """A template of one product; `columns` are those that the product's lists show."""

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        help_text=_("Staff choose by it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    body = LinesField(
        label=_("Message"),
        max_length=BODY_LIMIT,
        widget=forms.Textarea(attrs={"rows": 7}),
    )

    def __init__(self, *args: Any, columns: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.columns = columns

    def clean_name(self) -> str:
        name = clean_text(self.cleaned_data["name"])
        if not customer_key(name):  # nothing that could be seen
            raise ValidationError(_("Write a name."))
        return name

    def clean_body(self) -> str:
        body = clean_lines(self.cleaned_data["body"])
        if not customer_key(body):
            raise ValidationError(_("Write a message."))
        if flaws := message.check(body, columns=self.columns):
            raise ValidationError(said_of(flaws, columns=self.columns))
        return body


class EditTemplateForm(TemplateForm):
    """The same, and the version of the template that the admin looked at."""

    version = forms.IntegerField(widget=forms.HiddenInput)


def said_of(flaws: list[Flaw], *, columns: list[str]) -> list[str]:
    """Say what is wrong with a template, and which fields there are."""
    said = []
    for flaw in flaws:
        if flaw.kind == "open":
            said.append(
                _("A brace is left open at “%(text)s”. Write {{ for a brace that stays.")
                % {"text": flaw.text}
            )
        elif flaw.kind == "empty":
            said.append(_("A field has no name: %(text)s.") % {"text": flaw.text})
    unknown = list(dict.fromkeys(flaw.text for flaw in flaws if flaw.kind == "unknown"))
    if unknown:
        fields = [f"{{{name}}}" for name in [*FIXED, *columns][:_NAMED]]
        said.append(
            ngettext(
                "There is no field %(unknown)s. There are: %(fields)s.",
                "There are no fields %(unknown)s. There are: %(fields)s.",
                len(unknown),
            )
            % {
                "unknown": ", ".join(f"{{{name}}}" for name in unknown),
                "fields": ", ".join(fields) + (", …" if len(columns) + 4 > _NAMED else ""),
            }
        )
    return [str(sentence) for sentence in said]


class ChoiceForm(forms.Form):
    """The message that links carry; empty is none."""

    template = forms.TypedChoiceField(coerce=int, empty_value=None, required=False)

    def __init__(self, data: Any, *, templates: list[MessageTemplate]) -> None:
        super().__init__(data)
        field: Any = self.fields["template"]
        field.choices = [("", ""), *((template.pk, template.name) for template in templates)]
