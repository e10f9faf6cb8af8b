"""What people choose for the columns of a database."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from databases.forms import IDENTITY, ROLES
from databases.importing.again import moves_identity
from databases.models import Database


class ColumnsForm(forms.Form):
    """A role for each column, the version that the person looked at, and what they were shown."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    shown = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, database: Database, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.database = database
        self.fields["version"].initial = database.version
        for position, (column, role) in enumerate(
            zip(database.columns, database.roles, strict=True)
        ):
            self.fields[f"role{position}"] = forms.ChoiceField(
                label=_("Role of column %(name)s") % {"name": column},
                choices=ROLES,
                initial=role,
                required=False,
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        roles = [cleaned.get(f"role{i}", "") for i in range(len(self.database.columns))]
        for role in IDENTITY:
            if roles.count(role.value) > 1:
                raise forms.ValidationError(
                    gettext("Only one column can be “%(role)s”.") % {"role": role.label}
                )
        cleaned["roles"] = roles
        return cleaned

    @property
    def roles(self) -> list[str]:
        """The roles that were chosen; those of the database while nothing usable was."""
        chosen: list[str] = (
            self.cleaned_data["roles"] if self.is_valid() else list(self.database.roles)
        )
        return chosen

    @property
    def key(self) -> str:
        """The chosen roles as one text: what a page that shows them sends back as `shown`."""
        return ",".join(self.roles)

    @property
    def moves(self) -> bool:
        """Whether all rows would have to be judged anew."""
        return moves_identity(self.database.roles, self.roles)

    @property
    def is_new_to_reader(self) -> bool:
        """Whether the person has not yet seen what the choice does to the rows."""
        return self.moves and self.cleaned_data["shown"] != self.key

    @property
    def columns(self) -> list[tuple[str, forms.BoundField]]:
        """Each column with the select of its role."""
        return [(name, self[f"role{i}"]) for i, name in enumerate(self.database.columns)]
