"""Asking for records: what is held, what is refused, and what stays as it was."""

import uuid

import pytest
from django.test import override_settings

from accounts.models import Activity, User
from assignments.errors import (
    DatabaseArchived,
    GivenByAdminsOnly,
    NotEnoughRecords,
    OverCap,
    QuantityOutOfRange,
    StaffInactive,
)
from assignments.models import Assignment, RecordRequest
from assignments.services.requests import request_records
from crm.kernel import clock
from databases.models import Database, Pool, Program, Record
from tests.factories import make_batch, make_database, make_pending

pytestmark = pytest.mark.django_db


def held(request: RecordRequest) -> set[int]:
    return set(Assignment.objects.held_by(request).values_list("record_id", flat=True))


def on_shelf(database: Database) -> set[int]:
    return set(Pool.objects.filter(database=database).values_list("record_id", flat=True))


def test_it_holds_as_many_as_asked_and_takes_them_off_the_shelf(ani: User) -> None:
    database = make_database(records=10)
    request = request_records(database_id=database.pk, quantity=4, by=ani, note="Promo")
    assert (request.status, request.quantity, request.note) == ("pending", 4, "Promo")
    assert len(held(request)) == 4
    assert held(request).isdisjoint(on_shelf(database))
    assert len(on_shelf(database)) == 6
    database.stat.refresh_from_db()
    assert (database.stat.available, database.stat.requested, database.stat.assigned) == (6, 4, 0)


def test_records_needing_attention_are_never_held(ani: User) -> None:
    database = make_database(records=5, attention=5)
    request = request_records(database_id=database.pk, quantity=5, by=ani)
    repair = Record.objects.in_database(database.pk).needing_attention()
    assert held(request).isdisjoint(repair.values_list("pk", flat=True))


def test_it_picks_at_random(ani: User) -> None:
    database = make_database(records=60)
    picks = {
        frozenset(held(request_records(database_id=database.pk, quantity=3, by=ani)))
        for _ in range(8)
    }
    first = sorted(Record.objects.in_database(database.pk).values_list("pk", flat=True))[:24]
    assert set().union(*picks) != set(first)


def test_too_many_says_how_many_there_are_and_holds_nothing(ani: User) -> None:
    database = make_database(records=3)
    with pytest.raises(NotEnoughRecords) as refusal:
        request_records(database_id=database.pk, quantity=4, by=ani)
    assert refusal.value.available == 3
    assert not RecordRequest.objects.exists()
    assert len(on_shelf(database)) == 3


def test_exactly_all_is_enough(ani: User) -> None:
    database = make_database(records=3)
    request_records(database_id=database.pk, quantity=3, by=ani)
    assert on_shelf(database) == set()


@pytest.mark.parametrize("quantity", [0, -1])
def test_nothing_is_not_a_quantity(ani: User, quantity: int) -> None:
    with pytest.raises(QuantityOutOfRange):
        request_records(database_id=make_database().pk, quantity=quantity, by=ani)


def test_the_same_form_twice_is_one_request(ani: User, budi: User) -> None:
    database, token = make_database(records=10), uuid.uuid4()
    first = request_records(database_id=database.pk, quantity=2, by=ani, token=token)
    again = request_records(database_id=database.pk, quantity=2, by=ani, token=token)
    other = request_records(database_id=database.pk, quantity=2, by=budi, token=token)
    assert first == again != other
    assert len(on_shelf(database)) == 6


@override_settings(PENDING_RECORDS_CAP=10)
def test_what_waits_is_capped_and_says_how_many_fit(ani: User, budi: User) -> None:
    database = make_database(records=40)
    make_pending(staff=ani, database=database, quantity=7)
    make_pending(staff=budi, database=database, quantity=9)
    make_batch(staff=ani, database=database, records=10)  # decided: no longer waits
    with pytest.raises(OverCap) as refusal:
        request_records(database_id=database.pk, quantity=4, by=ani)
    assert refusal.value.room == 3
    request_records(database_id=database.pk, quantity=3, by=ani)


def test_an_archived_database_gives_nothing(ani: User) -> None:
    database = make_database(archived_at=clock.now())
    with pytest.raises(DatabaseArchived):
        request_records(database_id=database.pk, quantity=1, by=ani)


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "admin"}])
def test_who_may_receive_nothing_any_more_holds_nothing(
    ani: User, change: dict[str, object]
) -> None:
    """Whoever asks was let in by their page; they may have been shut out since."""
    database = make_database(records=5)
    User.objects.filter(pk=ani.pk).update(**change)
    with pytest.raises(StaffInactive):
        request_records(database_id=database.pk, quantity=1, by=ani)
    assert not RecordRequest.objects.exists()


@pytest.mark.parametrize("program", [Program.BONANZA, Program.MEMBER_WD])
def test_the_other_programs_are_not_asked_for(ani: User, program: str) -> None:
    database = make_database(program=program)
    with pytest.raises(GivenByAdminsOnly):
        request_records(database_id=database.pk, quantity=1, by=ani)


def test_the_act_is_in_the_book(ani: User) -> None:
    database = make_database(name="Deposit Jan")
    request = request_records(database_id=database.pk, quantity=2, by=ani)
    line = Activity.objects.get(kind="request.asked")
    assert (line.actor, line.subject_id, line.label) == (ani, request.pk, "Deposit Jan")
    assert line.details == {"records": 2}
