"""From a checked file to a database, wholly or not at all.

The records, their totals and the shelf are written in one transaction (`storing`). What the job
says about itself goes over a second connection (`Pulse`), because nobody could see it in that one.
`Import.attempt` decides who may finish: a job that was thought dead and wakes up finds another
number under the lock and leaves nothing behind.
"""

from __future__ import annotations

import errno
import logging

import psycopg
from django.db import DatabaseError, connection, transaction

from accounts import activity
from accounts.models import User
from crm.kernel import clock
from crm.kernel.transactions import atomic_with_retry
from databases.errors import AlreadyConfirmed, FileGone, StillCounting
from databases.importing.process import FileProblem, Stopped
from databases.models import Import
from databases.services.mappings import remember_columns
from databases.services.pulse import Pulse, is_leaving
from databases.services.queue import enqueue_import
from databases.services.reading import CRASHED, How
from databases.services.storing import store
from databases.services.uploads import forget_file

logger = logging.getLogger(__name__)


@atomic_with_retry
def confirm_import(*, import_id: int, attempt: int, roles: list[str], by: User) -> Import:
    """Queue the import that was checked. Twice is once: the second call raises AlreadyConfirmed.

    `attempt` is the reading that was checked: when the file was read anew since, in whatever way,
    nobody has seen what would be imported, and StillCounting is raised.

    `roles` may differ from what was read only in what staff may see; the identity columns decide
    the numbers that were shown, so they stay as read.
    """
    source = Import.objects.select_for_update().get(pk=import_id)
    if source.state == Import.State.READING:
        raise StillCounting
    if source.state != Import.State.WAITING:
        raise AlreadyConfirmed(source)
    if source.attempt != attempt:
        raise StillCounting
    if not source.file:
        raise FileGone
    source.choices = {**as_read(source), "roles": roles}
    source.confirmed_by, source.confirmed_at = by, clock.now()
    if source.corrects_id is None:
        remember_columns(source, roles=roles, by=by)
    _queue(source)
    activity.write(by=by, kind="import.confirmed", subject=source, rows=source.rows_total)
    return source


def as_read(source: Import) -> dict[str, object]:
    """Give the choices that make the reader do again exactly what the check page showed."""
    reading = source.reading
    return {
        "encoding": reading.get("encoding") or None,
        "delimiter": reading.get("delimiter") or None,
        "sheet": reading.get("sheet") or None,
        "header_row": reading.get("header_row"),
        "roles": [column["role"] for column in reading.get("columns", [])],
    }


@atomic_with_retry
def retry_import(*, import_id: int, by: User) -> Import:
    """Queue an import again that failed or was interrupted. Raises AlreadyConfirmed otherwise."""
    source = Import.objects.select_for_update().get(pk=import_id)
    stopped = source.state == Import.State.FAILED or source.is_interrupted
    if not stopped or source.confirmed_at is None:
        raise AlreadyConfirmed(source)
    if not source.file:
        raise FileGone
    _queue(source)
    activity.write(by=by, kind="import.retried", subject=source, attempt=source.attempt)
    return source


def _queue(source: Import) -> None:
    source.state, source.problem, source.problem_detail = Import.State.QUEUED, "", {}
    source.attempt += 1
    source.rows_done, source.cancel_requested = 0, False
    source.started_at = source.heartbeat_at = source.finished_at = None
    source.save()
    enqueue_import(source)


@atomic_with_retry
def cancel_import(*, import_id: int, by: User) -> Import:
    """Give an import up: at once when no job is at it, else the job is told and undoes its work.

    Raises AlreadyConfirmed when it is finished.
    """
    source = Import.objects.select_for_update().get(pk=import_id)
    if source.state in Import.OVER:
        raise AlreadyConfirmed(source)
    if source.state == Import.State.RUNNING and not source.is_interrupted:
        source.cancel_requested = True
        source.save(update_fields=["cancel_requested"])
        return source
    _cancelled(source, by=by)
    return source


def _cancelled(source: Import, *, by: User) -> None:
    stored, source.file.name = source.file.name or "", ""
    source.state, source.finished_at = Import.State.CANCELLED, clock.now()
    source.attempt += 1  # whoever still works on it is not asked any more
    source.save()
    activity.write(by=by, kind="import.cancelled", subject=source)
    transaction.on_commit(lambda: forget_file(stored))


def run_import(*, import_id: int, attempt: int, how: How | None = None) -> None:
    """Store the records of a confirmed import; a job of an older attempt does nothing.

    `how` does something else with its file, wholly or not at all, and leaves the import done.
    """
    now = clock.now()
    queued = Import.objects.filter(pk=import_id, attempt=attempt, state=Import.State.QUEUED)
    if not queued.update(state=Import.State.RUNNING, started_at=now, heartbeat_at=now):
        return
    source = Import.objects.select_related("product", "confirmed_by").get(pk=import_id)
    running = Import.objects.filter(pk=import_id, attempt=attempt, state=Import.State.RUNNING)
    try:
        with Pulse(running, cancelled=running.filter(cancel_requested=True)) as pulse:
            (how or store)(source, pulse)
    except Stopped:
        _put_down(import_id=import_id, attempt=attempt)
    except FileProblem as problem:
        _fail(import_id=import_id, attempt=attempt, problem=problem)
    except (DatabaseError, psycopg.Error) as error:  # COPY speaks to the driver itself
        logger.exception("An import failed in the database.")
        connection.close()  # it may be broken; a fresh one says what happened, if it can
        _fail(import_id=import_id, attempt=attempt, problem=FileProblem(_database_code(error)))
    except OSError as error:
        logger.exception("An import could not read its file.")
        _fail(import_id=import_id, attempt=attempt, problem=FileProblem(_storage_code(error)))
    except Exception:  # whatever it was, the page must say it
        logger.exception("An import failed.")
        _fail(import_id=import_id, attempt=attempt, problem=FileProblem(CRASHED))


def _database_code(error: Exception) -> str:
    state = getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None) or ""
    return "disk_full" if state.startswith("53") else CRASHED


def _storage_code(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "file_gone"
    return "disk_full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else CRASHED


@atomic_with_retry
def _put_down(*, import_id: int, attempt: int) -> None:
    """Cancel what somebody gave up; what only this process gives up goes back on the queue."""
    source = Import.objects.select_for_update().get(pk=import_id)
    if source.attempt != attempt or source.state != Import.State.RUNNING:
        return
    if is_leaving() and not source.cancel_requested:
        _queue(source)
    else:
        _cancelled(source, by=source.confirmed_by or source.uploaded_by)


@atomic_with_retry
def _fail(*, import_id: int, attempt: int, problem: FileProblem) -> None:
    source = Import.objects.select_for_update().get(pk=import_id)
    if source.attempt != attempt or source.state != Import.State.RUNNING:
        return
    source.state, source.finished_at = Import.State.FAILED, clock.now()
    source.problem, source.problem_detail = problem.code, problem.detail
    source.save(update_fields=["state", "finished_at", "problem", "problem_detail"])
    activity.write(
        by=source.confirmed_by, kind="import.failed", subject=source, reason=problem.code
    )
