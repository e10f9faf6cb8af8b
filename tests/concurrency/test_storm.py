"""Everything at once, for a while: only refusals are shown, and nothing is lost."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable

import pytest

from accounts.models import User
from assignments.models import Assignment, RecordRequest
from assignments.services.archive import archive_database, unarchive_database
from assignments.services.recall import hand_over_all, recall, recall_all
from assignments.services.requests import (
    approve_request,
    cancel_request,
    reject_request,
    request_records,
)
from crm.kernel import clock
from crm.kernel.errors import DomainError
from databases.models import Database
from tests.concurrency.racing import at_once, broken_rules
from tests.factories import make_admin, make_database, make_product, make_user

pytestmark = pytest.mark.django_db(transaction=True)


class Player:
    """One person's browser: random acts, each on whatever is there at that moment."""

    def __init__(
        self, seed: int, staff: list[User], admin: User, databases: list[Database]
    ) -> None:
        self.chance = random.Random(seed)
        self.staff, self.admin, self.databases = staff, admin, databases

    def play(self, turns: int) -> int:
        """Give how many acts went through. Any error but a refusal ends the game."""
        done = 0
        for _ in range(turns):
            with contextlib.suppress(DomainError, RecordRequest.DoesNotExist):
                done += self.act()
        return done

    def act(self) -> bool:
        person, database = self.chance.choice(self.staff), self.chance.choice(self.databases)
        waiting = list(RecordRequest.objects.pending().order_by("pk")[:4])
        asked = self.chance.choice(waiting) if waiting else None
        acts: list[Callable[[], object]] = [
            lambda: request_records(
                database_id=database.pk, quantity=self.chance.randint(1, 9), by=person
            )
        ] * 4
        if asked:
            some = self.chance.randint(1, asked.quantity)
            acts += [
                lambda: approve_request(request_id=asked.pk, by=self.admin, quantity=some),
                lambda: approve_request(request_id=asked.pk, by=self.admin),
                lambda: reject_request(request_id=asked.pk, by=self.admin, reason="no"),
                lambda: cancel_request(request_id=asked.pk, by=asked.staff),
            ]
        acts += [self.mark, self.mark, self.recall_some]
        rare = self.chance.randrange(12)
        if rare == 0:
            acts = [lambda: recall_all(staff_id=person.pk, by=self.admin)]
        elif rare == 1:
            other = self.chance.choice(self.staff)
            acts = [
                lambda: hand_over_all(from_staff_id=person.pk, to_staff_id=other.pk, by=self.admin)
            ]
        elif rare == 2:
            acts = [lambda: archive_database(database_id=database.pk, by=self.admin)]
        elif rare in (3, 4):
            acts = [lambda: unarchive_database(database_id=database.pk, by=self.admin)]
        self.chance.choice(acts)()
        return True

    def some(self) -> list[int]:
        active = Assignment.objects.active().order_by("pk").values_list("pk", flat=True)
        return self.chance.sample(ids, min(5, len(ids))) if (ids := list(active[:80])) else []

    def mark(self) -> None:
        for pk in self.some()[:1]:
            Assignment.objects.active().filter(pk=pk).update(
                reach=self.chance.choice(["ada", "ceklis1", "tidak"]), reach_at=clock.now()
            )

    def recall_some(self) -> None:
        recall(assignment_ids=self.some(), by=self.admin)


def storm(*, players: int, turns: int) -> None:
    product = make_product()
    databases = [make_database(records=n, product=product) for n in (12, 30)]
    databases.append(make_database(records=60))
    staff, admins = [make_user() for _ in range(4)], [make_admin(), make_admin()]
    games = [Player(seed, staff, admins[seed % 2], databases) for seed in range(players)]
    outcomes = at_once(*((lambda game=game: game.play(turns)) for game in games), limit=120)
    assert [outcome for outcome in outcomes if not isinstance(outcome, int)] == []
    assert sum(outcomes) > players * turns / 4
    assert broken_rules() == []


def test_a_short_storm() -> None:
    storm(players=5, turns=14)


@pytest.mark.slow
def test_a_long_storm() -> None:
    storm(players=8, turns=150)
