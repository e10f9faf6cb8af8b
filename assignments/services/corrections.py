"""Corrected rows of a file put into their database: all that are ready now, or none.

What becomes of each line is `databases.services.corrections`' verdict, given once more under the
product's lock taken exclusively: two corrections, or a correction and a repair, follow each other,
and the later one finds rows that need no attention any more.

Lock order: product -> record -> import.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.db.models import F

from accounts import activity
from accounts.models import User
from assignments.services import shelf
from crm.kernel import clock
from databases.errors import BeingChanged
from databases.importing.process import FileProblem, Stopped
from databases.locks import lock_database
from databases.models import Database, Import
from databases.services import correction_lines, corrections, imports
from databases.services.pulse import Pulse


def apply_correction(*, import_id: int, attempt: int) -> None:
    """Put the corrected rows of a confirmed file in place; a job of an older attempt does nothing.

    Lines that are still not ready change nothing: their rows stay as they are.
    """
    imports.run_import(import_id=import_id, attempt=attempt, how=_apply)


@transaction.atomic
def _apply(source: Import, pulse: Pulse) -> None:
    corrections.no_limits()
    staged = corrections.stage(source, pulse)
    try:
        database = lock_database(staged.database.pk, exclusive=True)
    except BeingChanged as error:
        raise FileProblem("being_changed") from error
    except Database.DoesNotExist as error:
        raise FileProblem("database_gone") from error
    if (database.columns, database.roles) != (staged.database.columns, staged.database.roles):
        raise FileProblem("columns_changed")
    by = source.confirmed_by or source.uploaded_by
    correction_lines.classify(database)
    repaired = _ids("SELECT record_id FROM correction WHERE outcome = 'ready' AND record_id > 0")
    with connection.cursor() as cursor:
        cursor.execute(
            _REMEMBER, {"database": database.pk, "by": by.pk, "at": clock.now(), "ready": "ready"}
        )
        cursor.execute(_REPAIR, [database.pk])
    added = _ids(_ADD, [database.pk])
    blank, duplicate = _forget_skipped()
    shelf.shelve(repaired + added, database_id=database.pk)
    Import.objects.filter(pk=staged.original.pk).update(
        ready=F("ready") + len(repaired) + len(added),
        attention=F("attention") - len(repaired),
        duplicate=F("duplicate") - duplicate,
        blank=F("blank") - blank,
        repaired=F("repaired") + len(repaired) + len(added),
    )
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    if pulse.should_stop():
        raise Stopped
    _complete(source, database, correction_lines.outcome(), by=by)


def _ids(query: str, params: list[Any] | None = None) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return [row[0] for row in cursor.fetchall()]


# What the rows held until now, read before they change.
_REMEMBER = """
INSERT INTO databases_repairedrow
    (database_id, row_number, was, became, cells_before, by_id, at)
SELECT %(database)s, c.row_number, coalesce(r.attention, s.reason), %(ready)s,
       coalesce(r.cells, s.cells), %(by)s, %(at)s
FROM correction c
LEFT JOIN databases_record r ON r.database_id = %(database)s AND r.id = c.record_id
LEFT JOIN databases_skippedrow s ON s.id = c.skipped_id
WHERE c.outcome = 'ready'
"""

_REPAIR = """
UPDATE databases_record r
SET cells = c.cells, username = c.username, name = c.name, phone = c.phone,
    username_key = c.username_key, name_key = c.name_key, attention = NULL
FROM correction c
WHERE c.outcome = 'ready' AND r.database_id = %s AND r.id = c.record_id
  AND r.attention IS NOT NULL
"""

_ADD = """
INSERT INTO databases_record
    (database_id, row_number, cells, username, name, phone, username_key, name_key)
SELECT %s, row_number, cells, username, name, phone, username_key, name_key
FROM correction WHERE outcome = 'ready' AND record_id IS NULL ORDER BY row_number
RETURNING id
"""


def _forget_skipped() -> tuple[int, int]:
    """Take those that became records from the skipped rows; give how many were blank, and not."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM databases_skippedrow s USING correction c
            WHERE c.outcome = 'ready' AND c.record_id IS NULL AND s.id = c.skipped_id
            RETURNING s.reason = 'blank'
            """
        )
        were_blank = [row[0] for row in cursor.fetchall()]
    return sum(were_blank), len(were_blank) - sum(were_blank)


def _complete(source: Import, database: Database, found: dict[str, Any], *, by: User) -> None:
    """The last step before the commit: under the lock, is this file still this job's?"""
    locked = Import.objects.select_for_update().get(pk=source.pk)
    if (
        locked.attempt != source.attempt
        or locked.state != Import.State.RUNNING
        or locked.cancel_requested
    ):
        raise Stopped
    lines = found["lines"]
    locked.state, locked.finished_at = Import.State.DONE, clock.now()
    locked.ready, locked.attention = lines["ready"], lines["attention"]
    locked.duplicate, locked.blank = lines["duplicate"], lines["blank"]
    locked.rows_total = locked.rows_done = sum(lines.values())
    locked.reading = {**locked.reading, "correction": found}
    locked.save()
    activity.write(
        by=by,
        kind="import.corrected",
        subject=database,
        import_id=source.pk,
        rows=locked.rows_total,
        ready=locked.ready,
    )
