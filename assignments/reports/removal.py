"""What deleting a database, or undoing its import, would take away, counted before."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F, Sum

from accounts.models import User
from assignments.models import BatchStat, StaffDay
from assignments.reports.requests import pending_of
from databases.models import Database, DatabaseChange, Import

HOLDERS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Holder:
    """One staff with records of a database: how many, how many are checked, how many replied."""

    name: str
    records: int
    checked: int
    replied: int


@dataclass(frozen=True, slots=True)
class Held:
    """Who has records of a database in their hands, those with most first, and the sums."""

    holders: list[Holder]

    @property
    def records(self) -> int:
        return sum(holder.records for holder in self.holders)

    @property
    def checked(self) -> int:
        return sum(holder.checked for holder in self.holders)

    @property
    def replied(self) -> int:
        return sum(holder.replied for holder in self.holders)

    @property
    def shown(self) -> list[Holder]:
        return self.holders[:HOLDERS_SHOWN]

    @property
    def others(self) -> int:
        return max(0, len(self.holders) - HOLDERS_SHOWN)


@dataclass(frozen=True, slots=True)
class Removal:
    """The exact counts of what goes with a database, and what stands in the way."""

    source: Import | None
    corrections: int
    requests: int
    requested: int
    handed_out: int
    held: Held
    change: DatabaseChange | None

    @property
    def skipped(self) -> int:
        """How many rows of the file are kept for the report only."""
        return self.source.duplicate + self.source.blank if self.source else 0

    @property
    def history(self) -> int:
        """How many times a record was handed out and taken back."""
        return max(0, self.handed_out - self.held.records)


def removal_of(database: Database, *, user: User) -> Removal:
    """Count what deleting `database` would take away, from the totals."""
    imports = Import.objects.visible_to(user)
    source = imports.filter(database=database).first()
    requests, requested = pending_of(database)
    return Removal(
        source=source,
        corrections=imports.filter(corrects=source).count() if source else 0,
        requests=requests,
        requested=requested,
        handed_out=handed_out_ever(database),
        held=held_of(database),
        change=DatabaseChange.objects.visible_to(user)
        .unfinished()
        .filter(database=database)
        .first(),
    )


def held_of(database: Database) -> Held:
    """Give who holds records of `database` now, and how many of them are marked."""
    rows = (
        BatchStat.objects.filter(database=database, records__gt=0)
        .values("staff__name")
        .annotate(
            held=Sum("records"),
            marked=Sum(F("ada") + F("ceklis1") + F("tidak")),
            replied=Sum("ya"),
        )
        .order_by("-held", "staff__name")
    )
    return Held(
        [Holder(row["staff__name"], row["held"], row["marked"], row["replied"]) for row in rows]
    )


def handed_out_ever(database: Database) -> int:
    """Count how many times a record of `database` was given to somebody, whatever became of it."""
    given = StaffDay.objects.filter(database=database).aggregate(times=Sum("assigned", default=0))
    return int(given["times"])
