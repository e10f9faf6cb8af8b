"""What people fill in about uploads and databases."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from crm.kernel.text import clean_text
from databases.importing.process import sentence
from databases.models import Database, Import, Product, ReceivedFile, Role
from databases.services.uploads import EXTENSIONS, default_title, extension_of

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


class UploadForm(forms.Form):
    """A file and what it is. One that arrived is kept (`received`) and need not come again."""

    token = forms.UUIDField(widget=forms.HiddenInput)
    received = forms.UUIDField(widget=forms.HiddenInput, required=False)
    product = forms.ModelChoiceField(
        label=_("Product"),
        queryset=Product.objects.none(),
        empty_label=_("Choose a product"),
    )
    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        required=False,
        help_text=_("Left blank: the name of the file."),
    )
    description = forms.CharField(
        label=_("Description"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    file = forms.FileField(
        label=_("CSV or Excel file"),
        required=False,
        max_length=None,
        error_messages={"empty": _("This file is empty. Choose the file that has the rows.")},
        widget=forms.FileInput(attrs={"accept": ",".join(EXTENSIONS)}),
    )

    def __init__(self, *args: Any, by: User, failed: str = "", **kwargs: Any) -> None:
        """`failed` says why the file did not arrive: too_large or not_stored."""
        kwargs.setdefault("initial", {}).setdefault("token", uuid.uuid4())
        super().__init__(*args, **kwargs)
        self.by = by
        self.failed = failed
        self.kept: ReceivedFile | None = None
        products = cast("forms.ModelChoiceField[Product]", self.fields["product"])
        products.queryset = Product.objects.current().order_by("name")

    def clean_name(self) -> str:
        return clean_text(self.cleaned_data["name"])

    def clean_file(self) -> UploadedFile | None:
        upload: UploadedFile | None = self.cleaned_data["file"]
        if self.failed == "too_large":
            raise forms.ValidationError(too_large())
        if upload is not None and extension_of(upload.name or "") not in EXTENSIONS:
            raise forms.ValidationError(wrong_kind())
        return upload

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("received") and not cleaned.get("file"):
            kept = ReceivedFile.objects.visible_to(self.by).filter(pk=cleaned["received"])
            self.kept = kept.first()
        if not self.kept and not cleaned.get("file") and "file" not in self.errors:
            self.add_error("file", gettext("Choose a file."))
        return cleaned

    @property
    def texts(self) -> dict[str, str]:
        """What the browser says of a file before it is sent."""
        return {"wrong_kind": wrong_kind(), "too_large": too_large()}

    @property
    def limit_mb(self) -> int:
        return int(settings.UPLOAD_MAX_BYTES) // (1024 * 1024)

    def keep(self, received: ReceivedFile) -> None:
        """Remember a file that has arrived, for the next time this form is sent."""
        self.kept = received
        data = self.data.copy()  # type: ignore[attr-defined]  # a QueryDict, as from a request
        data["received"] = str(received.pk)
        if not data.get("name"):
            data["name"] = default_title(received.original_name)
        self.data = data


def wrong_kind() -> str:
    """Say that a file's name ends in nothing that can be read."""
    return sentence("extension")


def too_large() -> str:
    """Say that a file is larger than the server takes."""
    return gettext(
        "This file is larger than %(limit)s MB. Split it, or ask whoever runs the server."
    ) % {"limit": settings.UPLOAD_MAX_BYTES // (1024 * 1024)}


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
        return {
            "encoding": chosen["encoding"] or None,
            "delimiter": chosen["delimiter"] or None,
            "sheet": chosen["sheet"] or None,
            "header_row": chosen["header_row"] if chosen["header_row"] != "" else None,
        }

    @property
    def cuts_otherwise(self) -> bool:
        """Whether the columns would be others, so that their roles are to be guessed anew."""
        return any(
            self.fields[name].initial != self.cleaned_data[name]
            for name in ("encoding", "delimiter", "sheet", "header_row")
        )

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
