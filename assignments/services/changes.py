"""What people do about a change of all records that failed: try it again, or leave it."""

from __future__ import annotations

from accounts import activity
from accounts.models import User
from assignments.errors import NothingToRetry
from crm.kernel.transactions import atomic_with_retry
from databases.errors import BeingChanged
from databases.locks import lock_database_as_is
from databases.models import DatabaseChange
from databases.services import changes
from databases.services.queue import enqueue_change

S = DatabaseChange.State


@atomic_with_retry
def retry_change(*, database_id: int, by: User) -> DatabaseChange:
    """Queue the last change of a database again: it failed, or the process that did it is gone.

    Raises NothingToRetry, also for the second of two people; BeingChanged; Database.DoesNotExist.
    """
    # Exclusively, as when it was begun: a database that a failure opened is closed again.
    database = lock_database_as_is(database_id, exclusive=True)
    newest = DatabaseChange.objects.filter(database=database).order_by("-pk")
    change = newest.select_for_update().first()
    if change is None or not (change.state == S.FAILED or change.is_interrupted):
        if change is not None and change.state in (S.QUEUED, S.RUNNING):
            raise BeingChanged(database.name)
        raise NothingToRetry
    if change.is_interrupted:
        changes.put_back(change_id=change.pk, attempt=change.attempt)
    else:
        change.state, change.problem, change.attempt = S.QUEUED, "", change.attempt + 1
        change.rows_done, change.finished_at = 0, None
        change.started_at = change.heartbeat_at = None
        change.save()
        enqueue_change(change)
    activity.write(by=by, kind="database.change_retried", subject=database, change=change.pk)
    return change


@atomic_with_retry
def drop_change(*, database_id: int, by: User) -> None:
    """Forget that a change of columns failed: it had changed nothing.

    Raises NothingToRetry where there is none; Database.DoesNotExist.
    """
    database = lock_database_as_is(database_id, exclusive=True)
    newest = DatabaseChange.objects.filter(database=database).order_by("-pk")
    change = newest.select_for_update().first()
    columns = DatabaseChange.Kind.COLUMNS
    if change is None or (change.state, change.kind) != (S.FAILED, columns):
        raise NothingToRetry
    change.delete()
    activity.write(by=by, kind="database.columns_left", subject=database)
