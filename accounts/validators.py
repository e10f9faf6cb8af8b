"""What a password must not be, beyond Django's own rules."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import User


class NotTheNameValidator:
    """Refuse a password that is little more than words of the person's name or e-mail.

    Django compares whole values, so that "ani1234567" passes for Ani.
    """

    def validate(self, password: str, user: User | None = None) -> None:
        if user is None:
            return
        letters = re.sub(r"[\W\d_]+", "", password.casefold())
        rest = letters
        words = re.findall(r"[^\W\d_]{3,}", f"{user.name} {user.email.split('@')[0]}".casefold())
        for word in sorted(words, key=len, reverse=True):
            rest = rest.replace(word, "")
        if rest != letters and len(rest) < 4:
            raise ValidationError(
                _("The password is too much like the name."), code="password_like_name"
            )

    def get_help_text(self) -> str:
        return _("The password is not like your name.")
