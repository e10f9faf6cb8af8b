"""Taking the last marks back: exactly what one act changed, where nobody marked since."""

from __future__ import annotations

import datetime as dt
import json
import re
import threading

import pytest
from django.db import connection, transaction
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import User
from assignments.errors import MarkedSince
from assignments.models import Assignment, BatchStat, RecordRequest, StaffDay
from assignments.reports.totals import differences
from assignments.services import marks
from crm.kernel import clock
from tests import factories
from tests.conftest import HX

pytestmark = pytest.mark.django_db
# Session, user, the batch, the lock, whom the act touched, setting back, the row, the numbers.
QUERIES = 8


@pytest.fixture
def batch(ani: User) -> RecordRequest:
    return factories.make_batch(staff=ani, records=4)


def held(batch: RecordRequest) -> list[Assignment]:
    return list(Assignment.objects.filter(request=batch).order_by("record_id"))


def tap(client: Client, assignment: Assignment, field: str, value: str) -> str:
    """Mark a customer as a browser does; give the address that takes it back."""
    address = f"/batches/customers/{assignment.pk}/{field}/"
    answer = client.post(address, {field: value}, headers=HX)
    assert answer.status_code == 200
    toast = json.loads(answer.headers.get("HX-Trigger", "{}")).get("toast:show", {})
    return str(toast.get("undo", ""))


def state(assignment: Assignment) -> dict[str, object]:
    return Assignment.objects.values("reach", "reach_at", "reach_by", "response", "note").get(
        pk=assignment.pk
    )


class TestUndo:
    def test_every_mark_says_how_to_take_it_back(
        self, as_ani: Client, batch: RecordRequest
    ) -> None:
        first = held(batch)[0]
        before = state(first)
        undo = tap(as_ani, first, "reach", "ada")
        answer = as_ani.post(undo, headers=HX)
        assert answer.status_code == 200
        assert state(first) == before
        html = answer.content.decode()
        assert f'<fieldset id="seg-reach-{first.pk}" class="seg" data-hx-swap-oob="true">' in html
        assert 'aria-pressed="true"' not in html
        assert '<span id="n-ada" class="num count" data-hx-swap-oob="true">0</span>' in html
        assert int(answer["X-Counted-At"]) > 0

    def test_the_mark_before_comes_back_with_its_time_and_author(
        self, as_ani: Client, batch: RecordRequest
    ) -> None:
        first = held(batch)[0]
        tap(as_ani, first, "reach", "ada")
        before = state(first)
        undo = tap(as_ani, first, "reach", "tidak")
        as_ani.post(undo, headers=HX)
        assert state(first) == before

    def test_one_after_the_other_back_to_the_beginning(
        self, as_ani: Client, batch: RecordRequest
    ) -> None:
        first = held(batch)[0]
        states, undos = [state(first)], []
        for value in ("ada", "tidak", "", "ceklis1"):
            undos.append(tap(as_ani, first, "reach", value))
            states.append(state(first))
        while undos:
            assert state(first) == states.pop()
            assert as_ani.post(undos.pop(), headers=HX).status_code == 200
        assert state(first) == states.pop()
        assert differences() == []

    def test_the_other_mark_and_the_note_stay(self, as_ani: Client, batch: RecordRequest) -> None:
        first = held(batch)[0]
        undo = tap(as_ani, first, "reach", "ada")
        tap(as_ani, first, "response", "ya")
        as_ani.post(f"/batches/customers/{first.pk}/note/", {"note": "Ramah", "version": 0})
        assert as_ani.post(undo, headers=HX).status_code == 200
        now = state(first)
        assert (now["reach"], now["response"], now["note"]) == (None, "ya", "Ramah")

    def test_what_was_marked_since_stays_and_it_says_so(
        self, as_ani: Client, batch: RecordRequest
    ) -> None:
        first = held(batch)[0]
        undo = tap(as_ani, first, "reach", "ada")
        tap(as_ani, first, "reach", "tidak")
        answer = as_ani.post(undo, headers=HX)
        assert answer.status_code == 409
        assert json.loads(answer["HX-Trigger"])["toast:show"]["tone"] == "bad"
        assert state(first)["reach"] == "tidak"
        assert as_ani.post(undo).status_code == 302

    def test_several_at_once_go_back_together_but_for_those_marked_since(
        self, as_ani: Client, ani: User, batch: RecordRequest
    ) -> None:
        User.objects.filter(pk=ani.pk).update(language="en")
        given = held(batch)
        tap(as_ani, given[0], "reach", "ceklis1")
        data = {"mark": "reach:ada", "ids": [a.pk for a in given]}
        undo = as_ani.post(f"/batches/{batch.pk}/mark/", data)["Location"].replace("/?", "/undo/?")
        tap(as_ani, given[1], "reach", "tidak")
        tap(as_ani, given[2], "response", "ya")  # not the same mark
        Assignment.objects.filter(pk=given[3].pk).update(state="released", released_at=clock.now())
        html = as_ani.post(undo, follow=True).content.decode()
        assert "Undone for 2 customers. 2 were marked again since" in html
        assert [a.reach for a in held(batch)] == ["ceklis1", "tidak", None, "ada"]
        assert held(batch)[2].response == "ya"
        assert differences() == []

    def test_the_day_loses_what_was_taken_back(
        self, as_ani: Client, ani: User, batch: RecordRequest
    ) -> None:
        undo = tap(as_ani, held(batch)[0], "reach", "ada")
        assert StaffDay.objects.get(staff=ani).ada == 1
        as_ani.post(undo, headers=HX)
        assert StaffDay.objects.get(staff=ani).ada == 0

    def test_a_tap_that_changes_nothing_has_nothing_to_take_back(
        self, as_ani: Client, batch: RecordRequest
    ) -> None:
        first = held(batch)[0]
        tap(as_ani, first, "reach", "ada")
        assert tap(as_ani, first, "reach", "ada") == ""

    def test_without_javascript_it_is_a_button_over_the_list(
        self, as_ani: Client, batch: RecordRequest
    ) -> None:
        first = held(batch)[0]
        address = f"/batches/customers/{first.pk}/reach/?show=unchecked"
        page = as_ani.post(address, {"reach": "ada"})["Location"]
        html = as_ani.get(page).content.decode()
        undo = re.search(r'<form class="note ok undone" method="post" action="([^"]+)"', html)
        assert undo
        answer = as_ani.post(undo[1].replace("&amp;", "&"))
        assert answer["Location"] == f"/batches/{batch.pk}/?show=unchecked"
        assert state(first)["reach"] is None

    def test_the_history_tells_it(self, as_ani: Client, ani: User, batch: RecordRequest) -> None:
        User.objects.filter(pk=ani.pk).update(language="en")
        first = held(batch)[0]
        tap(as_ani, first, "reach", "ada")
        undo = tap(as_ani, first, "reach", "tidak")
        as_ani.post(undo, headers=HX)
        html = as_ani.get(f"/batches/customers/{first.pk}/history/").content.decode()
        assert html.count("Undone · Ani ·") == 1
        states = re.findall(r'<span class="st (\w+)', html)
        assert states == ["ok", "bad", "ok"]

    @pytest.mark.parametrize(
        "query", ["", "?field=note&at=1", "?field=reach", "?field=reach&at=x", "?field=reach&at=0"]
    )
    def test_it_refuses_what_is_no_act(
        self, query: str, as_ani: Client, batch: RecordRequest
    ) -> None:
        assert as_ani.post(f"/batches/{batch.pk}/undo/{query}").status_code == 422

    def test_nobody_takes_back_what_another_marked(
        self, as_ani: Client, as_budi: Client, as_citra: Client, ani: User, batch: RecordRequest
    ) -> None:
        first = held(batch)[0]
        undo = tap(as_ani, first, "reach", "ada")
        assert as_budi.post(undo, headers=HX).status_code == 404
        assert as_citra.post(undo, headers=HX).status_code == 403
        Assignment.objects.filter(pk=first.pk).update(reach_by=None)  # not Ani's mark any more
        assert as_ani.post(undo, headers=HX).status_code == 409
        assert state(first)["reach"] == "ada"

    def test_it_costs_little(
        self,
        as_ani: Client,
        batch: RecordRequest,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        undo = tap(as_ani, held(batch)[0], "reach", "ada")
        with django_assert_num_queries(QUERIES):
            as_ani.post(undo, headers=HX)


@pytest.mark.django_db(transaction=True)
def test_an_undo_that_waited_for_a_new_mark_changes_nothing() -> None:
    """It starts while the new mark is not yet committed, and must see it once it is."""
    staff = factories.make_user()
    mine = factories.make_assignment(staff=staff)
    act = marks.mark_reach(assignment_id=mine.pk, reach=Assignment.Reach.ADA, by=staff)
    raised: list[BaseException] = []

    def undo() -> None:
        try:
            marks.undo_marks(
                staff=staff,
                database_id=mine.database_id,
                request_id=mine.request_id,
                field="reach",
                at=act.at,
            )
        except MarkedSince as error:
            raised.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=undo)
    with transaction.atomic():
        marks.mark_reach(assignment_id=mine.pk, reach=Assignment.Reach.TIDAK, by=staff)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()  # it waits for the row
    thread.join(10)
    assert len(raised) == 1
    assert state(mine)["reach"] == "tidak"
    assert differences() == []


