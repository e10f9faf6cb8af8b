"""The triggers that keep `DatabaseStat`.

Statement triggers with transition tables: one small update however many rows a statement touched.
A database's row of totals is made when the database is, so these only ever update.
"""

from typing import Any

import pgtrigger

from databases.models import whole

_ROWS = {
    pgtrigger.Insert: "SELECT 1 AS sign, n.* FROM new_rows n",
    pgtrigger.Delete: "SELECT -1 AS sign, o.* FROM old_rows o",
    pgtrigger.Update: (
        "SELECT 1 AS sign, n.* FROM new_rows n UNION ALL SELECT -1, o.* FROM old_rows o"
    ),
}
_referencing: Any = pgtrigger.Referencing  # published without type information
_REFERENCES = {
    pgtrigger.Insert: _referencing(new="new_rows"),
    pgtrigger.Delete: _referencing(old="old_rows"),
    pgtrigger.Update: _referencing(old="old_rows", new="new_rows"),
}


def statement_triggers(
    name: str, operations: list[Any], body: str, *, check: dict[Any, str] | None = None
) -> list[pgtrigger.Trigger]:
    """Make one trigger per operation that runs `body` after each statement.

    `{rows}` in `body` stands for the touched rows, each with `sign` +1 (new) or -1 (old).
    `check` gives statements to run first for some operations; they may use the boolean `wrong`.
    """
    return [
        pgtrigger.Trigger(
            name=f"{name}_{str(operation).lower()}",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=operation,
            referencing=_REFERENCES[operation],
            declare=[("wrong", "BOOLEAN")] if check else None,
            func=(check or {}).get(operation, "")
            + body.replace("{rows}", f"({_ROWS[operation]})")
            + "\nRETURN NULL;",
        )
        for operation in operations
    ]


record_triggers = statement_triggers(
    "record_totals",
    [pgtrigger.Insert, pgtrigger.Delete, pgtrigger.Update],
    """
    UPDATE databases_databasestat s
    SET total = s.total + d.total, attention = s.attention + d.attention
    FROM (
        SELECT database_id, sum(sign) AS total,
               coalesce(sum(sign) FILTER (WHERE attention IS NOT NULL), 0) AS attention
        FROM {rows} r GROUP BY database_id ORDER BY database_id
    ) d
    WHERE s.database_id = d.database_id AND (d.total <> 0 OR d.attention <> 0);
    """,
    check={
        pgtrigger.Insert: whole.RECORD_HAS_DATABASE,
        pgtrigger.Update: whole.RECORD_HAS_DATABASE,
        pgtrigger.Delete: whole.RECORD_IS_OFF_SHELF,
    },
)

pool_triggers = statement_triggers(
    "pool_totals",
    [pgtrigger.Insert, pgtrigger.Delete],
    """
    UPDATE databases_databasestat s
    SET available = s.available + d.available
    FROM (
        SELECT database_id, sum(sign) AS available
        FROM {rows} r GROUP BY database_id ORDER BY database_id
    ) d
    WHERE s.database_id = d.database_id AND d.available <> 0;
    """,
    check={pgtrigger.Insert: whole.ON_SHELF_IS_READY},
)
