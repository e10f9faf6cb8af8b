"""The cells of a row that needs attention, as they can be typed anew."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from assignments.reports.attention import wrong_positions
from databases.importing.limits import CELL_CHARACTERS
from databases.models import Record, Role

_LONG = 120  # characters from which a cell gets several lines
_OFFERED = 2_000  # longer cells that are not the reason stay out of the form, as they are


class RepairForm(forms.Form):
    """What a row should hold. Cells that are not sent stay as they are stored.

    `wrong` names the fields of the cells that matter; the others are there to be opened.
    """

    def __init__(self, *args: Any, record: Record, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.record = record
        self.columns = list(record.database.columns)
        wrong = wrong_positions(record)
        self.wrong = [self._add(position) for position in wrong]
        self.others = [
            self._add(position)
            for position in range(max(len(self.columns), len(record.cells)))
            if position not in wrong and len(self._stored(position)) <= _OFFERED
        ]

    def _stored(self, position: int) -> str:
        cells = self.record.cells
        return cells[position] if position < len(cells) else ""

    def _add(self, position: int) -> str:
        name, stored = f"cell{position}", self._stored(position)
        several = len(stored) > _LONG or "\n" in stored
        widget = forms.Textarea(attrs={"rows": 4}) if several else forms.TextInput()
        widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}
        is_phone = self._role(position) == Role.PHONE
        if is_phone:
            widget.attrs |= {"inputmode": "tel"}
        named = position < len(self.columns)
        self.fields[name] = forms.CharField(
            label=self.columns[position] if named else _("Without a column"),
            initial=stored,
            required=False,
            strip=False,
            max_length=CELL_CHARACTERS,
            widget=widget,
        )
        return name

    def _role(self, position: int) -> str:
        roles = self.record.database.roles
        return roles[position] if position < len(roles) else ""

    @property
    def wrong_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.wrong]

    @property
    def other_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.others]

    @property
    def has_other_errors(self) -> bool:
        return any(name in self.errors for name in self.others)

    @property
    def cells(self) -> list[str]:
        """The whole row: what was typed over what is stored."""
        cells = list(self.record.cells)
        cells += [""] * (len(self.columns) - len(cells))
        for position in range(len(cells)):
            name = f"cell{position}"
            if name not in self.fields or self.add_prefix(name) not in self.data:
                continue
            typed = self.cleaned_data[name].replace("\r\n", "\n")
            # A browser changes line ends; that is nobody's correction.
            if typed != cells[position].replace("\r\n", "\n"):
                cells[position] = typed
        return cells
