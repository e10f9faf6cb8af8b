"""The form of a product."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.kernel.text import clean_text, customer_key


class ProductForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def clean_name(self) -> str:
        name = clean_text(self.cleaned_data["name"])
        if not customer_key(name):  # nothing that could be seen
            raise forms.ValidationError(_("Write a name."))
        return name


class RenameProductForm(ProductForm):
    version = forms.IntegerField(widget=forms.HiddenInput)
