"""Refusals about uploads, imports and databases, each with a sentence for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from crm.kernel.errors import DomainError

if TYPE_CHECKING:
    from databases.models import Database, Import


class CannotStore(DomainError):
    """The server could not keep the file."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "The server could not save the file: its disk is full or cannot be written. "
                "Nothing was kept. Tell whoever runs the server, then upload again."
            )
        )


class AlreadyConfirmed(DomainError):
    """The import left the place where this act would have changed it."""

    def __init__(self, source: Import) -> None:
        self.source = source
        super().__init__(
            _("Already done: this import is now “%(state)s”.")
            % {"state": source.get_state_display()}
        )


class StillCounting(DomainError):
    """Nobody knows yet how many rows the import would bring."""

    def __init__(self) -> None:
        super().__init__(_("The rows are still being counted. Import when the numbers are there."))


class FileGone(DomainError):
    """The uploaded file is not there any more."""

    def __init__(self) -> None:
        super().__init__(_("The uploaded file is no longer kept. Upload it again."))


class ChangedMeanwhile(DomainError):
    """Somebody saved the database since the page was opened; `current` is what stands now."""

    def __init__(self, current: Database) -> None:
        self.current = current
        super().__init__(
            _("Somebody changed this database while you were editing it. Compare and save again.")
        )
