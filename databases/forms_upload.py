"""What people fill in to upload a file, and what a script announces of one it sends in pieces."""

from __future__ import annotations

import uuid
from typing import Any, cast

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from crm.kernel.text import clean_text
from databases.importing.process import sentence
from databases.models import Import, Product, ReceivedFile
from databases.services.uploads import EXTENSIONS, default_title, extension_of

EMPTY = _("This file is empty. Choose the file that has the rows.")


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
        error_messages={"empty": EMPTY},
        widget=forms.FileInput(attrs={"accept": ",".join(EXTENSIONS)}),
    )

    def __init__(self, *args: Any, by: User, failed: str = "", **kwargs: Any) -> None:
        """`failed` says why the file did not arrive: too_large or not_stored."""
        kwargs.setdefault("initial", {}).setdefault("token", uuid.uuid4())
        super().__init__(*args, **kwargs)
        self.by = by
        self.failed = failed
        self.kept: ReceivedFile | None = None
        self.made: Import | None = None  # what this very form has made before
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
            kept = ReceivedFile.objects.visible_to(self.by).whole().filter(pk=cleaned["received"])
            self.kept = kept.first()
            if self.kept is None and cleaned.get("token"):
                mine = Import.objects.visible_to(self.by).filter(uploaded_by=self.by)
                self.made = mine.filter(token=cleaned["token"]).first()
        arrived = self.kept or self.made or cleaned.get("file")
        if not arrived and "file" not in self.errors:
            self.add_error("file", gettext("Choose a file."))
        return cleaned

    @property
    def texts(self) -> dict[str, Any]:
        """What the browser says of a file before it is sent."""
        return {"wrong_kind": wrong_kind(), "too_large": too_large(), "empty": EMPTY}

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


class ReceiveForm(forms.Form):
    """The name and size of a file: what is refused for them is refused before it travels."""

    name = forms.CharField(max_length=1000)
    size = forms.IntegerField(min_value=0)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if extension_of(name) not in EXTENSIONS:
            raise forms.ValidationError(wrong_kind())
        return name

    def clean_size(self) -> int:
        size: int = self.cleaned_data["size"]
        if not size:
            raise forms.ValidationError(EMPTY)
        if size > settings.UPLOAD_MAX_BYTES:
            raise forms.ValidationError(too_large())
        return size

    @property
    def refusal(self) -> str:
        """The first reason to refuse, as a sentence."""
        return str(next(iter(self.errors.values()))[0])


class PieceForm(forms.Form):
    """Where a piece of a file begins."""

    offset = forms.IntegerField(min_value=0)
