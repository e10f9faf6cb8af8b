"""One of everything, owned by Ani, to ask every address for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.access import Audience
from accounts.models import User
from assignments.models import Assignment
from batches.keys import BatchKey
from crm.kernel import clock
from databases.models import DatabaseChange, Import, ReceivedFile
from tests import factories
from tests.permissions.addresses import DJANGO_ADMIN, THINGS


@dataclass(frozen=True)
class Address:
    """One view and how it is reached."""

    name: str
    parameters: tuple[str, ...]
    audience: Audience | None


def addresses(
    patterns: Any = None, namespace: str = "", parameters: tuple[str, ...] = ()
) -> Iterator[Address]:
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        names = (*parameters, *entry.pattern.converters)
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from addresses(entry.url_patterns, inner, names)
        else:
            assert isinstance(entry, URLPattern)
            name = f"{namespace}{entry.name or entry.pattern}"
            yield Address(name, names, getattr(entry.callback, "audience", None))


OURS = sorted((a for a in addresses() if not a.name.startswith(DJANGO_ADMIN)), key=lambda a: a.name)
DJANGO = sorted((a for a in addresses() if a.name.startswith(DJANGO_ADMIN)), key=lambda a: a.name)


@dataclass
class World:
    ani: User
    budi: User
    citra: User
    things: dict[str, Any]

    def path(self, address: Address) -> str:
        """Give the address with the things of this world in it."""
        if not address.parameters:
            return reverse(address.name)
        parameter, *more = address.parameters
        thing = THINGS.get(address.name) or THINGS[address.name.split(":")[0]]
        kwargs = {parameter: self.things[thing]} | {name: self.things[name] for name in more}
        return reverse(address.name, kwargs=kwargs)

    def admitted(self, audience: Audience) -> list[User]:
        everybody = {
            Audience.PUBLIC: [self.ani, self.citra],
            Audience.MEMBERS: [self.ani, self.citra],
            Audience.STAFF: [self.ani],
            Audience.ADMIN: [self.citra],
        }
        return everybody[audience]


def make_world(ani: User, budi: User, citra: User) -> World:
    database = factories.make_database(records=20, by=citra)
    batch = factories.make_batch(staff=ani, records=3, database=database)
    source = Import.objects.create(
        product=database.product,
        name="Data",
        uploaded_by=citra,
        original_name="data.csv",
        size=1,
        sha256="0" * 64,
        state=Import.State.DONE,
        database=database,
    )
    DatabaseChange.objects.create(
        database=database,
        kind="columns",
        state="done",
        created_by=citra,
        finished_at=clock.now(),
        result={"ready": 20, "attention": {}, "in_hands": 3, "duplicates": 0, "by_phone": True},
    )
    received = ReceivedFile.objects.create(
        original_name="data.csv", size=9, arrived=3, received_by=citra
    )
    things = {
        "received": received.pk,
        "person": factories.make_user().pk,
        "product": factories.make_product().pk,
        "template": factories.make_template(product=database.product).pk,
        "database": database.pk,
        "row": 2,
        "import": source.pk,
        "batch": BatchKey(batch.pk, None),
        "assignment": Assignment.objects.filter(request=batch).earliest("pk").pk,
        "request": factories.make_pending(staff=ani, database=database, quantity=2).pk,
    }
    return World(ani, budi, citra, things)


# What a GET may write: who looked at what, who was signed in, and wrong passwords.
MAY_CHANGE = {
    "accounts_activity",
    "django_session",
    "axes_accessattempt",
    "pghistory_context",
}


def digest() -> dict[str, str]:
    """Give a fingerprint of every table, but for those a GET may write."""
    tables = sorted(set(connection.introspection.table_names()) - MAY_CHANGE)
    query = " UNION ALL ".join(
        f"SELECT '{table}', md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"
        f' FROM "{table}" t'
        for table in tables
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        return dict(cursor.fetchall())
