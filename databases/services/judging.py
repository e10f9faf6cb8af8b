"""A row judged once more after its import, by the import's own rules."""

from __future__ import annotations

from collections.abc import Sequence

from databases.importing.outcomes import Judge, Judged
from databases.models import Database, Record

# What decides whether two rows are one customer, and why the second one is then skipped.
BY_PHONE, BY_USERNAME = "duplicate_phone", "duplicate_username"


def judge_row(database: Database, *, number: int, cells: Sequence[str]) -> Judged:
    """Give what the import would make of a row with these `cells`, alone in its file."""
    return Judge(database.roles).judge(number, list(cells))


def identity_of(database: Database) -> str:
    """Give the reason for which a second row of one customer is skipped in this database."""
    return BY_PHONE if database.has_phone else BY_USERNAME


def twin_of(database: Database, row: Judged, *, number: int) -> int | None:
    """Give the number of the ready row that is the same customer as `row`, if there is one."""
    ready = Record.objects.in_database(database.pk).filter(attention=None)
    if database.has_phone:
        ready = ready.filter(phone=row.phone).exclude(phone="")
    else:
        ready = ready.filter(username_key=row.username_key).exclude(username_key="")
    twins = ready.exclude(row_number=number).order_by("row_number")
    return twins.values_list("row_number", flat=True).first()
