"""Changing what the columns of a database are for, after its import.

What staff may see changes at once. Who a record is (username, name, phone) stands in each record:
those are judged anew in the background, in one transaction, while a `DatabaseChange` keeps every
hand-out of the database away. Holders and marks stay; the shelf is what the new identity says.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import psycopg
from django.db import DatabaseError, connection, transaction

from accounts import activity
from accounts.models import User
from assignments.reports.columns import in_batches, judge_of, source_of, stored_rows
from assignments.services.locks import lock_database
from assignments.services.shelf import SHUFFLE_SIZE
from crm.kernel import clock
from crm.kernel.transactions import atomic_with_retry
from databases.errors import ChangedMeanwhile
from databases.importing.again import IDENTITY, Identity, StoredRow, moves_identity
from databases.importing.copy_format import copy_text
from databases.models import Database, DatabaseChange, Import
from databases.services import changes
from databases.services.mappings import remember_columns
from databases.services.pulse import Pulse, is_leaving

logger = logging.getLogger(__name__)

S = DatabaseChange.State
CRASHED = "crashed"
DISK_FULL = "disk_full"
_WRITTEN_AT_ONCE = 20_000


class Stopped(Exception):
    """Another attempt took over, or the process is about to end: nothing of this one is kept."""


@atomic_with_retry
def change_columns(
    *, database_id: int, version: int, roles: Sequence[str], by: User
) -> DatabaseChange | None:
    """Give the columns of a database other roles, chosen on the page that showed `version`.

    Hiding and showing columns is done on return. When username, name or phone move, the change of
    all records that was begun is given back. Raises ChangedMeanwhile; Database.DoesNotExist.
    """
    # Exclusively: no hand-out is half way, and the next one sees the change that is begun here.
    lock_database(database_id, exclusive=True)
    database = Database.objects.select_for_update().get(pk=database_id, deleted_at=None)
    if database.version != version:
        raise ChangedMeanwhile(database)
    before, after = list(database.roles), list(roles)
    at_once = _shown_or_hidden(before, after)
    if at_once != before:
        _save_roles(database, at_once)
        activity.write(by=by, kind="database.edited", subject=database, changed=["roles"])
    if not moves_identity(before, after):
        return None
    change = changes.begin_change(
        database=database,
        kind=DatabaseChange.Kind.COLUMNS,
        rows=database.stat.total,
        by=by,
        roles=after,
        before=before,
    )
    activity.write(by=by, kind="database.columns_begun", subject=database, change=change.pk)
    return change


def _shown_or_hidden(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """Give `before` with what `after` says of columns that identify nobody."""
    return [
        old if old in IDENTITY or new in IDENTITY else new
        for old, new in zip(before, after, strict=True)
    ]


def _identified(now: Sequence[str], after: Sequence[str]) -> list[str]:
    """Give `now`, whose columns may have been hidden since, with the identity of `after`."""
    return [
        new if old in IDENTITY or new in IDENTITY else old
        for old, new in zip(now, after, strict=True)
    ]


def _save_roles(database: Database, roles: list[str]) -> None:
    database.roles = roles
    database.version += 1
    database.save(update_fields=["roles", "version"])


def run_change(*, change_id: int, attempt: int) -> None:
    """Judge all records of a database anew; a job of an older attempt does nothing.

    All or nothing: whatever goes wrong, the database is as it was and open again.
    """
    change = changes.start(change_id=change_id, attempt=attempt)
    if change is None:
        return
    problem = CRASHED
    try:
        with changes.pulse_of(change) as pulse:
            _apply(change, pulse)
    except Stopped:
        if is_leaving():
            changes.put_back(change_id=change_id, attempt=attempt)
        return
    except (DatabaseError, psycopg.Error) as error:  # a COPY's errors come unwrapped
        logger.exception("Reading columns anew failed in the database.")
        connection.close()  # it may be broken; a fresh one says what happened, if it can
        state = getattr(error.__cause__ or error, "sqlstate", "") or ""
        problem = DISK_FULL if state.startswith("53") else CRASHED
    except Exception:  # whatever it was, the page must say it
        logger.exception("Reading columns anew failed.")
    else:
        return
    _fail(change_id=change_id, attempt=attempt, problem=problem)


@atomic_with_retry
def _fail(*, change_id: int, attempt: int, problem: str) -> None:
    change = _locked(change_id=change_id, attempt=attempt)
    if change is None:
        return
    change.state, change.problem, change.finished_at = S.FAILED, problem, clock.now()
    change.save(update_fields=["state", "problem", "finished_at"])
    activity.write(
        by=change.created_by,
        kind="database.columns_failed",
        subject=change.database,
        reason=problem,
    )


def _locked(*, change_id: int, attempt: int) -> DatabaseChange | None:
    """Lock a change, if it is still this attempt's."""
    change = DatabaseChange.objects.select_for_update(of=("self",)).get(pk=change_id)
    return change if change.attempt == attempt and change.state == S.RUNNING else None


@transaction.atomic
def _apply(change: DatabaseChange, pulse: Pulse) -> None:
    with connection.cursor() as cursor:
        # A million rows take longer than a page may; the limits still end what hangs.
        cursor.execute("SET LOCAL statement_timeout = '1h'")
        cursor.execute("SET LOCAL lock_timeout = '10s'")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '10min'")
        cursor.execute(_SCRATCH)
    after = change.params["roles"]
    total = _judge(change.database, after, pulse)
    moved = _write(change.database_id, total, pulse)
    _complete(change, after, moved)


