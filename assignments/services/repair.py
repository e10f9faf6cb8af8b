"""Putting a row right that the import could not use: then it is ready, and on the shelf.

Two repairs of one database never overlap: each holds the product's lock exclusively. Lock order:
product -> record -> import.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import F
from django.utils.translation import gettext as _

from accounts import activity
from accounts.models import User
from assignments.errors import CannotSkip, CustomerIsThere, RepairedBefore, StillNotUsable
from assignments.models import Assignment
from assignments.services import shelf
from assignments.services.locks import lock_database
from crm.kernel import clock
from crm.kernel.transactions import atomic_with_retry
from databases.importing.outcomes import TOO_LONG, Judged
from databases.importing.shapes import BLANK, READY
from databases.models import Database, Import, Record, RepairedRow, SkippedRow
from databases.reports import reason_text
from databases.services.judging import identity_of, judge_row, twin_of


@atomic_with_retry
def repair_record(*, database_id: int, row_number: int, cells: Sequence[str], by: User) -> Record:
    """Give a row that needs attention other `cells`; make it ready and put it on the shelf.

    In somebody's hands it stays there. Raises StillNotUsable, CustomerIsThere, RepairedBefore;
    Database.DoesNotExist, Record.DoesNotExist.
    """
    database = _lock(database_id)
    record = _still_needing(database, row_number)
    row = _judge(database, record, cells)
    twin = twin_of(database, row, number=row_number)
    if twin is not None:
        raise CustomerIsThere(reason=identity_of(database), same_as=twin)
    was, before = record.attention or "", record.cells
    record.cells, record.attention = list(row.cells), None
    record.phone, record.username, record.name = row.phone, row.username, row.name
    record.username_key, record.name_key = row.username_key, row.name_key
    needing = Record.objects.needing_attention().filter(pk=record.pk)
    if not needing.update(
        cells=record.cells,
        attention=None,
        phone=row.phone,
        username=row.username,
        name=row.name,
        username_key=row.username_key,
        name_key=row.name_key,
    ):
        raise repaired_before(database, row_number)
    shelf.shelve([record.pk], database_id=database.pk)
    _remember(record, was=was, before=before, became=RepairedRow.Became.READY, by=by)
    Import.objects.filter(database=database).update(
        ready=F("ready") + 1, attention=F("attention") - 1, repaired=F("repaired") + 1
    )
    activity.write(
        by=by, kind="record.repaired", subject=database, row=row_number, record=record.pk
    )
    return record


@atomic_with_retry
def skip_duplicate(*, database_id: int, row_number: int, cells: Sequence[str], by: User) -> int:
    """Take a row out of the database that, with these `cells`, is the customer of another row.

    It is then one of the rows that the import skipped. Gives the number of the other row. Raises
    CannotSkip, StillNotUsable, RepairedBefore; Database.DoesNotExist, Record.DoesNotExist.
    """
    database = _lock(database_id)
    record = _still_needing(database, row_number)
    row = _judge(database, record, cells)
    twin = twin_of(database, row, number=row_number)
    source = Import.objects.filter(database=database).first()
    if twin is None or source is None:
        raise CannotSkip(held=False)
    if Assignment.objects.filter(record=record).exists():
        raise CannotSkip(held=True)
    record_id, was, before = record.pk, record.attention or "", record.cells
    if not Record.objects.needing_attention().filter(pk=record_id).delete()[0]:
        raise repaired_before(database, row_number)
    SkippedRow.objects.create(
        source=source,
        row_number=row_number,
        reason=identity_of(database),
        same_as=twin,
        cells=list(row.cells),
    )
    _remember(record, was=was, before=before, became=RepairedRow.Became.DUPLICATE, by=by)
    Import.objects.filter(pk=source.pk).update(
        attention=F("attention") - 1, duplicate=F("duplicate") + 1
    )
    activity.write(
        by=by,
        kind="record.skipped",
        subject=database,
        row=row_number,
        record=record_id,
        same_as=twin,
    )
    return twin


def _lock(database_id: int) -> Database:
    # Exclusively: nobody is being given the record by hand, and no other row becomes ready now.
    return lock_database(database_id, exclusive=True)


def _still_needing(database: Database, row_number: int) -> Record:
    rows = Record.objects.in_database(database.pk).filter(row_number=row_number)
    record = rows.first()
    if record is None or record.attention is None:
        raise repaired_before(database, row_number, gone=record is None)
    record.database = database
    return record


def repaired_before(
    database: Database, row_number: int, *, gone: bool = False
) -> RepairedBefore | Record.DoesNotExist:
    """Give the refusal that says who was first and what the row is now.

    Of a row that is no record (`gone`) and that nobody skipped by hand there is nothing to say.
    """
    rows = RepairedRow.objects.filter(database=database, row_number=row_number)
    last = rows.select_related("by").order_by("-at").first()
    if last is None and gone:
        return Record.DoesNotExist()
    return RepairedBefore(
        row=row_number,
        became=last.get_became_display() if last else "",
        by=last.by.name if last else "",
    )


def _judge(database: Database, record: Record, cells: Sequence[str]) -> Judged:
    row = judge_row(database, number=record.row_number, cells=cells)
    if row.outcome == BLANK:
        raise StillNotUsable(BLANK, _("Type at least one cell: a blank row is nobody."))
    if row.outcome != READY:
        raise StillNotUsable(row.reason, reason_text(row.reason))
    # Digits lost in the spreadsheet look like any others in what is stored: as long as nobody
    # typed them anew, they are lost. A cell that was cut may stay so, once a person has seen it.
    if record.attention != TOO_LONG and list(row.cells) == record.cells:
        raise StillNotUsable(record.attention or "", reason_text(record.attention or ""))
    return row


def _remember(record: Record, *, was: str, before: list[str], became: str, by: User) -> None:
    RepairedRow.objects.create(
        database_id=record.database_id,
        row_number=record.row_number,
        was=was,
        became=became,
        cells_before=before,
        by=by,
        at=clock.now(),
    )
