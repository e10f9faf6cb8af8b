"""Foreign keys of the tables with millions of rows, checked a statement at a time.

PostgreSQL checks its own foreign keys row by row and locks the row they point at. For a hand-out
of 1,000 that wrote 1,000 wide record pages and took three quarters of its time; for an import it
took a third. These triggers ask once for all rows of a statement and lock the database alone. What
they point at is deleted only under the product's lock taken exclusively (`databases.locks`).

The statements are planned anew each time (EXECUTE): a plan kept from a statement of one row would
serve one of a million badly.
"""

from __future__ import annotations

import pgtrigger

_REFUSE = """
    IF wrong THEN
        RAISE EXCEPTION '{says}' USING ERRCODE = 'foreign_key_violation';
    END IF;
"""


def refuse_if(query: str, *, says: str) -> str:
    """Give PL/pgSQL that runs `query` (one boolean) and refuses the statement when it is true.

    The trigger declares `wrong`.
    """
    return f"EXECUTE $q$ {query} $q$ INTO wrong;" + _REFUSE.format(says=says)


# The database is locked against deletion until the transaction ends, as a foreign key would.
LOCK_DATABASE = """
    PERFORM FROM databases_database
    WHERE id IN (SELECT DISTINCT database_id FROM new_rows) FOR KEY SHARE;
"""
RECORD_HAS_DATABASE = LOCK_DATABASE + refuse_if(
    """
    SELECT EXISTS (
        SELECT FROM (SELECT DISTINCT database_id FROM new_rows) n
        WHERE NOT EXISTS (SELECT FROM databases_database d WHERE d.id = n.database_id))
    """,
    says="a record of a database that is not there",
)

ON_SHELF_IS_READY = refuse_if(
    """
    SELECT EXISTS (
        SELECT FROM new_rows n WHERE NOT EXISTS (
            SELECT FROM databases_record r
            WHERE r.id = n.record_id AND r.database_id = n.database_id AND r.attention IS NULL))
    """,
    says="only a ready record of this database can stand on its shelf",
)

RECORD_IS_OFF_SHELF = refuse_if(
    "SELECT EXISTS (SELECT FROM old_rows o JOIN databases_pool p ON p.record_id = o.id)",
    says="a record on the shelf cannot be deleted",
)

database_triggers = [
    pgtrigger.Trigger(
        name="no_records_left",
        level=pgtrigger.Row,
        when=pgtrigger.Before,
        operation=pgtrigger.Delete,
        func="""
            IF EXISTS (SELECT FROM databases_record WHERE database_id = OLD.id) THEN
                RAISE EXCEPTION 'a database with records cannot be deleted'
                    USING ERRCODE = 'foreign_key_violation';
            END IF;
            RETURN OLD;
        """,
    ),
]
