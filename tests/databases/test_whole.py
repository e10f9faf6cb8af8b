"""What points at records and databases points at something: refused by the database itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from assignments.models import Assignment
from crm.kernel import clock
from databases.models import Database, DatabaseStat, Pool, Record
from tests.factories import make_batch, make_database

pytestmark = pytest.mark.django_db


def _refused(write: Callable[[], object], says: str) -> None:
    with pytest.raises(IntegrityError, match=says), transaction.atomic():
        write()


def _run(statement: str, *params: object) -> Callable[[], None]:
    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, params)

    return run


@pytest.fixture
def database(db: None) -> Database:
    return make_database(records=3, attention=1)


@pytest.fixture
def other(db: None) -> Database:
    return make_database(records=1)


def _off_shelf(database: Database) -> Record:
    record = Record.objects.filter(database=database, attention=None).earliest("pk")
    Pool.objects.filter(record=record).delete()
    return record


def test_a_record_needs_its_database(database: Database) -> None:
    lost = Record(database_id=database.pk + 1000, row_number=1, cells=[])
    _refused(lambda: Record.objects.bulk_create([lost]), "a database that is not there")
    moved = Record.objects.filter(database=database)
    _refused(lambda: moved.update(database_id=database.pk + 1000), "a database that is not there")


def test_only_ready_records_of_the_database_stand_on_its_shelf(
    database: Database, other: Database
) -> None:
    record = _off_shelf(database)
    broken = Record.objects.get(database=database, attention__isnull=False)

    def shelve(record_id: int, on: Database) -> Callable[[], object]:
        return lambda: Pool.objects.create(record_id=record_id, database=on, shuffle=1)

    _refused(shelve(broken.pk, database), "only a ready record")
    _refused(shelve(record.pk, other), "only a ready record")
    _refused(shelve(record.pk + 1000, database), "only a ready record")
    shelve(record.pk, database)()


def test_only_records_of_the_database_come_into_hands(
    database: Database, other: Database, ani: User
) -> None:
    record = _off_shelf(database)

    def hand(record_id: int, of: Database) -> Callable[[], object]:
        return lambda: Assignment.objects.create(
            record_id=record_id, database=of, staff=ani, state="active", assigned_at=clock.now()
        )

    _refused(hand(record.pk, other), "only a record of this database")
    _refused(hand(record.pk + 1000, database), "only a record of this database")
    hand(record.pk, database)()


def test_a_record_on_the_shelf_or_in_hands_is_not_deleted(database: Database, ani: User) -> None:
    delete = "DELETE FROM databases_record WHERE id = %s"
    on_shelf = Pool.objects.filter(database=database).values_list("record_id", flat=True)[0]
    _refused(_run(delete, on_shelf), "on the shelf")
    make_batch(staff=ani, records=3, database=database)
    assigned = Assignment.objects.values_list("record_id", flat=True)[0]
    _refused(_run(delete, assigned), "in somebody.s hands")
    broken = Record.objects.get(database=database, attention__isnull=False)
    _run(delete, broken.pk)()


def test_a_database_with_records_is_not_deleted(database: Database) -> None:
    DatabaseStat.objects.filter(database=database).delete()
    delete = "DELETE FROM databases_database WHERE id = %s"
    _refused(_run(delete, database.pk), "with records")
    Pool.objects.filter(database=database).delete()
    _run("DELETE FROM databases_record WHERE database_id = %s", database.pk)()
    _run(delete, database.pk)()
