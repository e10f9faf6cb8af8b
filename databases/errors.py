"""Refusals about uploads, imports and databases, each with a sentence for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from crm.kernel.errors import DomainError

if TYPE_CHECKING:
    from databases.models import Database, Import, ReceivedFile


class CannotStore(DomainError):
    """The server could not keep the file."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "The server could not save the file: its disk is full or cannot be written. "
                "Nothing was kept. Tell whoever runs the server, then upload again."
            )
        )


class TooManyUnfinished(DomainError):
    """A person sends more files at once than anybody needs."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            _(
                "%(limit)s uploads of yours are still on their way. "
                "Wait until one has arrived, or cancel one, then choose the file again."
            )
            % {"limit": limit}
        )


class PieceMisplaced(DomainError):
    """A piece of a file does not begin where the file ends, or goes past its end."""

    def __init__(self, received: ReceivedFile) -> None:
        self.received = received
        super().__init__(_("This piece does not belong here. The upload goes on where it stopped."))


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


class BeingChanged(DomainError):
    """All records of the database are being changed in the background: nothing else may be."""

    def __init__(self, name: str) -> None:
        super().__init__(
            _("The columns of %(name)s are being read anew. Try again in a minute.")
            % {"name": name}
        )


class BeingSwept(DomainError):
    """The records of an undone import are not all gone yet."""

    def __init__(self) -> None:
        super().__init__(_("Its records are still being removed. Try again in a minute."))


class NothingToCorrect(DomainError):
    """Corrected rows have no database to go to."""

    def __init__(self) -> None:
        super().__init__(_("The database of this import is not there any more."))
