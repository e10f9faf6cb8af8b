"""Two people decide one request at once: one wins, the other is told who it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction

from accounts.models import User
from assignments.models import Assignment, RecordRequest
from assignments.services import locks, recall, requests
from assignments.services.recall import recall_all
from assignments.services.requests import approve_request, cancel_request, reject_request
from databases.models import Pool
from tests.concurrency.racing import Meeting, at_once, broken_rules, kinds
from tests.factories import make_admin, make_database, make_pending

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def asked(ani: User) -> RecordRequest:
    return make_pending(staff=ani, database=make_database(records=9), quantity=5)


def meet_when_undecided(monkeypatch: pytest.MonkeyPatch, *, locked: bool) -> None:
    """Let two decisions meet when each has found the request pending."""
    if not locked:

        def unlocked(request_id: int) -> RecordRequest:
            return RecordRequest.objects.select_related("staff", "database").get(pk=request_id)

        monkeypatch.setattr(requests, "lock_request", unlocked)
        # Two approvals also meet at the lock of the person; that is not the lock in question.
        monkeypatch.setattr(requests, "lock_person", lambda pk: User.objects.get(pk=pk))
    look = requests._lock_undecided
    monkeypatch.setattr(requests, "_lock_undecided", Meeting().after(look))


Decide = Callable[[RecordRequest, User, User], Callable[[], Any]]


def approve(asked: RecordRequest, _staff: User, admin: User) -> Callable[[], Any]:
    return lambda: approve_request(request_id=asked.pk, by=admin)


def reject(asked: RecordRequest, _staff: User, admin: User) -> Callable[[], Any]:
    return lambda: reject_request(request_id=asked.pk, by=admin, reason="no")


def cancel(asked: RecordRequest, staff: User, _admin: User) -> Callable[[], Any]:
    return lambda: cancel_request(request_id=asked.pk, by=staff)


PAIRS = pytest.mark.parametrize(
    ("first", "second"),
    [(approve, approve), (approve, reject), (approve, cancel), (reject, cancel)],
    ids=["two approve", "approve or reject", "approve or cancel", "reject or cancel"],
)


@PAIRS
def test_one_wins_and_the_other_is_told(
    asked: RecordRequest,
    ani: User,
    citra: User,
    monkeypatch: pytest.MonkeyPatch,
    first: Decide,
    second: Decide,
) -> None:
    meet_when_undecided(monkeypatch, locked=True)
    outcomes = at_once(first(asked, ani, citra), second(asked, ani, make_admin(name="Dewi")))
    assert kinds(outcomes) == ["AlreadyProcessed", "RecordRequest"]
    (won,) = [outcome for outcome in outcomes if isinstance(outcome, RecordRequest)]
    (told,) = [outcome for outcome in outcomes if not isinstance(outcome, RecordRequest)]
    assert won.decided_by is not None
    assert won.decided_by.name in told.message
    given = 5 if won.status == "approved" else 0
    assert Assignment.objects.visible_to(ani).count() == given
    assert Pool.objects.count() == 9 - given
    assert broken_rules() == []


@PAIRS
def test_without_the_lock_on_the_request_both_decide(
    asked: RecordRequest,
    ani: User,
    citra: User,
    monkeypatch: pytest.MonkeyPatch,
    first: Decide,
    second: Decide,
) -> None:
    meet_when_undecided(monkeypatch, locked=False)
    outcomes = at_once(first(asked, ani, citra), second(asked, ani, make_admin()))
    assert kinds(outcomes) != ["AlreadyProcessed", "RecordRequest"]


def deactivate(staff: User, admin: User) -> None:
    with transaction.atomic():
        User.objects.filter(pk=staff.pk).update(is_active=False)
        recall_all(staff_id=staff.pk, by=admin)


def test_who_is_deactivated_meanwhile_holds_nothing(
    asked: RecordRequest, ani: User, citra: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "ensure_works", Meeting().after(requests.ensure_works))
    at_once(lambda: approve_request(request_id=asked.pk, by=citra), lambda: deactivate(ani, citra))
    assert not Assignment.objects.live().exists()
    assert broken_rules() == []


def test_without_the_lock_on_the_person_they_are_left_with_records(
    asked: RecordRequest, ani: User, citra: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting, unlocked = Meeting(), lambda pk: User.objects.get(pk=pk)
    monkeypatch.setattr(requests, "lock_person", unlocked)
    monkeypatch.setattr(recall, "lock_person", unlocked)
    monkeypatch.setattr(requests, "ensure_works", meeting.after(locks.ensure_works))
    # They meet when the approval found the staff active and nothing is recalled yet.
    monkeypatch.setattr(recall, "_reject_all", meeting.before(lambda *_a, **_k: 0))
    at_once(lambda: approve_request(request_id=asked.pk, by=citra), lambda: deactivate(ani, citra))
    assert Assignment.objects.active().filter(staff__is_active=False).count() == 5
