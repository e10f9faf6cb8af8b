"""What people send to delete a database, cleaned."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.kernel.text import clean_text
from databases.models import Database


class DeleteForm(forms.Form):
    """The name of the database, typed: nobody deletes another one by mistake."""

    name = forms.CharField(
        label=gettext_lazy("Name of the database"),
        max_length=200,
        error_messages={"required": gettext_lazy("Type the name of the database to delete it.")},
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
        ),
    )

    def __init__(self, data: Any = None, *, database: Database) -> None:
        super().__init__(data)
        self._database = database

    def clean_name(self) -> str:
        """Refuse every other name; spaces around and between words count as one."""
        typed = clean_text(self.cleaned_data["name"])
        if " ".join(typed.split()) != " ".join(clean_text(self._database.name).split()):
            raise forms.ValidationError(
                _("This is not the name. Type it as it stands above, capitals too.")
            )
        return typed
