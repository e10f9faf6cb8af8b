"""The marks themselves: cheap, and safe from two devices at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from accounts.models import User
from assignments.errors import NotYoursAnyMore
from assignments.models import Assignment, BatchStat, StaffDay
from assignments.services.marks import mark_reach, mark_response
from crm.kernel import clock
from tests import factories

Reach, Response = Assignment.Reach, Assignment.Response


def _counters(name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_stat_get_xact_tuples_{name}('assignments_assignment'::regclass)")
        return int(cursor.fetchone()[0])


def test_a_mark_is_a_hot_update(ani: User) -> None:
    """No index holds a mark, and a page has room: nothing but the row is written."""
    batch = factories.make_batch(staff=ani, records=5)
    updated, hot = _counters("updated"), _counters("hot_updated")
    for pk in Assignment.objects.filter(request=batch).values_list("pk", flat=True):
        mark_reach(assignment_id=pk, reach=Reach.ADA, by=ani)
    assert _counters("updated") - updated == 5
    assert _counters("hot_updated") - hot == 5


def test_somebody_elses_is_refused_and_unchanged(ani: User, budi: User) -> None:
    theirs = factories.make_assignment(staff=ani)
    with pytest.raises(NotYoursAnyMore):
        mark_response(assignment_id=theirs.pk, response=Response.YA, by=budi)
    theirs.refresh_from_db()
    assert theirs.response is None


def _together(*acts: Callable[[], object]) -> list[BaseException]:
    """Run `acts` in threads that start at the same moment; give what they raised."""
    start, raised = threading.Barrier(len(acts)), []

    def run(act: Callable[[], object]) -> None:
        try:
            start.wait(10)
            act()
        except BaseException as error:  # noqa: BLE001 -- handed to the test
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    return raised


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_two_devices_the_last_wins_and_both_stand_in_the_history(self) -> None:
        staff = factories.make_user()
        mine = factories.make_assignment(staff=staff)
        raised = _together(
            lambda: mark_reach(assignment_id=mine.pk, reach=Reach.ADA, by=staff),
            lambda: mark_reach(assignment_id=mine.pk, reach=Reach.TIDAK, by=staff),
        )
        assert raised == []
        mine.refresh_from_db()
        history = [e.reach for e in mine.events.order_by("pgh_id")]  # type: ignore[attr-defined]
        assert sorted(history) == ["ada", "tidak"]
        assert mine.reach == history[-1]

    def test_many_taps_at_once_keep_the_numbers_true(self) -> None:
        staff = factories.make_user()
        batch = factories.make_batch(staff=staff, records=8)
        ids = list(Assignment.objects.filter(request=batch).values_list("pk", flat=True))

        def tap(pk: int) -> Callable[[], object]:
            def run() -> None:
                for reach in (Reach.ADA, None, Reach.TIDAK, Reach.CEKLIS1):
                    mark_reach(assignment_id=pk, reach=reach, by=staff)
                mark_response(assignment_id=pk, response=Response.YA, by=staff)

            return run

        assert _together(*(tap(pk) for pk in ids)) == []
        stat = BatchStat.objects.get(request=batch)
        assert (stat.ada, stat.ceklis1, stat.tidak, stat.ya) == (0, 8, 0, 8)
        day = StaffDay.objects.get(staff=staff)
        assert (day.ada, day.ceklis1, day.tidak, day.ya) == (0, 8, 0, 8)

    def test_a_mark_that_waited_for_a_recall_changes_nothing(self) -> None:
        """The mark starts while the recall is not yet committed, and must see it once it is."""
        staff = factories.make_user()
        mine = factories.make_assignment(staff=staff)
        raised: list[BaseException] = []

        def mark() -> None:
            try:
                mark_reach(assignment_id=mine.pk, reach=Reach.ADA, by=staff)
            except NotYoursAnyMore as error:
                raised.append(error)
            finally:
                connection.close()

        thread = threading.Thread(target=mark)
        with transaction.atomic():
            Assignment.objects.filter(pk=mine.pk).update(
                state=Assignment.State.RELEASED, released_at=clock.now()
            )
            thread.start()
            thread.join(0.3)
            assert thread.is_alive()  # it waits for the row
        thread.join(10)
        assert len(raised) == 1
        mine.refresh_from_db()
        assert (mine.reach, mine.state) == (None, "released")
