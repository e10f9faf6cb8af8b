"""What people fill in about uploads and databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.kernel.text import clean_text
from databases.models import Database, Import, Product, Role

IDENTITY = (Role.USERNAME, Role.NAME, Role.PHONE)
# Encodings and delimiters as the reader names them.
ENCODINGS = [
    ("utf-8", "UTF-8"),
    ("utf-16", "UTF-16"),
    ("cp1252", "Windows-1252"),
    ("latin-1", "ISO-8859-1"),
]
_MORE_ENCODINGS = {
    "utf-8-sig": "UTF-8 (BOM)",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
    "utf-32": "UTF-32",
}
DELIMITERS = [
    (",", _("Comma ,")),
    (";", _("Semicolon ;")),
    ("\t", _("Tab")),
    ("|", _("Pipe |")),
]
HEADER_ROWS = 20


class CheckForm(forms.Form):
    """How a file is read and what its columns are for, as selects over what was found."""

    encoding = forms.ChoiceField(label=_("Encoding"), required=False)
    delimiter = forms.ChoiceField(label=_("Delimiter"), required=False)
    sheet = forms.ChoiceField(label=_("Sheet"), required=False)
    header_row = forms.TypedChoiceField(label=_("Header row"), required=False, coerce=int)

    def __init__(self, *args: Any, source: Import, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.source = source
        reading = source.reading
        self._offer("encoding", ENCODINGS, reading.get("encoding", ""), _("None in a workbook"))
        self._offer("delimiter", DELIMITERS, reading.get("delimiter", ""), _("None in a workbook"))
        sheets = [(name, name) for name in reading.get("sheets", [])]
        self._offer("sheet", sheets, reading.get("sheet", ""), _("None in a CSV"))
        found = reading.get("header_row", 1)
        rows = [(n, gettext("Row %(number)s") % {"number": n}) for n in range(1, HEADER_ROWS + 1)]
        if found > HEADER_ROWS:
            rows.append((found, gettext("Row %(number)s") % {"number": found}))
        self._offer("header_row", [*rows, (0, gettext("No header"))], found, "")
        for position, column in enumerate(reading.get("columns", [])):
            self.fields[f"role{position}"] = forms.ChoiceField(
                label=_("Role of column %(name)s") % {"name": column["name"]},
                choices=ROLES,
                initial=column["role"],
                required=False,
            )

    def _offer(self, name: str, choices: list[Any], found: Any, none: Any) -> None:
        field = cast("forms.ChoiceField", self.fields[name])
        if found == "":
            # Nothing to choose for this kind of file.
            field.choices = [("", none)]
            field.disabled = True
        elif found not in [value for value, _label in choices]:
            field.choices = [*choices, (found, _MORE_ENCODINGS.get(found, str(found)))]
        else:
            field.choices = choices
        field.initial = found

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        roles = [cleaned.get(f"role{i}", "") for i in range(len(self.source.reading["columns"]))]
        for role in IDENTITY:
            if roles.count(role.value) > 1:
                raise forms.ValidationError(
                    gettext("Only one column can be “%(role)s”.") % {"role": role.label}
                )
        cleaned["roles"] = roles
        return cleaned

    @property
    def columns(self) -> list[tuple[dict[str, Any], forms.BoundField, int]]:
        """Each column with its role's select and how sure the guess is, in percent."""
        return [
            (column, self[f"role{position}"], round(column["confidence"] * 100))
            for position, column in enumerate(self.source.reading["columns"])
        ]

    @property
    def file_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("encoding", "delimiter", "sheet", "header_row")]

    @property
    def file_choices(self) -> dict[str, Any]:
        """What was chosen of how to cut the file into columns."""
        chosen = self.cleaned_data
        header_row = chosen["header_row"]
        if header_row == "" or self._header_may_move:
            header_row = None
        return {
            "encoding": chosen["encoding"] or None,
            "delimiter": chosen["delimiter"] or None,
            "sheet": chosen["sheet"] or None,
            "header_row": header_row,
        }

    @property
    def _header_may_move(self) -> bool:
        """Whether the header is to be looked for: on another sheet, or where none was found."""
        found, chosen = self.fields["header_row"].initial, self.cleaned_data["header_row"]
        if chosen != found:
            return False
        return bool(self._changes("sheet") or (found == 0 and self.cuts_otherwise))

    def _changes(self, name: str) -> bool:
        return bool(self.fields[name].initial != self.cleaned_data[name])

    @property
    def cuts_otherwise(self) -> bool:
        """Whether the columns would be others, so that their roles are to be guessed anew."""
        return any(self._changes(name) for name in ("encoding", "delimiter", "sheet", "header_row"))

    @property
    def counts_otherwise(self) -> bool:
        """Whether the numbers on the page would no longer be true."""
        before = [column["role"] for column in self.source.reading["columns"]]
        return self.cuts_otherwise or any(
            old != new and (old in IDENTITY or new in IDENTITY)
            for old, new in zip(before, self.cleaned_data["roles"], strict=True)
        )

    @property
    def choices_to_read(self) -> dict[str, Any]:
        """What the reader is asked next time."""
        roles = None if self.cuts_otherwise else self.cleaned_data["roles"]
        return {**self.file_choices, "roles": roles}


ROLES = [
    (Role.USERNAME.value, Role.USERNAME.label),
    (Role.NAME.value, Role.NAME.label),
    (Role.PHONE.value, Role.PHONE.label),
    (Role.SENSITIVE.value, Role.SENSITIVE.label),
    (Role.KEEP.value, Role.KEEP.label),
    (Role.IGNORE.value, Role.IGNORE.label),
]
_STAFF_ROLES = [
    (Role.KEEP.value, _("Shown to staff")),
    (Role.SENSITIVE.value, _("Sensitive: never shown to staff")),
    (Role.IGNORE.value, _("Ignored: not shown to staff")),
]


if TYPE_CHECKING:
    _DatabaseModelForm = forms.ModelForm[Database]
else:  # the class takes a parameter only in its type hints
    _DatabaseModelForm = forms.ModelForm


class DatabaseForm(_DatabaseModelForm):
    """What may be changed of a database, and the version that the person looked at."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    class Meta:
        model = Database
        fields = ["name", "product", "description"]
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Saving an edit that began from an old page must not look like one of this page.
        self.fields["version"].initial = self.instance.version
        products = cast("forms.ModelChoiceField[Product]", self.fields["product"])
        mine = Product.objects.filter(pk=self.instance.product_id or 0)
        products.queryset = (Product.objects.current() | mine).order_by("name")
        products.empty_label = gettext("Unknown")
        products.label, products.required = _("Product"), False
        for position, (column, role) in enumerate(
            zip(self.instance.columns, self.instance.roles, strict=True)
        ):
            if role not in IDENTITY:
                self.fields[f"role{position}"] = forms.ChoiceField(
                    label=column, choices=_STAFF_ROLES, initial=role, required=False
                )

    def clean_name(self) -> str:
        return clean_text(self.cleaned_data["name"])

    @property
    def roles(self) -> list[str]:
        """The role of each column, the identity columns' as they are."""
        return [
            self.cleaned_data.get(f"role{position}", role)
            for position, role in enumerate(self.instance.roles)
        ]

    @property
    def role_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("role")]
