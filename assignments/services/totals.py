"""Building the totals anew, for after a bulk load past the triggers or a changed time zone."""

from __future__ import annotations

from django.conf import settings
from django.db import connection
from psycopg import sql

from accounts import activity
from assignments.reports.totals import TOTALS, Total, differences
from crm.kernel.transactions import atomic_with_retry


@atomic_with_retry
def rebuild_totals() -> int:
    """Recompute every total from the records, in the configured zone.

    Gives how many rows were wrong. Writers wait until it is done; readers do not.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL lock_timeout = '60s'")
        # In the lock order. This mode keeps out writers, who all change one of the three.
        cursor.execute(
            "LOCK TABLE databases_record, databases_pool, assignments_assignment"
            " IN SHARE ROW EXCLUSIVE MODE"
        )
        zone = sql.Literal(settings.TIME_ZONE).as_string(None)
        cursor.execute(
            "CREATE OR REPLACE FUNCTION crm_zone() RETURNS text LANGUAGE sql IMMUTABLE STRICT"
            f" PARALLEL SAFE AS $$ SELECT {zone}::text $$"
        )
        wrong = len(differences())
        if wrong:
            for total in TOTALS:
                cursor.execute(_rebuild(total))
            activity.write(by=None, kind="totals.rebuilt", rows=wrong)
    return wrong


def _rebuild(total: Total) -> str:
    """Set every row to the truth: those the truth does not know become zero, none is deleted."""
    keys, sums = ", ".join(total.keys), ", ".join(total.sums)
    zeros = ", ".join(f"{name} = 0" for name in total.sums)
    values = ", ".join(f"{name} = EXCLUDED.{name}" for name in total.sums)
    return f"""
        UPDATE {total.table} SET {zeros};
        INSERT INTO {total.table} ({keys}, {sums}) SELECT {keys}, {sums} FROM ({total.truth}) t
        ON CONFLICT ({keys}) DO UPDATE SET {values};
    """  # noqa: S608 -- our own text
