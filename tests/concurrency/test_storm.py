"""Everything at once, for a while: only refusals are shown, and nothing is lost."""

from __future__ import annotations

import pytest

from assignments.services import shelf
from assignments.services.recall import recall_all
from tests.concurrency.players import Player, Told
from tests.concurrency.racing import at_once, broken_rules
from tests.factories import make_admin, make_database, make_product, make_user

pytestmark = pytest.mark.django_db(transaction=True)


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


@pytest.mark.slow
def test_a_thousand_racing_hand_outs() -> None:
    product = make_product()
    databases = [make_database(records=n, product=product) for n in (40, 150)]
    databases.append(make_database(records=400))
    staff, admins = [make_user() for _ in range(6)], [make_admin(), make_admin()]
    told = Told()
    games = [
        Player(seed, staff, admins[seed % 2], databases, told=told, most=25) for seed in range(8)
    ]
    play = [(lambda game=game: game.play_until(1000)) for game in games]
    outcomes = at_once(*play, limit=400)
    assert [outcome for outcome in outcomes if outcome is not None] == []
    assert told.acts["busy"] == 0
    # What was promised is there, exactly: nothing more, nothing less, nothing twice.
    assert len(told.asked) >= 1000
    assert told.broken_promises() == []
    assert broken_rules() == []
    # And nothing stuck to anybody: all that is ready comes back when all hands are emptied.
    for person in staff:
        recall_all(staff_id=person.pk, by=admins[0])
    assert [shelf.count_eligible(database.pk) for database in databases] == [40, 150, 400]
    assert broken_rules() == []
