"""Forms of signing in and of people. Each names its fields: what else is posted is ignored."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from accounts.models import User, normalise_email
from crm.kernel.text import clean_text, customer_key

PASSWORD_MAX = 128


class SignInForm(forms.Form):
    email = forms.CharField(
        label=_("E-mail"),
        max_length=254,
        widget=forms.EmailInput(
            attrs={"autocomplete": "username", "inputmode": "email", "enterkeyhint": "next"}
        ),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=PASSWORD_MAX,
        strip=False,
        widget=forms.PasswordInput(
            attrs={"autocomplete": "current-password", "enterkeyhint": "go"}
        ),
    )


class ChangePasswordForm(forms.Form):
    old_password = forms.CharField(
        label=_("Current password"),
        max_length=PASSWORD_MAX,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new_password = forms.CharField(
        label=_("New password"),
        max_length=PASSWORD_MAX,
        strip=False,
        help_text=_("At least 10 characters. Not a common word, not like your name."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_new_password(self) -> str:
        password: str = self.cleaned_data["new_password"]
        validate_password(password, self.user)
        if password == self.cleaned_data.get("old_password"):
            raise forms.ValidationError(_("Choose a password that is not the current one."))
        return password


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    language = forms.ChoiceField(label=_("Language"), required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)

    class Meta:
        model = User
        fields = ("name", "language", "theme", "shortcuts")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["version"].initial = self.instance.version
        own: list[tuple[str, Any]] = [("", _("As usual"))]
        self.fields["language"].choices = own + LANGUAGES  # type: ignore[attr-defined]
        self.fields["name"].widget.attrs["autocomplete"] = "name"

    def clean_name(self) -> str:
        return _cleaned_name(self.cleaned_data["name"])


class PersonForm(forms.Form):
    """A person, as an admin makes or edits them. Whether the e-mail is free the database says."""

    name = forms.CharField(
        label=_("Name"), max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "inputmode": "email"}),
    )
    role = forms.ChoiceField(label=_("Role"), choices=User.Role.choices, initial=User.Role.STAFF)

    def clean_name(self) -> str:
        return _cleaned_name(self.cleaned_data["name"])

    def clean_email(self) -> str:
        return normalise_email(self.cleaned_data["email"])


class EditPersonForm(PersonForm):
    """The same, and the version of the person that the admin looked at."""

    version = forms.IntegerField(widget=forms.HiddenInput)


class LanguageForm(forms.Form):
    language = forms.ChoiceField(choices=settings.LANGUAGES)


class ThemeForm(forms.Form):
    theme = forms.ChoiceField(choices=User.Theme.choices)


# Languages by their own names: who cannot read the page finds the way out of it.
LANGUAGES: list[tuple[str, Any]] = [("id", "Bahasa Indonesia"), ("en", "English")]


def _cleaned_name(value: str) -> str:
    name = clean_text(value)
    if not customer_key(name):  # nothing that could be seen
        raise forms.ValidationError(_("Write a name."))
    return name
