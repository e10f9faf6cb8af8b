"""From a checked file to a database, wholly or not at all.

The records, their totals and the shelf are written in one transaction. What the job says about
itself goes over a second connection (`Pulse`), because nobody could see it in that transaction.
`Import.attempt` decides who may finish: a job that was thought dead and wakes up finds another
number under the lock and leaves nothing behind.
"""

from __future__ import annotations

import logging
import tempfile
from typing import IO

from django.db import DatabaseError, connection, transaction

from accounts import activity
from accounts.models import User
from crm.kernel import clock
from crm.kernel.transactions import atomic_with_retry
from databases.errors import AlreadyConfirmed, FileGone, StillCounting
from databases.importing.process import (
    RECORD_COLUMNS,
    SKIPPED_COLUMNS,
    FileProblem,
    Inspection,
    Progress,
    Records,
    Skipped,
    Stopped,
    Tally,
    load,
)
from databases.models import Database, DatabaseStat, Import
from databases.services.pulse import Pulse
from databases.services.queue import enqueue_import
from databases.services.reading import CRASHED, choices_of
from databases.services.uploads import forget_file

logger = logging.getLogger(__name__)

CHANGED = "changed"  # the file gave other rows than the check had shown
IDENTITY = {"username", "name", "phone"}


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
    if source.state in (Import.State.DONE, Import.State.CANCELLED, Import.State.REFUSED):
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


def run_import(*, import_id: int, attempt: int) -> None:
    """Store the records of a confirmed import; a job of an older attempt does nothing."""
    now = clock.now()
    queued = Import.objects.filter(pk=import_id, attempt=attempt, state=Import.State.QUEUED)
    if not queued.update(state=Import.State.RUNNING, started_at=now, heartbeat_at=now):
        return
    source = Import.objects.select_related("product", "confirmed_by").get(pk=import_id)
    try:
        with Pulse(import_id=import_id, attempt=attempt, state=Import.State.RUNNING) as pulse:
            _store(source, pulse)
    except Stopped:
        _finish_cancelled(import_id=import_id, attempt=attempt)
    except FileProblem as problem:
        _fail(import_id=import_id, attempt=attempt, problem=problem)
    except DatabaseError as error:
        logger.exception("An import failed in the database.")
        connection.close()  # it may be broken; a fresh one says what happened, if it can
        _fail(import_id=import_id, attempt=attempt, problem=FileProblem(_database_code(error)))
    except OSError:
        logger.exception("An import could not read its file.")
        _fail(import_id=import_id, attempt=attempt, problem=FileProblem("file_gone"))
    except Exception:  # whatever it was, the page must say it
        logger.exception("An import failed.")
        _fail(import_id=import_id, attempt=attempt, problem=FileProblem(CRASHED))


def _database_code(error: DatabaseError) -> str:
    state = getattr(error.__cause__, "sqlstate", "") or ""
    return "disk_full" if state.startswith("53") else CRASHED


@transaction.atomic
def _store(source: Import, pulse: Pulse) -> None:
    with connection.cursor() as cursor:
        # A million rows take longer than a page may; the limits still end what hangs.
        cursor.execute("SET LOCAL statement_timeout = '1h'")
        cursor.execute("SET LOCAL lock_timeout = '10s'")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '10min'")
    reading = source.reading
    database = Database.objects.create(
        product=source.product,
        program=source.program,
        name=source.name,
        description=source.description,
        columns=[column["name"] for column in reading["columns"]],
        roles=source.choices["roles"],
        uploaded_by=source.uploaded_by,
    )
    DatabaseStat.objects.create(database=database)
    tally = _copy(source, database, pulse)
    _fill_shelf(database)
    with connection.cursor() as cursor:
        # Not at the commit: that holds the lock on the import, and for as long as millions of
        # foreign keys take the heartbeat would wait for it and the import would look dead.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    if pulse.should_stop():
        raise Stopped
    _complete(source, database, tally)


def _copy(source: Import, database: Database, pulse: Pulse) -> Tally:
    """COPY the records as they come; the skipped rows wait in a file for their turn."""
    tally: Tally | None = None
    with (
        tempfile.SpooledTemporaryFile(max_size=1 << 20) as skipped,
        connection.cursor() as cursor,
        load(
            source.file.path,
            original_name=source.original_name,
            choices=choices_of(source),
            database_id=database.pk,
            import_id=source.pk,
            should_stop=pulse.should_stop,
        ) as frames,
    ):
        columns = ", ".join(RECORD_COLUMNS)
        with cursor.copy(f"COPY databases_record ({columns}) FROM STDIN") as copy:
            for frame in frames:
                if isinstance(frame, Records):
                    copy.write(frame.payload)
                elif isinstance(frame, Skipped):
                    skipped.write(frame.payload)
                elif isinstance(frame, Progress):
                    pulse.rows = frame.rows
                elif isinstance(frame, Inspection):
                    _same_columns(database, frame)
                else:
                    tally = frame
                if pulse.should_stop():
                    raise Stopped
        skipped.seek(0)
        _copy_skipped(skipped)
    if tally is None:
        raise FileProblem(CRASHED)
    return tally


def _same_columns(database: Database, found: Inspection) -> None:
    if [column.name for column in found.columns] != database.columns:
        raise FileProblem(CHANGED)


def _copy_skipped(skipped: IO[bytes]) -> None:
    columns = ", ".join(SKIPPED_COLUMNS)
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY databases_skippedrow ({columns}) FROM STDIN") as copy,
    ):
        while piece := skipped.read(1 << 16):
            copy.write(piece)


def _fill_shelf(database: Database) -> None:
    """Put the ready records on the shelf in shuffle order, so that taking reads pages in a row."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO databases_pool
                (record_id, database_id, shuffle, username_key, name_key, phone)
            SELECT id, database_id, floor(random() * 2147483647)::int AS shuffle,
                   username_key, name_key, phone
            FROM databases_record
            WHERE database_id = %s AND attention IS NULL
            ORDER BY shuffle
            """,
            [database.pk],
        )


def _complete(source: Import, database: Database, tally: Tally) -> None:
    """The last step before the commit: under the lock, is this import still this job's?"""
    locked = Import.objects.select_for_update().get(pk=source.pk)
    if (
        locked.attempt != source.attempt
        or locked.state != Import.State.RUNNING
        or locked.cancel_requested
    ):
        raise Stopped
    if tally != Tally(**source.reading["tally"]):
        raise FileProblem(CHANGED)
    locked.state, locked.database, locked.finished_at = Import.State.DONE, database, clock.now()
    locked.ready, locked.attention = tally.ready, tally.needs_attention
    locked.duplicate, locked.blank = tally.duplicates, tally.blank
    locked.rows_total = locked.rows_done = tally.total
    locked.save()
    activity.write(
        by=source.confirmed_by,
        kind="import.finished",
        subject=database,
        import_id=source.pk,
        rows=tally.total,
        ready=tally.ready,
        attention=tally.needs_attention,
        duplicate=tally.duplicates,
        blank=tally.blank,
    )


@atomic_with_retry
def _finish_cancelled(*, import_id: int, attempt: int) -> None:
    source = Import.objects.select_for_update().get(pk=import_id)
    if source.attempt == attempt and source.state == Import.State.RUNNING:
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
