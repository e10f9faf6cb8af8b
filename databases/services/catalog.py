"""Changing what is known about a database: its name, its product, what staff may see of it."""

from __future__ import annotations

from collections.abc import Sequence

from accounts import activity
from accounts.models import User
from crm.kernel.transactions import atomic_with_retry
from databases.errors import ChangedMeanwhile
from databases.locks import lock_database, lock_product
from databases.models import Database, Product, Role

# These stand in each record: whoever gives other columns these roles must write all of them anew.
IDENTITY = {Role.USERNAME.value, Role.NAME.value, Role.PHONE.value}


@atomic_with_retry
def edit_database(
    *,
    database_id: int,
    version: int,
    name: str,
    description: str,
    product: Product | None,
    roles: Sequence[str],
    by: User,
) -> Database:
    """Save what was edited on the page that showed `version`.

    Raises ChangedMeanwhile, with nothing saved, when somebody saved it since; BeingChanged while
    all its records are being changed; Database.DoesNotExist. A column that becomes sensitive is
    hidden from staff from this moment. Identity columns keep their role: to give others that role
    is `assignments.services.columns`.
    """
    now = Database.objects.get(pk=database_id)
    wanted = product.pk if product is not None else None
    # Another product means other rules of who may be handed out: no hand-out may be under way.
    moves = wanted != now.product_id
    if moves:
        for product_id in sorted({wanted or 0, now.product_id or 0}):
            lock_product(product_id, exclusive=True)
    lock_database(database_id, exclusive=moves)
    database = Database.objects.select_for_update().get(pk=database_id)
    if database.version != version:
        raise ChangedMeanwhile(database)
    kept = [
        old if old in IDENTITY or new in IDENTITY else new
        for old, new in zip(database.roles, roles, strict=True)
    ]
    after = {"name": name, "description": description, "product_id": wanted, "roles": kept}
    changed = [field for field, value in after.items() if getattr(database, field) != value]
    if not changed:
        return database
    for field, value in after.items():
        setattr(database, field, value)
    database.version += 1
    database.save(update_fields=["name", "description", "product", "roles", "version"])
    activity.write(
        by=by,
        kind="database.edited",
        subject=database,
        changed=[field.removesuffix("_id") for field in changed],
    )
    return database
