"""Background changes of all records of a database: begun once, taken up again when a job dies.

`DatabaseChange.attempt` decides who may go on, as with imports: a job that was thought dead and
wakes up finds another number and stops. Unlike an import, an unfinished change keeps everybody else
out of its database, so nobody has to notice that it stopped: it is taken up again by itself.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import User
from crm.kernel import clock
from crm.kernel.transactions import atomic_with_retry
from databases.models import Database, DatabaseChange
from databases.services.pulse import Pulse
from databases.services.queue import CHANGE_TASKS, enqueue_change

S = DatabaseChange.State
# What fails each time is tried ever more seldom, but never given up.
WAIT_MOST = dt.timedelta(hours=1)


def begin_change(
    *, database: Database, kind: DatabaseChange.Kind, rows: int, by: User, **params: Any
) -> DatabaseChange:
    """Have all `rows` records of a database changed in the background.

    The caller holds the product's lock exclusively and has found no unfinished change.
    """
    change = DatabaseChange.objects.create(
        database=database, kind=kind, rows_total=rows, params=params, created_by=by
    )
    enqueue_change(change)
    return change


def start(*, change_id: int, attempt: int) -> DatabaseChange | None:
    """Give the change to the job that asks for it; None when it is not this job's (any more)."""
    now = clock.now()
    queued = DatabaseChange.objects.filter(pk=change_id, attempt=attempt, state=S.QUEUED)
    if not queued.update(state=S.RUNNING, started_at=now, heartbeat_at=now):
        return None
    return DatabaseChange.objects.select_related("database", "created_by").get(pk=change_id)


def pulse_of(change: DatabaseChange) -> Pulse:
    """Give the sign of life of the job that works on `change`."""
    return Pulse(
        DatabaseChange.objects.filter(pk=change.pk, attempt=change.attempt, state=S.RUNNING)
    )


@atomic_with_retry
def put_back(*, change_id: int, attempt: int) -> None:
    """Put a change that its job could not finish back on the queue, to go on where it stopped."""
    change = DatabaseChange.objects.select_for_update().get(pk=change_id)
    if change.attempt == attempt and change.state == S.RUNNING:
        _queue_again(change)


def resume_stopped() -> int:
    """Queue every unfinished change that no job is at or will come to; give how many."""
    return sum(_resume(change.pk) for change in DatabaseChange.objects.unfinished())


@atomic_with_retry
def _resume(change_id: int) -> bool:
    change = DatabaseChange.objects.select_for_update().get(pk=change_id)
    if change.state not in (S.QUEUED, S.RUNNING):
        return False
    jobs = ProcrastinateJob.objects.filter(
        task_name=CHANGE_TASKS[change.kind], status__in=["todo", "doing"]
    )
    if jobs.filter(args__change_id=change.pk, args__attempt=change.attempt).exists():
        return False
    wait = min(WAIT_MOST, dt.timedelta(minutes=change.attempt))
    if clock.now() - (change.heartbeat_at or change.created_at) < wait:
        return False
    _queue_again(change)
    return True


def _queue_again(change: DatabaseChange) -> None:
    change.state = S.QUEUED
    change.attempt += 1
    change.save(update_fields=["state", "attempt"])
    enqueue_change(change)
