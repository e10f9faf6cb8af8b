"""Refusals that a person can understand."""

from __future__ import annotations


class DomainError(Exception):
    """A rule of the business says no. `message` is a translated sentence for the person who asked.

    `status` is the HTTP code that a page answers with.
    """

    status = 409

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)
