"""The rows of a file become records on the shelf: in one transaction, wholly or not at all.

A long list is written into tables of its own, which get their indexes when they are full and are
then attached to the tables of all records (`databases.rooms`): row by row into the large indexes
it would take three times as long. A short one goes where all short ones are.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from django.db import connection, transaction

from accounts import activity
from crm.kernel import clock
from databases import rooms
from databases.importing.process import (
    RECORD_COLUMNS,
    SKIPPED_COLUMNS,
    FileProblem,
    Frame,
    Inspection,
    Progress,
    Records,
    Skipped,
    Stopped,
    Tally,
    load,
)
from databases.models import Database, DatabaseStat, Import
from databases.services.prepared import forget_rows, kept_frames
from databases.services.pulse import Pulse
from databases.services.reading import CRASHED, choices_of

CHANGED = "changed"  # the file gave other rows than the check had shown
_PIECE = 1 << 16


@transaction.atomic
def store(source: Import, pulse: Pulse) -> None:
    """Make the database of a confirmed import, with its records, skipped rows and shelf.

    Raises Stopped when the import is not this job's any more, FileProblem for what is wrong with
    the file.
    """
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
    apart = Tally(**reading["tally"]).total >= rooms.FROM
    if apart:
        rooms.make(database.pk)
    tally = _copy(source, database, pulse, apart=apart)
    if apart:
        rooms.move_in(database.pk)
    else:
        _fill_shelf(database)
    if pulse.should_stop():
        raise Stopped
    _complete(source, database, tally)


@contextmanager
def _rows(source: Import, database: Database, pulse: Pulse) -> Iterator[Iterator[Frame]]:
    kept = kept_frames(source, database_id=database.pk)
    if kept is not None:
        yield kept
        return
    with load(
        source.file.path,
        original_name=source.original_name,
        choices=choices_of(source),
        database_id=database.pk,
        import_id=source.pk,
        should_stop=pulse.should_stop,
    ) as frames:
        yield frames


def _copy(source: Import, database: Database, pulse: Pulse, *, apart: bool) -> Tally:
    """COPY the records as they come; the skipped rows wait in a file for their turn."""
    tally: Tally | None = None
    columns = ", ".join(RECORD_COLUMNS)
    if apart:
        # Nobody else sees this table before it is complete: its rows may be born old, and no page
        # of it is written once more to note that they are committed.
        copy_records = f"COPY {rooms.table(database.pk)} ({columns}) FROM STDIN (FREEZE)"
    else:
        copy_records = f"COPY {rooms.MAIN} ({columns}) FROM STDIN"
    with (
        tempfile.SpooledTemporaryFile(max_size=1 << 20) as skipped,
        connection.cursor() as cursor,
        _rows(source, database, pulse) as frames,
    ):
        with cursor.copy(copy_records) as copy:
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
        while piece := skipped.read(_PIECE):
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
        # Not at the commit: that holds the lock on the import, and the heartbeat would wait for it.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


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
    locked.duplicate, locked.blank, locked.repaired = tally.duplicates, tally.blank, 0
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
    transaction.on_commit(lambda: forget_rows(source.file.name or ""))
