"""Tables of their own for long lists.

`databases_record` and `databases_pool` are partitioned by the id of the record. Short lists share
the partition MAIN; a long one gets a room: a partition for a block of ids, filled before it has
an index. Each room says by a CHECK whose database it is, so that a query for one database looks
at MAIN and at its room only. The functions (migration `0006_rooms`) belong to the owner of the
tables, because the program may run as a role that owns nothing.
"""

from __future__ import annotations

from django.db import connection

MAIN = "databases_record"
# Below this the large indexes take the rows fast enough, and there are fewer tables.
FROM = 100_000
# Ids below this are given one by one and live in MAIN; each room has a block of BLOCK above.
FIRST_ID = 2**40
BLOCK = 2**21


def table(database_id: int) -> str:
    """Give the name of the table that takes the records of a database with a room."""
    return f"databases_record_{database_id:d}"


def make(database_id: int) -> None:
    """Make the room of a database; its records are then copied into `table`."""
    _call("crm_make_room", database_id)


def move_in(database_id: int) -> None:
    """Make the copied records those of the database: indexes, shelf, totals, all at once.

    The shelf is filled in shuffle order, so that taking reads pages in a row.
    """
    _call("crm_move_in", database_id)


def close(database_id: int) -> None:
    """Delete the room of a deleted database with all that is in it; nothing without a room.

    Raises LockNotAvailable when the tables of all records are in use for too long, and
    IntegrityError while the database is not deleted or somebody holds a record of it.
    """
    _call("crm_close_room", database_id)


def _call(function: str, database_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [database_id])
