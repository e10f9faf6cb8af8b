"""The lock that orders hand-outs against what changes who may be handed out.

Lock order everywhere: product -> request -> pool -> assignment, ids ascending. A hand-out takes the
product's lock shared, so hand-outs do not wait for each other; archiving a database (and whatever
else takes records out of reach) takes it exclusively, so that no hand-out works from an old answer.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from django.db.models import F, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from databases.errors import BeingChanged
from databases.models import Database, DatabaseChange

_PRODUCT = 1  # the first half of the advisory lock's key: its kind
_NO_PRODUCT = 0


def lock_product(product_id: int | None, *, exclusive: bool) -> None:
    """Take the product's lock until the transaction ends; databases without one share a lock."""
    function = "pg_advisory_xact_lock" if exclusive else "pg_advisory_xact_lock_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s, %s)", [_PRODUCT, product_id or _NO_PRODUCT])


def lock_database(database_id: int, *, exclusive: bool) -> Database:
    """Take the lock of the database's product and give the database as it is under that lock.

    Raises Database.DoesNotExist, also for a deleted one, and BeingChanged while all its records
    are being changed: whatever is decided about records passes here.
    """
    database = lock_database_as_is(database_id, exclusive=exclusive)
    if database.deleted_at is not None:
        raise Database.DoesNotExist
    refuse_while_changed(database)
    return database


def lock_databases(database_ids: Iterable[int]) -> dict[int, Database]:
    """Take the locks of all these databases, shared, the products in order; it is all or none.

    Raises BeingChanged. Those deleted meanwhile are left out: nothing of them can be decided.
    """
    in_order = (
        Database.objects.filter(pk__in=set(database_ids))
        .order_by(Coalesce(F("product_id"), Value(_NO_PRODUCT)), "pk")
        .values_list("pk", flat=True)
    )
    locked = [lock_database_as_is(pk, exclusive=False) for pk in list(in_order)]
    databases = {database.pk: database for database in locked if database.deleted_at is None}
    for database in databases.values():
        refuse_while_changed(database)
    return databases


def lock_database_as_is(database_id: int, *, exclusive: bool) -> Database:
    """Do as `lock_database`, and refuse nothing. Raises Database.DoesNotExist.

    A database that was given another product between looking and locking is looked at again.
    """
    unfinished = DatabaseChange.objects.unfinished().filter(database=OuterRef("pk"))
    databases = Database.objects.select_related("product").annotate(
        being_changed=Subquery(unfinished.values("kind")[:1])
    )
    product_id: int | None = Database.objects.values_list("product_id", flat=True).get(
        pk=database_id
    )
    while True:
        lock_product(product_id, exclusive=exclusive)
        database = databases.get(pk=database_id)
        if database.product_id == product_id:
            return database
        product_id = database.product_id


def refuse_while_changed(database: Database) -> None:
    """Raise BeingChanged where `lock_database_as_is` found all records being changed."""
    if getattr(database, "being_changed", None) is not None:
        raise BeingChanged(database.name)
