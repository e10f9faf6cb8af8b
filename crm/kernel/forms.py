"""How every form is drawn: classes on the controls; label, help and errors around them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.forms.renderers import TemplatesSetting

_CLASSES: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.RadioSelect, ""),
    (forms.CheckboxSelectMultiple, ""),
    (forms.CheckboxInput, ""),
    (forms.HiddenInput, ""),
    (forms.Select, "select"),
    (forms.Textarea, "textarea"),
    (forms.FileInput, "input"),
    (forms.widgets.Input, "input"),
)


class LinesField(forms.CharField):
    """Text of several lines. A line break is one character, as for the control's `maxlength`."""

    def to_python(self, value: Any) -> Any:
        """Give the text with plain line breaks, before its length is looked at."""
        text = super().to_python(value)
        return text.replace("\r\n", "\n").replace("\r", "\n") if isinstance(text, str) else text


class UIBoundField(BoundField):
    """A field whose control carries the class of the style sheet."""

    def build_widget_attrs(
        self, attrs: dict[str, Any], widget: forms.Widget | None = None
    ) -> dict[str, Any]:
        """Add our class to what Django sets (id, required, aria-invalid, aria-describedby)."""
        built: dict[str, Any] = super().build_widget_attrs(attrs, widget)
        widget = widget or self.field.widget
        ours = next((css for kind, css in _CLASSES if isinstance(widget, kind)), "")
        given = str(built.get("class") or widget.attrs.get("class") or "")
        classes = " ".join(part for part in (ours, given) if part)
        return built | {"class": classes} if classes else built


class Renderer(TemplatesSetting):
    """Draws forms with the project's own templates (`templates/django/forms/`)."""

    bound_field_class = UIBoundField
