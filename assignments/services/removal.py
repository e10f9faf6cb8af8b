"""Deleting a database, and undoing the import that made it.

What decides is done at once, under the product's lock: from then on the database is shown nowhere
and nothing of it can be handed out. A job sweeps its records in the background, a piece at a time,
so that a million of them hold no lock for long; stopped anywhere, it goes on from what is left.

The database's own row stays, empty, for what points at it: who asked for its records, and what
staff did with them on which day.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts import activity
from accounts.models import User
from assignments.errors import NothingToUndo, StillInHands, WorkedOn
from assignments.reports.removal import handed_out_ever
from assignments.services.locks import lock_database
from assignments.services.requests import reject_waiting
from crm.kernel import clock
from crm.kernel.errors import Busy
from crm.kernel.transactions import atomic_with_retry
from databases import rooms
from databases.models import Database, DatabaseChange, DatabaseStat, Import
from databases.services import changes
from databases.services.pulse import Pulse, is_leaving
from databases.services.uploads import forget_file

logger = logging.getLogger(__name__)

CHUNK = 20_000  # rows of one transaction
_WAITS = (0.2, 0.5, 1, 2, 3, 3, 3, 3, 3, 3)  # seconds between two tries to drop a room


@dataclass(frozen=True, slots=True)
class Removed:
    """How many records go, and how many requests for them were rejected."""

    records: int
    requests: int


@atomic_with_retry
def delete_database(*, database_id: int, by: User) -> Removed:
    """Delete a database with its uploaded file, and reject what is asked of it.

    Raises StillInHands while records are assigned, BeingChanged; Database.DoesNotExist, also when
    somebody deleted it before.
    """
    # Exclusively: a hand-out that began before is finished now, one that begins later sees it.
    database = lock_database(database_id, exclusive=True)
    removed = _remove(
        database,
        kind=DatabaseChange.Kind.DELETE,
        reason=_("The database was deleted."),
        by=by,
    )
    for source in _imports_of(database):
        _forget_file(source)
    activity.write(
        by=by,
        kind="database.deleted",
        subject=database,
        records=removed.records,
        requests_rejected=removed.requests,
    )
    return removed


@atomic_with_retry
def undo_import(*, import_id: int, by: User) -> Removed:
    """Take away the database that an import made, as long as nothing of it was ever worked.

    The uploaded file is kept: it can be checked and imported again. Raises WorkedOn, NothingToUndo,
    BeingChanged; Import.DoesNotExist.
    """
    source = Import.objects.get(pk=import_id)
    if source.state != Import.State.DONE or source.database_id is None:
        raise NothingToUndo
    try:
        database = lock_database(source.database_id, exclusive=True)
    except Database.DoesNotExist:
        raise NothingToUndo from None
    if worked := handed_out_ever(database):
        raise WorkedOn(worked)
    removed = _remove(
        database, kind=DatabaseChange.Kind.UNDO, reason=_("The import was undone."), by=by
    )
    source = Import.objects.select_for_update().get(pk=import_id)
    source.state = Import.State.UNDONE
    source.save(update_fields=["state"])
    activity.write(
        by=by,
        kind="import.undone",
        subject=source,
        records=removed.records,
        requests_rejected=removed.requests,
    )
    return removed


def _remove(database: Database, *, kind: DatabaseChange.Kind, reason: str, by: User) -> Removed:
    stat = DatabaseStat.objects.get(database=database)
    if stat.assigned:
        raise StillInHands(stat.assigned)
    rejected = reject_waiting(database, by=by, reason=reason)
    _give_up_corrections(database)
    now = clock.now()
    if database.archived_at is None:
        database.archived_at, database.archived_by = now, by
    database.deleted_at, database.deleted_by = now, by
    database.save(update_fields=["archived_at", "archived_by", "deleted_at", "deleted_by"])
    changes.begin_change(database=database, kind=kind, rows=stat.total, by=by)
    return Removed(stat.total, rejected)


def _imports_of(database: Database) -> list[Import]:
    """Lock and give the import that made a database, and the corrections of its rows."""
    made = Import.objects.filter(database=database)
    both = made | Import.objects.filter(corrects__in=made)
    return list(both.order_by("pk").select_for_update(of=("self",)))


def _give_up_corrections(database: Database) -> None:
    """Cancel the corrected files that wait: there is nothing to correct any more."""
    for source in _imports_of(database):
        if source.corrects_id is None or source.state in Import.OVER:
            continue
        source.state, source.finished_at = Import.State.CANCELLED, clock.now()
        source.attempt += 1  # whoever works on it is not asked any more
        source.save(update_fields=["state", "finished_at", "attempt"])
        _forget_file(source)


def _forget_file(source: Import) -> None:
    stored, source.file.name = source.file.name or "", ""
    source.save(update_fields=["file"])
    transaction.on_commit(lambda: forget_file(stored))


def sweep_database(*, change_id: int, attempt: int) -> None:
    """Delete the records of a deleted database; a job of an older attempt does nothing."""
    change = changes.start(change_id=change_id, attempt=attempt)
    if change is None:
        return
    left = DatabaseStat.objects.get(database=change.database_id).total
    with changes.pulse_of(change) as pulse:
        pulse.rows = change.rows_total - left  # an attempt before this one may have begun
        _sweep(change.database, pulse)
    if pulse.should_stop():
        if is_leaving():
            changes.put_back(change_id=change_id, attempt=attempt)
        return
    _finish(change_id=change_id, attempt=attempt)


def _sweep(database: Database, pulse: Pulse) -> None:
    for import_id in Import.objects.filter(database=database).values_list("pk", flat=True):
        _in_pieces("databases_skippedrow", "source_id", import_id, pulse)
    _in_pieces("databases_repairedrow", "database_id", database.pk, pulse)
    _close_room(database.pk, pulse)
    _in_pieces("databases_record", "database_id", database.pk, pulse)


# A piece ends at the row number that the first statement gives: both follow the unique index.
_END = """
SELECT max(row_number) FROM (
    SELECT row_number FROM {table} WHERE {owner} = %(owner)s AND row_number > %(after)s
    ORDER BY row_number LIMIT %(chunk)s) piece
