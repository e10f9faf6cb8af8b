"""Putting a database away, and taking it out again."""

from __future__ import annotations

from django.utils.translation import gettext as _

from accounts import activity
from accounts.models import User
from assignments.errors import ArchivedBefore
from assignments.services.locks import lock_database
from assignments.services.requests import reject_waiting
from crm.kernel import clock
from crm.kernel.transactions import atomic_with_retry
from databases.models import Database


@atomic_with_retry
def archive_database(*, database_id: int, by: User) -> int:
    """Stop hand-outs from a database and reject what is asked of it; give how many that were.

    Assigned records stay with their staff. Raises ArchivedBefore, BeingChanged;
    Database.DoesNotExist.
    """
    # Exclusively: a hand-out that began before is finished now, one that begins later sees it.
    database = lock_database(database_id, exclusive=True)
    if database.archived_at is not None:
        raise ArchivedBefore(archived=True)
    rejected = reject_waiting(database, by=by, reason=_("The database was archived."))
    _move(database, archived=True, by=by)
    activity.write(by=by, kind="database.archived", subject=database, requests_rejected=rejected)
    return rejected


@atomic_with_retry
def unarchive_database(*, database_id: int, by: User) -> Database:
    """Open a database for hand-outs again.

    Raises ArchivedBefore, BeingChanged; Database.DoesNotExist.
    """
    database = lock_database(database_id, exclusive=True)
    if database.archived_at is None:
        raise ArchivedBefore(archived=False)
    _move(database, archived=False, by=by)
    activity.write(by=by, kind="database.unarchived", subject=database)
    return database


def _move(database: Database, *, archived: bool, by: User) -> None:
    database.archived_at = clock.now() if archived else None
    database.archived_by = by if archived else None
    database.save(update_fields=["archived_at", "archived_by"])