# Only what changes: where roles are swapped among few columns, most records may stay untouched.
_SCRATCH = """
CREATE TEMPORARY TABLE judged (
    position int, id bigint, username text, name text, phone text, username_key text,
    name_key text, attention text, was_ready boolean
) ON COMMIT DROP
"""


def _judge(database: Database, after: Sequence[str], pulse: Pulse) -> int:
    """Fill the scratch table with the records that become others; give how many they are."""
    again = judge_of(database, after)
    total = done = 0
    for batch in in_batches(stored_rows(database.pk, again)):
        lines = []
        found = again.judge(row for _pk, row in batch)
        for (pk, row), now in zip(batch, found, strict=True):
            if now != row.was:
                total += 1
                lines.append(_line(total, pk, row, now))
        if lines:
            with connection.cursor() as cursor, cursor.copy("COPY judged FROM STDIN") as copy:
                copy.write("".join(lines).encode())
        done += len(batch)
        pulse.rows = done // 2  # the other half is writing
        if pulse.should_stop():
            raise Stopped
    return total


def _line(position: int, pk: int, row: StoredRow, now: Identity) -> str:
    *texts, attention = now
    fields = [str(position), str(pk), *map(copy_text, texts)]
    fields += [attention or "\\N", "t" if row.was.attention is None else "f"]
    return "\t".join(fields) + "\n"


# Locked and left in the usual order: first off the shelf, then the records, then back on it.
_OFF_SHELF = """
DELETE FROM databases_pool p USING judged j
WHERE p.database_id = %(database)s AND p.record_id = j.id
"""
_RECORDS = """
UPDATE databases_record r
SET username = j.username, name = j.name, phone = j.phone, username_key = j.username_key,
    name_key = j.name_key, attention = j.attention
FROM judged j
WHERE r.database_id = %(database)s AND r.id = j.id
AND j.position > %(start)s AND j.position <= %(end)s
"""
_ON_SHELF = """
INSERT INTO databases_pool (record_id, database_id, shuffle, username_key, name_key, phone)
SELECT j.id, %s, floor(random() * %s)::int AS shuffle, j.username_key, j.name_key, j.phone
FROM judged j
WHERE j.attention IS NULL AND NOT EXISTS (
    SELECT FROM assignments_assignment a WHERE a.record_id = j.id AND a.released_at IS NULL)
ORDER BY shuffle
"""
_IN_HANDS = """
SELECT count(*) FROM judged j JOIN assignments_assignment a ON a.record_id = j.id
WHERE a.released_at IS NULL AND j.attention IS NOT NULL AND j.was_ready
"""


def _write(database_id: int, total: int, pulse: Pulse) -> dict[str, int]:
    """Make the records and the shelf what the scratch table says; count what moved."""
    rows = pulse.rows
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX ON judged (position)")
        cursor.execute("ANALYZE judged")
        cursor.execute(_OFF_SHELF, {"database": database_id})
        for start in range(0, total, _WRITTEN_AT_ONCE):
            if pulse.should_stop():
                raise Stopped
            end = start + _WRITTEN_AT_ONCE
            cursor.execute(_RECORDS, {"database": database_id, "start": start, "end": end})
            pulse.rows = rows + rows * min(end, total) // total
        cursor.execute(_ON_SHELF, [database_id, SHUFFLE_SIZE])
        cursor.execute(_IN_HANDS)
        in_hands = cursor.fetchone()[0]
    if pulse.should_stop():
        raise Stopped
    return {"changed": total, "in_hands": in_hands}


_DUPLICATES = """
SELECT count(*) - count(DISTINCT {who}) FROM databases_record
WHERE database_id = %s AND attention IS NULL AND {who} <> ''
"""


def _complete(change: DatabaseChange, after: list[str], moved: dict[str, int]) -> None:
    """The last step before the commit: under the lock, is this change still this job's?"""
    locked = _locked(change_id=change.pk, attempt=change.attempt)
    if locked is None:
        raise Stopped
    database = Database.objects.select_for_update().get(pk=change.database_id)
    _save_roles(database, _identified(database.roles, after))
    who = "phone" if database.has_phone else "username_key"
    with connection.cursor() as cursor:
        cursor.execute(_DUPLICATES.format(who=who), [database.pk])
        duplicates = cursor.fetchone()[0]
        cursor.execute(
            "SELECT attention, count(*) FROM databases_record"
            " WHERE database_id = %s AND attention IS NOT NULL GROUP BY attention",
            [database.pk],
        )
        reasons = dict(cursor.fetchall())
        cursor.execute(
            "SELECT count(*) FROM databases_record WHERE database_id = %s AND attention IS NULL",
            [database.pk],
        )
        ready = cursor.fetchone()[0]
    locked.result = moved | {
        "ready": ready,
        "attention": reasons,
        "duplicates": duplicates,
        "by_phone": database.has_phone,
    }
    locked.state, locked.finished_at = S.DONE, clock.now()
    locked.rows_done = locked.rows_total
    locked.save()
    source = source_of(database)
    if source is not None:
        # Whatever is repaired later is counted from here; the rows that were read stay as many.
        Import.objects.filter(pk=source.pk).update(ready=ready, attention=sum(reasons.values()))
        # The next file of this kind is proposed with what was right at last.
        remember_columns(source, roles=database.roles, by=change.created_by)
    activity.write(
        by=change.created_by,
        kind="database.columns_changed",
        subject=database,
        change=change.pk,
        ready=ready,
        attention=sum(reasons.values()),
    )