"""
_DELETE = """
DELETE FROM {table}
WHERE {owner} = %(owner)s AND row_number > %(after)s AND row_number <= %(end)s
"""
# First of all: a record that stands on the shelf cannot be deleted.
_OFF_SHELF = """
DELETE FROM databases_pool p USING databases_record r
WHERE p.record_id = r.id AND r.database_id = %(owner)s
AND r.row_number > %(after)s AND r.row_number <= %(end)s
"""


def _close_room(database_id: int, pulse: Pulse) -> None:
    """Drop the tables of a long list, between what others do with the tables of all records.

    Raises Busy when there is never a moment for it: the change is taken up again later.
    """
    for wait in _WAITS:
        if pulse.should_stop():
            return
        try:
            _drop_room(database_id)
        except Busy:
            time.sleep(wait)
        else:
            return
    if not pulse.should_stop():
        _drop_room(database_id)


@atomic_with_retry
def _drop_room(database_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '10min'")
    rooms.close(database_id)


def _in_pieces(table: str, owner: str, owner_id: int, pulse: Pulse) -> None:
    end: int | None = -1
    while end is not None and not pulse.should_stop():
        end, deleted = _delete_piece(table, owner, owner_id, after=end)
        if table == "databases_record":
            pulse.rows += deleted


@atomic_with_retry
def _delete_piece(table: str, owner: str, owner_id: int, *, after: int) -> tuple[int | None, int]:
    params: dict[str, int] = {"owner": owner_id, "after": after, "chunk": CHUNK}
    with connection.cursor() as cursor:
        # A page's limit would end a piece on a busy disk; what hangs still ends.
        cursor.execute("SET LOCAL statement_timeout = '10min'")
        cursor.execute(_END.format(table=table, owner=owner), params)
        end: int | None = cursor.fetchone()[0]
        if end is None:
            return None, 0
        params["end"] = end
        if table == "databases_record":
            cursor.execute(_OFF_SHELF, params)
        cursor.execute(_DELETE.format(table=table, owner=owner), params)
        return end, cursor.rowcount


@atomic_with_retry
def _finish(*, change_id: int, attempt: int) -> None:
    change = DatabaseChange.objects.select_for_update().get(pk=change_id)
    if change.attempt != attempt or change.state != DatabaseChange.State.RUNNING:
        return
    change.state, change.finished_at = DatabaseChange.State.DONE, clock.now()
    change.rows_done = change.rows_total
    change.save(update_fields=["state", "finished_at", "rows_done"])
