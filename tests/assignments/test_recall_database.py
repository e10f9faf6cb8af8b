"""Taking back all that is assigned of one database."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Activity, User
from assignments.models import Assignment, StaffDay
from assignments.reports.totals import differences
from databases.models import Database, DatabaseChange, Pool
from tests.conftest import HX
from tests.factories import make_assignment, make_batch, make_database, make_pending

pytestmark = pytest.mark.django_db


@pytest.fixture
def database() -> Database:
    return make_database(records=10)


def url(database: Database) -> str:
    return f"/manage/databases/{database.pk}/recall/"


def test_it_says_who_loses_what_and_how_much_is_checked(
    database: Database, as_citra: Client, ani: User, budi: User
) -> None:
    make_batch(staff=ani, database=database, records=2)
    make_assignment(staff=budi, database=database, reach="ada")
    page = as_citra.get(url(database)).content.decode()
    assert "Take back 3 records" in page
    assert "1 of them is already checked" in page
    assert "<td>Ani</td>" in page
    assert "<td>Budi</td>" in page


def test_it_takes_all_back_and_leaves_other_databases_and_what_waits(
    database: Database, as_citra: Client, ani: User, budi: User
) -> None:
    elsewhere = make_assignment(staff=ani)
    waiting = make_pending(staff=ani, database=database, quantity=2)
    make_batch(staff=ani, database=database, records=2)
    make_assignment(staff=budi, database=database, reach="ada")
    response = as_citra.post(url(database))
    assert (response.status_code, response["Location"]) == (
        302,
        f"/manage/databases/{database.pk}/delete/",
    )
    assert list(Assignment.objects.active()) == [elsewhere]
    waiting.refresh_from_db()
    assert waiting.status == "pending"
    assert Pool.objects.filter(database=database).count() == 8
    assert StaffDay.objects.get(database=database, staff=budi).ada == 1
    line = Activity.objects.get(kind="records.recalled")
    assert (line.subject_id, line.details) == (database.pk, {"records": 3})
    assert differences() == []


def test_twice_is_once(database: Database, as_citra: Client, ani: User) -> None:
    make_batch(staff=ani, database=database, records=2)
    as_citra.post(url(database))
    as_citra.post(url(database))
    assert Activity.objects.filter(kind="records.recalled").count() == 1
    assert "Nobody holds records" in as_citra.get(url(database)).content.decode()


def test_it_is_refused_while_the_columns_are_read_anew(
    database: Database, as_citra: Client, ani: User, citra: User
) -> None:
    make_batch(staff=ani, database=database, records=2)
    DatabaseChange.objects.create(database=database, kind="columns", created_by=citra)
    response = as_citra.post(url(database), headers=HX)
    assert response.status_code == 409
    assert "being read anew" in response.content.decode()
    assert Assignment.objects.active().count() == 2
