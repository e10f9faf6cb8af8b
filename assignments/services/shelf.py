"""Taking records off the shelf, and giving them back: the only writers of who has a record.

The rule of who may be handed out stands in `ELIGIBLE`, once. Locks are taken by the callers in
the order of `databases.locks`; here the pool rows come before the assignments.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from assignments.errors import NotEnoughRecords
from assignments.models import Assignment, RecordRequest

SHUFFLE_SIZE = 2**31 - 1

# Eligible = on the shelf (ready, nobody's), in a database that is not archived (checked under the
# product's lock by the caller), and not reserved: reserved members join here, as conditions on p.
ELIGIBLE = "p.database_id = %(database)s"

# An array, not a join, which the planner may make by reading a whole shelf through.
_TAKE = """
WITH pick AS MATERIALIZED (
    SELECT p.record_id FROM databases_pool p
    WHERE {eligible} AND {leg}
    ORDER BY p.shuffle LIMIT %(count)s
    FOR UPDATE OF p {wait}
), taken AS (
    DELETE FROM databases_pool
    WHERE databases_pool.record_id = ANY(ARRAY(SELECT record_id FROM pick))
        AND databases_pool.database_id = %(database)s
    RETURNING databases_pool.record_id
)
INSERT INTO assignments_assignment
    (record_id, database_id, staff_id, request_id, state, held_at, assigned_at, note, note_version)
SELECT record_id, %(database)s, %(staff)s, %(request)s, %(state)s,
       CASE WHEN %(state)s = 'held' THEN statement_timestamp() END,
       CASE WHEN %(state)s = 'active' THEN statement_timestamp() END, '', 0
FROM taken
"""


def take(*, request: RecordRequest, count: int, state: Assignment.State) -> None:
    """Move `count` random eligible records from the shelf into `request`'s hands, as `state`.

    Raises NotEnoughRecords, with nothing moved, when the shelf holds fewer. What others hold
    locked this moment is passed over first; only when that leaves too few is it waited for.
    """
    for legs, wait in ((_AROUND, "SKIP LOCKED"), (_IN_ORDER, "")):
        with transaction.atomic():
            taken = _take(request, count, state, legs=legs, wait=wait)
            if taken == count:
                return
            transaction.set_rollback(True)
    raise NotEnoughRecords(taken)


# From a random place on the shelf to its end, then once from its beginning.
_AROUND = ("p.shuffle >= %(start)s", "p.shuffle < %(start)s")
# Those who wait for each other's rows must meet them in one order, or they wait in a circle.
_IN_ORDER = ("true",)


def _take(request: RecordRequest, count: int, state: str, *, legs: Sequence[str], wait: str) -> int:
    params: dict[str, Any] = {
        "database": request.database_id,
        "staff": request.staff_id,
        "request": request.pk,
        "state": state,
        # Where to start is no secret; starting at the head would reread the same rows each time.
        "start": random.randrange(SHUFFLE_SIZE),  # noqa: S311
    }
    taken = 0
    with connection.cursor() as cursor:
        for leg in legs:
            if taken < count:
                statement = _TAKE.format(eligible=ELIGIBLE, leg=leg, wait=wait)
                cursor.execute(statement, {**params, "count": count - taken})
                taken += cursor.rowcount
    return taken


def count_eligible(database_id: int) -> int:
    """Count exactly what a hand-out from this database could take now."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM databases_pool p WHERE {ELIGIBLE}",  # noqa: S608 -- our own text
            {"database": database_id},
        )
        return int(cursor.fetchone()[0])


# The databases are named so that only their own partitions are looked at: the planner does not
# know where a record is, and would sooner read all partitions through than ask each by its index.
_SHELVE = """
INSERT INTO databases_pool (record_id, database_id, shuffle, username_key, name_key, phone)
SELECT r.id, r.database_id, floor(random() * %(shuffle)s)::int,
       r.username_key, r.name_key, r.phone
FROM databases_record r JOIN {source} f ON f.record_id = r.id
WHERE r.attention IS NULL AND r.database_id = ANY(%(databases)s)
"""


