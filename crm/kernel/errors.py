"""Refusals that a person can understand."""

from __future__ import annotations

from django.utils.translation import gettext as _


class DomainError(Exception):
    """A rule of the business says no. `message` is a translated sentence for the person who asked.

    `status` is the HTTP code that a page answers with.
    """

    status = 409

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


class Busy(DomainError):
    """Somebody else holds what this act needs for longer than a person should wait."""

    status = 503

    def __init__(self) -> None:
        super().__init__(
            _(
                "Somebody else is working on this right now. "
                "Nothing was saved: try again in a moment."
            )
        )
