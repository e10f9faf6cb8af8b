"""Long lists in tables of their own: the same records, the same rules, and gone when deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from accounts.models import User
from assignments.models import Assignment
from assignments.reports.totals import differences
from assignments.services import removal
from assignments.services.requests import approve_request, request_records
from crm.kernel import clock
from databases import rooms
from databases.models import Database, DatabaseStat, Import, Pool, Record
from tests import factories
from tests.databases.helpers import make_import
from tests.databases.test_import import as_shown

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_rooms_left() -> Any:
    """The tables of a test are emptied after it; rooms would stay."""
    yield
    for name in _rooms():
        with connection.cursor() as cursor:
            cursor.execute(f'DROP TABLE "{name}"')


def _rooms() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' "
            "AND relname ~ '^databases_(record|pool)_[0-9]+$' ORDER BY relname"
        )
        return [row[0] for row in cursor.fetchall()]


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def bring_in(
    as_citra: Client, work: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Database]:
    """Give a function that imports the usual six rows, in a room or not."""

    def run(*, apart: bool) -> Database:
        monkeypatch.setattr(rooms, "FROM", 1 if apart else 1000)
        source = make_import(state=Import.State.READING, reading={}, choices={})
        from databases.services.queue import enqueue_reading

        enqueue_reading(source)
        work()
        source.refresh_from_db()
        url = f"/manage/databases/imports/{source.pk}/confirm/"
        assert as_citra.post(url, as_shown(source)).status_code == 302
        work()
        source.refresh_from_db()
        assert source.state == Import.State.DONE, source.problem
        assert source.database is not None
        return source.database

    return run


Bring = Callable[..., Database]


def _contents(database: Database) -> list[tuple[Any, ...]]:
    records = Record.objects.in_database(database.pk).order_by("row_number")
    shelf = set(Pool.objects.filter(database=database).values_list("record_id", flat=True))
    return [
        (r.row_number, r.cells, r.phone, r.username_key, r.name_key, r.attention, r.pk in shelf)
        for r in records
    ]


def test_a_long_list_has_the_same_records_as_a_short_one(bring_in: Bring) -> None:
    short, long = bring_in(apart=False), bring_in(apart=True)
    assert _contents(long) == _contents(short)
    assert [row[0] for row in _contents(long)] == [2, 3, 4, 7]
    assert _rooms() == [f"databases_pool_{long.pk}", f"databases_record_{long.pk}"]
    counted = [DatabaseStat.objects.get(database=one) for one in (long, short)]
    assert {(s.total, s.attention, s.available) for s in counted} == {(4, 1, 3)}
    assert min(r.pk for r in Record.objects.in_database(long.pk)) >= rooms.FIRST_ID
    assert max(r.pk for r in Record.objects.in_database(short.pk)) < rooms.FIRST_ID
    assert differences() == []


def test_its_pages_are_written_once(bring_in: Bring) -> None:
    database = bring_in(apart=True)
    with connection.cursor() as cursor:
        # Nothing is left to be noted on them: that all may see these rows, they say already.
        cursor.execute(
            "SELECT relpages, relallvisible FROM pg_class WHERE relname = %s",
            [rooms.table(database.pk)],
        )
        assert cursor.fetchone() == (1, 1)


def test_its_records_are_handed_out_and_come_back(bring_in: Bring) -> None:
    database = bring_in(apart=True)
    ani, citra = factories.make_user(), factories.make_admin()
    request = request_records(database_id=database.pk, quantity=3, by=ani)
    approve_request(request_id=request.pk, by=citra)
    assert Assignment.objects.active().filter(database=database).count() == 3
    assert not Pool.objects.filter(database=database).exists()
    from assignments.services.recall import recall_all

    recall_all(staff_id=ani.pk, by=citra)
    assert Pool.objects.filter(database=database).count() == 3
    assert differences() == []


def test_the_same_rules_hold_in_a_room(bring_in: Bring) -> None:
    database, other = bring_in(apart=True), bring_in(apart=True)
    record = Record.objects.filter(database=database, attention=None).earliest("pk")

    def refused(write: Callable[[], object], says: str) -> None:
        with pytest.raises(IntegrityError, match=says), transaction.atomic():
            write()

    fields = {"row_number": record.row_number, "cells": [], "database": database}
    refused(lambda: Record.objects.create(pk=record.pk + 100, **fields), "_row")
    delete = f"DELETE FROM databases_record WHERE id = {record.pk}"
    refused(lambda: _run(delete), "on the shelf")
    refused(lambda: Pool.objects.create(record=record, database=database, shuffle=1), "pkey")
    moved = Record.objects.filter(pk=record.pk)
    refused(lambda: moved.update(database=other), "_whose")
    ani = factories.make_user()
    hand = {"record": record, "database": database, "staff": ani, "assigned_at": clock.now()}
    refused(
        lambda: Assignment.objects.create(state=Assignment.State.ACTIVE, **hand),
        "is on the shelf and in somebody",
    )
    Pool.objects.filter(record=record).delete()
    Assignment.objects.create(state=Assignment.State.ACTIVE, **hand)
    refused(lambda: _run(delete), "with assignments|in somebody")


def test_a_room_is_closed_only_when_its_database_is_deleted(
    bring_in: Bring, as_citra: Client, work: Callable[[], None], citra: User
) -> None:
    database, stays = bring_in(apart=True), bring_in(apart=True)
    with pytest.raises(IntegrityError, match="deleted"), transaction.atomic():
        rooms.close(database.pk)
    url = f"/manage/databases/{database.pk}/delete/"
    assert as_citra.post(url, {"name": database.name}).status_code == 302
    work()
    assert _rooms() == [f"databases_pool_{stays.pk}", f"databases_record_{stays.pk}"]
    assert not Record.objects.in_database(database.pk).exists()
    stat = DatabaseStat.objects.get(database=database)
    assert (stat.total, stat.attention, stat.available) == (0, 0, 0)
    assert differences() == []


def test_a_room_in_use_is_closed_a_moment_later(
    bring_in: Bring,
    as_citra: Client,
    work: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database = bring_in(apart=True)
    reader = connection.copy()
    reader.inc_thread_sharing()
    reader.set_autocommit(False)
    waits: list[float] = []

    def reads_on(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            reader.rollback()

    monkeypatch.setattr(removal.time, "sleep", reads_on)
    try:
        with reader.cursor() as cursor:
            cursor.execute("SELECT FROM databases_record LIMIT 1")
        url = f"/manage/databases/{database.pk}/delete/"
        assert as_citra.post(url, {"name": database.name}).status_code == 302
        work()
        assert len(waits) == 2
        assert _rooms() == []
    finally:
        reader.close()


def test_a_failed_import_leaves_no_room(bring_in: Bring, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_database_id: int) -> None:
        raise OSError("the disk is away")

    monkeypatch.setattr(rooms, "move_in", fails)
    with pytest.raises(AssertionError):
        bring_in(apart=True)
    assert _rooms() == []
    assert not Database.objects.exists()
