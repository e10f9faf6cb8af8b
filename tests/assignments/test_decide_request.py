"""Deciding what was asked: once, in full or in part, and never more than was held."""

import pytest

from accounts.models import Activity, User
from assignments.errors import AlreadyProcessed, QuantityOutOfRange, StaffInactive
from assignments.models import Assignment, BatchStat, RecordRequest
from assignments.services.requests import (
    approve_request,
    approve_requests,
    cancel_request,
    reject_request,
    reject_requests,
)
from databases.models import Database, Pool
from tests.factories import make_database, make_pending

pytestmark = pytest.mark.django_db


@pytest.fixture
def database(db: None) -> Database:
    return make_database(records=10, name="Deposit Jan")


@pytest.fixture
def asked(ani: User, database: Database) -> RecordRequest:
    return make_pending(staff=ani, database=database, quantity=4)


def shelf(database: Database) -> int:
    return Pool.objects.filter(database=database).count()


class TestApprove:
    def test_it_gives_exactly_what_was_held(
        self, asked: RecordRequest, ani: User, citra: User
    ) -> None:
        held = set(Assignment.objects.held_by(asked).values_list("record_id", flat=True))
        approved = approve_request(request_id=asked.pk, by=citra)
        given = Assignment.objects.visible_to(ani)
        assert set(given.values_list("record_id", flat=True)) == held
        assert not given.filter(assigned_at=None).exists()
        assert (approved.status, approved.granted, approved.decided_by) == ("approved", 4, citra)
        batch = BatchStat.objects.visible_to(ani).get()
        assert (batch.request_id, batch.records) == (asked.pk, 4)

    def test_fewer_go_to_the_staff_and_the_rest_back(
        self, asked: RecordRequest, ani: User, citra: User, database: Database
    ) -> None:
        approved = approve_request(request_id=asked.pk, by=citra, quantity=1)
        assert (approved.quantity, approved.granted) == (4, 1)
        assert Assignment.objects.visible_to(ani).count() == 1
        assert shelf(database) == 9
        assert not Assignment.objects.filter(state="held").exists()

    @pytest.mark.parametrize("quantity", [0, -1, 5])
    def test_more_than_asked_or_nothing_is_refused(
        self, asked: RecordRequest, citra: User, quantity: int
    ) -> None:
        with pytest.raises(QuantityOutOfRange):
            approve_request(request_id=asked.pk, by=citra, quantity=quantity)
        asked.refresh_from_db()
        assert asked.status == "pending"

    def test_a_second_decision_says_who_was_first(
        self, asked: RecordRequest, ani: User, citra: User
    ) -> None:
        approve_request(request_id=asked.pk, by=citra)
        for decide in (
            lambda: approve_request(request_id=asked.pk, by=citra),
            lambda: reject_request(request_id=asked.pk, by=citra, reason="x"),
            lambda: cancel_request(request_id=asked.pk, by=ani),
        ):
            with pytest.raises(AlreadyProcessed, match="Already processed: approved by Citra"):
                decide()
        assert Activity.objects.filter(subject_id=asked.pk).count() == 1

    @pytest.mark.parametrize("change", [{"is_active": False}, {"role": "admin"}])
    def test_nothing_is_given_to_somebody_who_left(
        self, asked: RecordRequest, ani: User, citra: User, change: dict[str, object]
    ) -> None:
        User.objects.filter(pk=ani.pk).update(**change)
        with pytest.raises(StaffInactive):
            approve_request(request_id=asked.pk, by=citra)
        reject_request(request_id=asked.pk, by=citra, reason="Left")

    def test_the_act_is_in_the_book(self, asked: RecordRequest, citra: User) -> None:
        approve_request(request_id=asked.pk, by=citra, quantity=3)
        line = Activity.objects.get(kind="request.approved")
        assert (line.actor, line.subject_id, line.label) == (citra, asked.pk, "Deposit Jan")
        assert line.details == {"staff": "Ani", "asked": 4, "records": 3}


class TestReject:
    def test_exactly_what_was_held_goes_back(
        self, asked: RecordRequest, ani: User, citra: User, database: Database
    ) -> None:
        other = make_pending(staff=ani, database=database, quantity=2)
        rejected = reject_request(request_id=asked.pk, by=citra, reason="Finish batch 11 first")
        assert (rejected.status, rejected.reason) == ("rejected", "Finish batch 11 first")
        assert shelf(database) == 8
        assert Assignment.objects.held_by(other).count() == 2
        assert not Assignment.objects.held_by(asked).exists()
        database.stat.refresh_from_db()
        assert (database.stat.available, database.stat.requested) == (8, 2)


class TestCancel:
    def test_exactly_what_was_held_goes_back(
        self, asked: RecordRequest, ani: User, database: Database
    ) -> None:
        cancelled = cancel_request(request_id=asked.pk, by=ani)
        assert (cancelled.status, cancelled.decided_by) == ("cancelled", ani)
        assert shelf(database) == 10

    def test_nobody_cancels_for_another(self, asked: RecordRequest, budi: User) -> None:
        with pytest.raises(RecordRequest.DoesNotExist):
            cancel_request(request_id=asked.pk, by=budi)
        asked.refresh_from_db()
        assert asked.status == "pending"


class TestSeveralAtOnce:
    def test_each_has_its_own_outcome(
        self, asked: RecordRequest, ani: User, budi: User, citra: User, database: Database
    ) -> None:
        second = make_pending(staff=budi, database=database, quantity=2)
        User.objects.filter(pk=ani.pk).update(is_active=False)
        outcomes = approve_requests(request_ids=[second.pk, asked.pk], by=citra)
        assert [outcome.request.pk for outcome in outcomes] == [asked.pk, second.pk]
        assert "no longer active" in outcomes[0].refusal
        assert outcomes[1].refusal == ""
        assert Assignment.objects.visible_to(budi).count() == 2

    def test_all_are_rejected_for_one_reason(
        self, asked: RecordRequest, budi: User, citra: User, database: Database
    ) -> None:
        second = make_pending(staff=budi, database=database, quantity=2)
        reject_requests(request_ids=[asked.pk, second.pk], by=citra, reason="Tomorrow")
        assert set(RecordRequest.objects.values_list("status", "reason")) == {
            ("rejected", "Tomorrow")
        }
        assert shelf(database) == 10
