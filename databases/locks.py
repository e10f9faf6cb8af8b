"""The lock that orders hand-outs against what changes who may be handed out.

Lock order everywhere: product -> request -> pool -> assignment, ids ascending. A hand-out takes the
product's lock shared, so hand-outs do not wait for each other; archiving a database (and whatever
else takes records out of reach) takes it exclusively, so that no hand-out works from an old answer.
"""

from __future__ import annotations

from django.db import connection

_PRODUCT = 1  # the first half of the advisory lock's key: its kind
_NO_PRODUCT = 0


def lock_product(product_id: int | None, *, exclusive: bool) -> None:
    """Take the product's lock until the transaction ends; databases without one share a lock."""
    function = "pg_advisory_xact_lock" if exclusive else "pg_advisory_xact_lock_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s, %s)", [_PRODUCT, product_id or _NO_PRODUCT])
