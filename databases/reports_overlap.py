"""What the check page says of customers that the product's other databases already have."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from accounts.models import User
from crm.kernel import clock
from databases.models import Database, Import

LISTED = 6  # databases that are named; the others are counted
NAMED = 4  # staff that are named of each
PATIENCE = dt.timedelta(minutes=15)  # after the last sign of the reading: then nobody compares


@dataclass(frozen=True, slots=True)
class Holder:
    """A staff member who works on some of these customers."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A database that has some of these customers."""

    id: int
    name: str
    records: int
    holders: list[Holder]
    assigned: int
    more_holders: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many customers are there already, and where; the databases with most of them first."""

    records: int
    databases: list[Elsewhere]
    more: int
    failed: bool


def overlap_of(source: Import, *, user: User) -> Overlap | None:
    """Give what the comparison found, without databases that are gone since; None: not yet."""
    found: dict[str, Any] | None = source.overlap
    if found is None and source.heartbeat_at and clock.now() - source.heartbeat_at > PATIENCE:
        found = {"problem": True}
    if found is None:
        return None
    entries = found.get("databases", [])
    names = dict(
        Database.objects.visible_to(user)
        .filter(pk__in=[entry["id"] for entry in entries])
        .values_list("pk", "name")
    )
    there = [entry for entry in entries if entry["id"] in names]
    return Overlap(
        records=found.get("records", 0) if there else 0,
        databases=[_elsewhere(entry, names[entry["id"]]) for entry in there[:LISTED]],
        more=max(0, len(there) - LISTED),
        failed=bool(found.get("problem")),
    )


def _elsewhere(entry: dict[str, Any], name: str) -> Elsewhere:
    assigned = entry["assigned"]
    return Elsewhere(
        id=entry["id"],
        name=name,
        records=entry["records"],
        holders=[Holder(held["name"], held["count"]) for held in assigned[:NAMED]],
        assigned=sum(held["count"] for held in assigned),
        more_holders=max(0, len(assigned) - NAMED),
    )