def shelve(record_ids: Sequence[int], *, database_id: int) -> int:
    """Put those of a database's records that are ready and nobody's on its shelf; give how many.

    For records that became ready. The caller holds the product's lock exclusively: none of them is
    handed out, recalled or handed over meanwhile.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _SHELVE_FREE.format(source="(SELECT unnest(%(records)s::bigint[]) AS record_id)"),
            {
                "records": sorted(record_ids),
                "databases": [database_id],
                "shuffle": SHUFFLE_SIZE,
            },
        )
        return int(cursor.rowcount)


_SHELVE_FREE = (
    _SHELVE
    + """
AND NOT EXISTS (
    SELECT FROM assignments_assignment a WHERE a.record_id = r.id AND a.released_at IS NULL)
"""
)


_FREE_HELD = """
WITH going AS MATERIALIZED (
    SELECT id FROM assignments_assignment
    WHERE request_id = %(request)s AND state = 'held'
    ORDER BY id OFFSET %(keep)s FOR UPDATE
), freed AS (
    DELETE FROM assignments_assignment a USING going
    WHERE a.id = going.id RETURNING a.record_id
)
"""


def release_held(request: RecordRequest, *, keep: int = 0) -> int:
    """Put what `request` holds back on the shelf, but for `keep` of it; give how many went back.

    A held record was nobody's yet: it leaves no history.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _FREE_HELD + _SHELVE.format(source="freed"),
            {
                "request": request.pk,
                "databases": [request.database_id],
                "keep": keep,
                "shuffle": SHUFFLE_SIZE,
            },
        )
        return int(cursor.rowcount)


# Locked in the order of their ids first: an UPDATE alone meets rows in any order.
_RELEASE = """
WITH going AS MATERIALIZED (
    SELECT id FROM assignments_assignment
    WHERE {which} AND state = 'active' AND released_at IS NULL ORDER BY id FOR UPDATE
)
UPDATE assignments_assignment a
SET state = 'released', released_at = statement_timestamp(), released_by_id = %(by)s
FROM going WHERE a.id = going.id
RETURNING a.record_id, a.database_id
"""


def hand_over(*, database_id: int, from_staff_id: int, request: RecordRequest, by_id: int) -> int:
    """Move what a staff holds of one database into `request`'s hands, blank; give how many.

    The old assignments stay as history with their marks; the records never touch the shelf.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _RELEASE.format(which="staff_id = %(staff)s AND database_id = %(database)s"),
            {"staff": from_staff_id, "database": database_id, "by": by_id},
        )
        records = sorted(row[0] for row in cursor.fetchall())
        cursor.execute(
            """
            INSERT INTO assignments_assignment
                (record_id, database_id, staff_id, request_id, state, assigned_at,
                 note, note_version)
            SELECT unnest(%(records)s::bigint[]), %(database)s, %(staff)s, %(request)s, 'active',
                   statement_timestamp(), '', 0
            """,
            {
                "records": records,
                "database": database_id,
                "staff": request.staff_id,
                "request": request.pk,
            },
        )
    return len(records)


def release(*, assignment_ids: Sequence[int], by_id: int) -> int:
    """Take these assignments from their holders and put the ready ones on the shelf again.

    The old assignments stay as history with their marks. Gives how many were released.
    """
    return _release("id = ANY(%(ids)s)", {"ids": list(assignment_ids), "by": by_id})


def release_all(*, staff_id: int, by_id: int) -> int:
    """Take all that a staff holds and put the ready ones on the shelf again; give how many."""
    return _release("staff_id = %(staff)s", {"staff": staff_id, "by": by_id})


def release_database(*, database_id: int, by_id: int) -> int:
    """Take all that is assigned of a database, the ready ones to its shelf; give how many."""
    return _release("database_id = %(database)s", {"database": database_id, "by": by_id})


def _release(which: str, params: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE.format(which=which), params)
        released = cursor.fetchall()
        records = [record_id for record_id, _database_id in released]
        cursor.execute(
            _SHELVE.format(source="(SELECT unnest(%(records)s::bigint[]) AS record_id)"),
            {
                "records": records,
                "databases": sorted({database_id for _record_id, database_id in released}),
                "shuffle": SHUFFLE_SIZE,
            },
        )
    return len(records)
