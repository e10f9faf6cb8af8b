"""The totals against a plain GROUP BY of what they sum up: the proof, and the means to rebuild.

Each total has one query for what is true; `differences` and `assignments.services.totals` share it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from assignments.models.totals import MARKS, STAFF_DAY_PARTS

_MARKED = ("ada", "ceklis1", "tidak", "ya", "tidak_response")


@dataclass(frozen=True, slots=True)
class Total:
    """One table of sums: where it stands, what identifies a row, what is summed, and the truth."""

    table: str
    keys: tuple[str, ...]
    sums: tuple[str, ...]
    truth: str


TOTALS = (
    Total(
        "databases_databasestat",
        ("database_id",),
        ("total", "attention", "available", "requested", "assigned"),
        """
        SELECT d.id AS database_id, coalesce(r.total, 0) AS total,
               coalesce(r.attention, 0) AS attention, coalesce(p.available, 0) AS available,
               coalesce(a.requested, 0) AS requested, coalesce(a.assigned, 0) AS assigned
        FROM databases_database d
        LEFT JOIN (
            SELECT database_id, count(*) AS total, count(attention) AS attention
            FROM databases_record GROUP BY database_id
        ) r ON r.database_id = d.id
        LEFT JOIN (
            SELECT database_id, count(*) AS available FROM databases_pool GROUP BY database_id
        ) p ON p.database_id = d.id
        LEFT JOIN (
            SELECT database_id, count(*) FILTER (WHERE state = 'held') AS requested,
                   count(*) FILTER (WHERE state = 'active') AS assigned
            FROM assignments_assignment GROUP BY database_id
        ) a ON a.database_id = d.id
        """,
    ),
    Total(
        "assignments_batchstat",
        ("staff_id", "database_id", "request_id"),
        ("records", *_MARKED),
        f"""
        SELECT staff_id, database_id, request_id, count(*) AS records, {MARKS}
        FROM (SELECT 1 AS sign, a.* FROM assignments_assignment a WHERE state = 'active') live
        GROUP BY staff_id, database_id, request_id
        """,  # noqa: S608 -- our own text
    ),
    Total(
        "assignments_staffday",
        ("staff_id", "day", "database_id"),
        ("assigned", *_MARKED),
        f"""
        WITH touched AS (SELECT 1 AS sign, a.* FROM assignments_assignment a)
        SELECT staff_id, day, database_id, sum(sign * assigned) AS assigned, {MARKS}
        FROM ({STAFF_DAY_PARTS}) parts GROUP BY staff_id, day, database_id
        """,  # noqa: S608 -- our own text
    ),
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A row of totals that is not what the records say."""

    table: str
    key: Mapping[str, Any]
    kept: Mapping[str, int]
    true: Mapping[str, int]

    def __str__(self) -> str:
        key = ", ".join(f"{name} {value}" for name, value in self.key.items())
        wrong = ", ".join(
            f"{name} {self.kept[name]}, should be {self.true[name]}"
            for name in self.kept
            if self.kept[name] != self.true[name]
        )
        return f"{self.table} ({key}): {wrong}"


def differences() -> list[Difference]:
    """Compare every total with the records; a missing row counts as zeros."""
    return [found for total in TOTALS for found in _differences(total)]


def _differences(total: Total) -> list[Difference]:
    kept = ", ".join(f"coalesce(k.{name}, 0)" for name in total.sums)
    true = ", ".join(f"coalesce(t.{name}, 0)" for name in total.sums)
    keys = ", ".join(f"coalesce(k.{name}, t.{name})" for name in total.keys)
    # A null key (the Legacy batch has no request) equals itself here. FULL JOIN wants a plain
    # equality, so nulls go in as 0, which no id is.
    same = " AND ".join(_equal(name) for name in total.keys)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {keys}, {kept}, {true} FROM {total.table} k FULL JOIN ({total.truth}) t"  # noqa: S608 -- our own text
            f" ON {same} WHERE ({kept}) IS DISTINCT FROM ({true}) ORDER BY {keys}"
        )
        rows = cursor.fetchall()
    at, count = len(total.keys), len(total.sums)
    return [
        Difference(
            total.table,
            dict(zip(total.keys, row[:at], strict=True)),
            dict(zip(total.sums, map(int, row[at : at + count]), strict=True)),
            dict(zip(total.sums, map(int, row[at + count :]), strict=True)),
        )
        for row in rows
    ]


def _equal(name: str) -> str:
    if name == "request_id":
        return f"coalesce(k.{name}, 0) = coalesce(t.{name}, 0)"
    return f"k.{name} = t.{name}"


def zone_of_days(using: BaseDatabaseWrapper) -> str | None:
    """Give the zone in which the database counts days, or None before the first migration."""
    with using.cursor() as cursor:
        cursor.execute("SELECT to_regproc('crm_zone')")
        if cursor.fetchone()[0] is None:
            return None
        cursor.execute("SELECT crm_zone()")
        return str(cursor.fetchone()[0])
