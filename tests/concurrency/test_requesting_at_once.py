"""Many ask at once: nothing twice, nothing lost, and a refusal tells the truth."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from assignments.errors import NotEnoughRecords
from assignments.models import Assignment, RecordRequest
from assignments.services import archive, requests, shelf
from assignments.services.archive import archive_database
from assignments.services.requests import request_records
from crm.kernel import transactions
from databases import locks
from databases.models import Database, Pool
from tests.concurrency.racing import PATIENCE, Meeting, at_once, broken_rules, kinds
from tests.factories import make_admin, make_database, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def held() -> int:
    return Assignment.objects.filter(state="held").count()


class TestEightAskOneSmallDatabase:
    def ask(self, database: Database, quantity: int, *, people: int = 8) -> list[object]:
        def ask(person: User) -> Callable[[], RecordRequest]:
            return lambda: request_records(database_id=database.pk, quantity=quantity, by=person)

        return at_once(*(ask(make_user()) for _ in range(people)))

    @pytest.mark.parametrize("records", [40, 37, 12, 4])
    def test_all_is_given_that_fits_and_the_offered_rest_is_right(
        self, records: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        retries: list[float] = []
        monkeypatch.setattr(transactions.time, "sleep", retries.append)
        database = make_database(records=records)
        outcomes = self.ask(database, 5)
        fit = min(8, records // 5)
        assert kinds(outcomes) == ["NotEnoughRecords"] * (8 - fit) + ["RecordRequest"] * fit
        assert held() == 5 * fit
        refused = [error for error in outcomes if isinstance(error, NotEnoughRecords)]
        # What is offered was there when they asked last, and the last rest is offered to somebody.
        rest = records - 5 * fit
        assert all(error.available == rest for error in refused)
        assert Pool.objects.count() == rest
        # Those who wait meet the rows in one order, so no deadlock is there to be tried again.
        assert retries == []
        assert broken_rules() == []

    def test_without_the_lock_on_the_shelf_people_are_refused_what_is_there(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        naive = shelf._TAKE.replace("FOR UPDATE OF p {wait}", "").replace(
            "FROM databases_pool p", "FROM databases_pool p, (SELECT pg_sleep(0.1)) wait"
        )
        monkeypatch.setattr(shelf, "_TAKE", naive)
        # All begin at one place, so that they pick the same rows, then the same ones again.
        monkeypatch.setattr(shelf.random, "randrange", lambda _size: 0)
        outcomes = self.ask(make_database(records=20), 5, people=4)
        assert "NotEnoughRecords" in kinds(outcomes)
        assert held() < 20


class TestRowsThatAreOnlyLockedForAMoment:
    """Somebody takes them and gives up: that is not "not enough"."""

    def ask_while_locked(self, database: Database, ani: User) -> object:
        locked, asked = threading.Event(), threading.Event()

        def take_and_give_up() -> None:
            with transaction.atomic():
                list(Pool.objects.filter(database=database).select_for_update())
                locked.set()
                asked.wait(5)
                threading.Event().wait(PATIENCE)
                transaction.set_rollback(True)

        def ask() -> RecordRequest:
            locked.wait(5)
            asked.set()
            return request_records(database_id=database.pk, quantity=3, by=ani)

        return at_once(take_and_give_up, ask)[1]

    def test_they_are_waited_for(self, ani: User) -> None:
        assert isinstance(self.ask_while_locked(make_database(records=3), ani), RecordRequest)

    def test_skipping_alone_would_refuse(self, ani: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            shelf, "_TAKE", shelf._TAKE.replace("{wait}", "SKIP LOCKED -- {wait}\n")
        )
        outcome = self.ask_while_locked(make_database(records=3), ani)
        assert isinstance(outcome, NotEnoughRecords)


class TestOneStaff:
    def meet(self, monkeypatch: pytest.MonkeyPatch, *, locked: bool) -> None:
        """Let two requests of one person meet when each has looked at what went before."""
        if not locked:
            monkeypatch.setattr(requests, "lock_person", lambda pk: User.objects.get(pk=pk))
        monkeypatch.setattr(requests.shelf, "take", Meeting().before(shelf.take))
        create = RecordRequest.objects.create
        monkeypatch.setattr(RecordRequest.objects, "create", Meeting().before(create))

    def same_form(self, ani: User) -> list[object]:
        database, token = make_database(records=10), uuid.uuid4()
        ask = lambda: request_records(  # noqa: E731
            database_id=database.pk, quantity=3, by=ani, token=token
        )
        return at_once(ask, ask)

    def test_the_same_form_twice_at_once_is_one_request(
        self, ani: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.meet(monkeypatch, locked=True)
        first, second = self.same_form(ani)
        assert isinstance(first, RecordRequest)
        assert first == second
        assert held() == 3
        assert broken_rules() == []

    def test_without_the_lock_the_constraint_refuses_the_second(
        self, ani: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.meet(monkeypatch, locked=False)
        assert kinds(self.same_form(ani)) == ["IntegrityError", "RecordRequest"]
        assert held() == 3

    def over_the_cap(self, ani: User) -> list[object]:
        database = make_database(records=20)
        ask = lambda: request_records(  # noqa: E731
            database_id=database.pk, quantity=6, by=ani
        )
        return at_once(ask, ask)

    def test_the_cap_holds(
        self, ani: User, monkeypatch: pytest.MonkeyPatch, settings: object
    ) -> None:
        settings.PENDING_RECORDS_CAP = 10  # type: ignore[attr-defined]
        self.meet(monkeypatch, locked=True)
        assert kinds(self.over_the_cap(ani)) == ["OverCap", "RecordRequest"]
        assert held() == 6

    def test_without_the_lock_on_the_staff_the_cap_is_overrun(
        self, ani: User, monkeypatch: pytest.MonkeyPatch, settings: object
    ) -> None:
        settings.PENDING_RECORDS_CAP = 10  # type: ignore[attr-defined]
        self.meet(monkeypatch, locked=False)
        assert kinds(self.over_the_cap(ani)) == ["RecordRequest", "RecordRequest"]
        assert held() == 12


class TestArchivingMeanwhile:
    def race(self, ani: User, monkeypatch: pytest.MonkeyPatch) -> list[object]:
        """Let a request that found the database open meet an archive that found nothing waiting."""
        meeting, database = Meeting(), make_database(records=10)
        monkeypatch.setattr(requests.shelf, "take", meeting.before(shelf.take))
        monkeypatch.setattr(archive, "_move", meeting.before(archive._move))
        return at_once(
            lambda: request_records(database_id=database.pk, quantity=3, by=ani),
            lambda: archive_database(database_id=database.pk, by=make_admin()),
        )

    def test_what_was_asked_before_is_rejected_what_comes_after_is_refused(
        self, ani: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked, rejected = self.race(ani, monkeypatch)
        assert rejected == (1 if isinstance(asked, RecordRequest) else 0)
        assert (held(), Pool.objects.count()) == (0, 10)
        assert broken_rules() == []

    def test_without_the_lock_on_the_product_it_waits_for_ever(
        self, ani: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(locks, "lock_product", lambda *_args, **_kwargs: None)
        self.race(ani, monkeypatch)
        assert broken_rules() == ["a pending request of an archived database"]


class TestTheDatabaseIsTheReferee:
    """Whatever code forgets its locks: a record is in one pair of hands, or on the shelf."""

    def test_a_second_pair_of_hands_is_refused(self, ani: User, budi: User) -> None:
        request = request_records(database_id=make_database().pk, quantity=1, by=ani)
        taken = Assignment.objects.get(request=request)
        taken.pk, taken.staff = None, budi
        with pytest.raises(IntegrityError, match="record_in_one_pair_of_hands"):
            taken.save(force_insert=True)

    def test_giving_what_is_still_on_the_shelf_is_refused(self, ani: User) -> None:
        database = make_database()
        request = request_records(database_id=database.pk, quantity=1, by=ani)
        other = Pool.objects.filter(database=database).first()
        assert other is not None
        with pytest.raises(IntegrityError, match="on the shelf"):
            Assignment.objects.create(
                record_id=other.pk, database=database, staff=ani, request=request, state="held"
            )
        connection.close()
