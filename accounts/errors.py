"""Refusals about people, each with a sentence for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from crm.kernel.errors import DomainError

if TYPE_CHECKING:
    from accounts.models import User


class EmailTaken(DomainError):
    """Somebody has this e-mail, in whatever case."""

    def __init__(self, email: str) -> None:
        super().__init__(_("Somebody has the e-mail %(email)s already.") % {"email": email})


class NotYourself(DomainError):
    """Nobody demotes, deactivates or deletes themselves."""

    def __init__(self) -> None:
        super().__init__(_("You cannot take away your own access. Ask another admin to do it."))


class LastAdmin(DomainError):
    """Somebody must be left who can let people in."""

    def __init__(self, name: str) -> None:
        super().__init__(
            _("%(name)s is the last active admin. Make somebody else an admin first.")
            % {"name": name}
        )


class OwnPassword(DomainError):
    """An own password is changed in the profile, where the old one is asked for."""

    def __init__(self) -> None:
        super().__init__(_("Change your own password in your profile."))


class HasHistory(DomainError):
    """Somebody with data is deactivated, never deleted."""

    def __init__(self, name: str) -> None:
        super().__init__(
            _("%(name)s has data or history here and is kept. Deactivate them instead.")
            % {"name": name}
        )


class ChangedMeanwhile(DomainError):
    """Somebody saved the person since the page was opened; `current` is as they left it."""

    def __init__(self, current: User) -> None:
        self.current = current
        super().__init__(
            _("Somebody changed %(name)s since you opened this page. Nothing of yours was saved.")
            % {"name": current.name}
        )