@pytest.mark.django_db(transaction=True)
def test_a_mark_that_waited_for_an_undo_stands() -> None:
    staff = factories.make_user()
    mine = factories.make_assignment(staff=staff)
    act = marks.mark_reach(assignment_id=mine.pk, reach=Assignment.Reach.ADA, by=staff)

    def mark() -> None:
        try:
            marks.mark_reach(assignment_id=mine.pk, reach=Assignment.Reach.TIDAK, by=staff)
        finally:
            connection.close()

    thread = threading.Thread(target=mark)
    with transaction.atomic():
        marks.undo_marks(
            staff=staff,
            database_id=mine.database_id,
            request_id=mine.request_id,
            field="reach",
            at=act.at,
        )
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
    thread.join(10)
    assert state(mine)["reach"] == "tidak"
    assert [e.reach for e in mine.events.order_by("pgh_id")] == ["ada", None, "tidak"]  # type: ignore[attr-defined]
    assert BatchStat.objects.get(request=mine.request).tidak == 1


def test_a_moment_survives_the_address(ani: User) -> None:
    """To the microsecond: that is all that names the act."""
    from django.http import QueryDict

    from batches.forms import UndoForm
    from batches.views.places import undo_query

    for micros in (0, 1, 999_999, 123_456):
        at = dt.datetime(2026, 2, 28, 23, 59, 59, micros, tzinfo=dt.UTC)
        form = UndoForm(QueryDict(undo_query(marks.Act("reach", at, 1), 7)))
        assert form.is_valid()
        assert form.moment() == at
