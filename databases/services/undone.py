"""What can still be done with an import that was undone."""

from __future__ import annotations

from accounts.models import User
from crm.kernel.transactions import atomic_with_retry
from databases.errors import AlreadyConfirmed, BeingSwept, FileGone
from databases.models import DatabaseChange, Import
from databases.services.imports import as_read
from databases.services.reading import read_again


@atomic_with_retry
def check_again(*, import_id: int, by: User) -> Import:
    """Have the file of an undone import read for its check once more, as it was chosen before.

    Raises BeingSwept while the records it brought are still being removed, FileGone when its file
    is no longer kept, AlreadyConfirmed when it is not undone (any more).
    """
    source = Import.objects.select_for_update().get(pk=import_id)
    if source.state != Import.State.UNDONE:
        raise AlreadyConfirmed(source)
    if not source.file:
        raise FileGone
    if DatabaseChange.objects.unfinished().filter(database=source.database_id).exists():
        raise BeingSwept
    # As before its confirmation; whose records they were stands in the book.
    source.state, source.database = Import.State.WAITING, None
    source.confirmed_by = source.confirmed_at = source.started_at = None
    source.ready = source.attention = source.duplicate = source.blank = 0
    source.repaired, source.cancel_requested = 0, False
    choices = as_read(source)
    source.save()
    return read_again(import_id=import_id, attempt=source.attempt, choices=choices, by=by)
