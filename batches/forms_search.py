"""What a staff looks for among all their customers."""

from __future__ import annotations

from django import forms

from crm.kernel.text import clean_text

LEAST = 3  # letters or digits: fewer mean half of everybody


class SearchForm(forms.Form):
    """The words and the page in the address. What means nothing looks for nobody."""

    q = forms.CharField(max_length=100, required=False)
    after = forms.CharField(max_length=40, required=False)

    def text(self) -> str:
        return clean_text(self._given("q"))

    def page(self) -> str:
        return self._given("after")

    def is_enough(self) -> bool:
        """Whether there is enough to look for somebody by."""
        return sum(letter.isalnum() for letter in self.text()) >= LEAST

    def _given(self, name: str) -> str:
        self.is_valid()
        return str(self.cleaned_data.get(name) or "")
