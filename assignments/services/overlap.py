"""Which customers of an uploaded file the product already has, and who works on them.

It runs in the background after a file was read and only informs: importing never waits for it.
The file's customers go into a temporary table in one COPY, and the joins do the rest.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import psycopg
from django.db import DatabaseError, connection, transaction

from databases.importing.process import RECORD_COLUMNS, Choices, FileProblem, Records, load
from databases.models import Database, Import
from databases.services.imports import as_read
from databases.services.prepared import NOBODY, RECORDS, kept_rows, pieces

logger = logging.getLogger(__name__)

_PHONE, _USERNAME = RECORD_COLUMNS.index("phone"), RECORD_COLUMNS.index("username_key")
_LIMITS = "SET LOCAL statement_timeout = '5min'; SET LOCAL work_mem = '64MB'"
_COMPARED = Import.State.WAITING
_PIECE = 1 << 19


def compare_upload(*, import_id: int, attempt: int) -> None:
    """Note in `Import.overlap` what the product's other databases have of the file's customers.

    Does nothing once the import went on without waiting; what cannot be compared is noted as such.
    """
    mine = Import.objects.filter(pk=import_id, attempt=attempt, state=_COMPARED)
    source = mine.first()
    if source is None:
        return
    try:
        found = _compare(source)
    except (DatabaseError, psycopg.Error, FileProblem, OSError):  # a COPY's errors come unwrapped
        logger.exception("A file could not be compared with the other databases.")
        connection.close_if_unusable_or_obsolete()
        found = {"problem": True}
    mine.update(overlap=found)


def _compare(source: Import) -> dict[str, Any]:
    roles = [column["role"] for column in source.reading["columns"]]
    key = next((role for role in ("phone", "username") if role in roles), None)
    others = _others(source)
    if key is None or not others:
        return {"records": 0, "databases": []}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LIMITS)
        cursor.execute("CREATE TEMP TABLE upload_key (key text) ON COMMIT DROP")
        with cursor.copy("COPY upload_key FROM STDIN") as copy:
            for piece in _keys(source, _PHONE if key == "phone" else _USERNAME):
                copy.write(piece)
        cursor.execute("ANALYZE upload_key")
        column = "phone" if key == "phone" else "username_key"
        cursor.execute(_MATCH.format(column=column), [list(others)])
        cursor.execute(_SUMS)
        counts = cursor.fetchall()
        cursor.execute("SELECT count(DISTINCT key) FROM upload_match")
        records = cursor.fetchone()[0]
        cursor.execute(_HOLDERS)
        holders = cursor.fetchall()
    return {
        "records": records,
        "databases": [
            {
                "id": database_id,
                "name": others[database_id],
                "records": count,
                "assigned": [
                    {"staff_id": staff_id, "name": name, "count": held}
                    for of, staff_id, name, held in holders
                    if of == database_id
                ],
            }
            for database_id, count in counts
        ],
    }


def _others(source: Import) -> dict[int, str]:
    there = Database.objects.filter(product_id=source.product_id, deleted_at=None)
    return dict(there.exclude(pk=source.database_id or 0).values_list("pk", "name"))


# Records without a phone (or username) are in neither index, and two of them are not one customer.
_MATCH = """
    CREATE TEMP TABLE upload_match ON COMMIT DROP AS
    SELECT DISTINCT upload_key.key, record.id AS record_id, record.database_id
    FROM upload_key
    JOIN databases_record record ON record.{column} = upload_key.key AND record.{column} <> ''
    WHERE record.database_id = ANY(%s)
"""
_SUMS = """
    SELECT database_id, count(DISTINCT key) FROM upload_match GROUP BY 1 ORDER BY 2 DESC, 1
"""
_HOLDERS = """
    SELECT match.database_id, staff.id, staff.name, count(DISTINCT match.record_id)
    FROM upload_match match
    JOIN assignments_assignment assignment
        ON assignment.record_id = match.record_id AND assignment.state = 'active'
    JOIN accounts_user staff ON staff.id = assignment.staff_id
    GROUP BY 1, 2, 3 ORDER BY 1, 4 DESC, 2
"""


def _keys(source: Import, position: int) -> Iterator[bytes]:
    """Give the keys of the file's customers as COPY lines, in large pieces."""
    pieces: list[bytes] = []
    size = 0
    for line in record_lines(source):
        # A tab inside a field is escaped, so the fields are where the tabs are.
        key = line.split(b"\t", position + 1)[position]
        if key:
            pieces.append(key)
            size += len(key)
        if size > _PIECE:
            yield b"\n".join(pieces) + b"\n"
            pieces, size = [], 0
    if pieces:
        yield b"\n".join(pieces) + b"\n"


def record_lines(source: Import) -> Iterator[bytes]:
    """Give the lines that COPY would store for the file, as it was read for the check page."""
    kept = kept_rows(source, RECORDS)
    rest = b""
    for piece in pieces(kept) if kept else _read_again(source):
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines


def _read_again(source: Import) -> Iterator[bytes]:
    shown: dict[str, Any] = as_read(source)
    with load(
        source.file.path,
        original_name=source.original_name,
        choices=Choices(**shown | {"roles": tuple(shown["roles"])}),
        database_id=NOBODY,
        import_id=source.pk,
    ) as frames:
        yield from (frame.payload for frame in frames if isinstance(frame, Records))
