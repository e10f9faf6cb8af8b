"""The file of corrected rows, as it is sent."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from databases.forms_upload import EMPTY, too_large, wrong_kind
from databases.services.uploads import EXTENSIONS, extension_of

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile


class CorrectionForm(forms.Form):
    """A file of corrected rows; `failed` says why it did not arrive: too_large or not_stored."""

    token = forms.UUIDField(widget=forms.HiddenInput)
    file = forms.FileField(
        label=_("Corrected rows"),
        max_length=None,
        error_messages={"empty": EMPTY, "required": _("Choose the file with the corrected rows.")},
        widget=forms.FileInput(attrs={"accept": ",".join(EXTENSIONS)}),
    )

    def __init__(self, *args: Any, failed: str = "", **kwargs: Any) -> None:
        kwargs.setdefault("initial", {}).setdefault("token", uuid.uuid4())
        super().__init__(*args, **kwargs)
        self.failed = failed
        if failed:
            self.fields["file"].required = False

    def clean_file(self) -> UploadedFile | None:
        upload: UploadedFile | None = self.cleaned_data["file"]
        if self.failed == "too_large":
            raise forms.ValidationError(too_large())
        if upload is not None and extension_of(upload.name or "") not in EXTENSIONS:
            raise forms.ValidationError(wrong_kind())
        return upload
