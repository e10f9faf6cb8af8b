"""One tap: how far a customer was reached."""

from __future__ import annotations

import gzip

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import User
from assignments.models import Assignment, BatchStat
from crm.kernel import clock
from tests import factories
from tests.conftest import HX

# Session, user, the assignment, savepoint, the mark, its release, the batch's numbers.
QUERIES = 7


def url(assignment: Assignment) -> str:
    return f"/batches/customers/{assignment.pk}/reach/"


@pytest.fixture
def mine(ani: User) -> Assignment:
    return factories.make_assignment(staff=ani)


class TestMarkReach:
    @pytest.mark.parametrize("reach", ["ada", "ceklis1", "tidak"])
    def test_it_saves_with_time_and_author(
        self, reach: str, as_ani: Client, ani: User, mine: Assignment
    ) -> None:
        answer = as_ani.post(url(mine), {"reach": reach}, headers=HX)
        assert answer.status_code == 200
        mine.refresh_from_db()
        assert (mine.reach, mine.reach_by) == (reach, ani)
        assert mine.reach_at is not None
        assert mine.response_at is None

    def test_it_returns_the_buttons_and_the_numbers(self, as_ani: Client, mine: Assignment) -> None:
        html = as_ani.post(url(mine), {"reach": "ada"}, headers=HX).content.decode()
        assert "<html" not in html
        assert html.startswith("<fieldset")
        pressed = html.split(f'id="reach-{mine.pk}-ada"')[1].split(">")[0]
        assert 'aria-pressed="true"' in pressed
        assert 'value=""' in pressed  # tapping it again takes the mark back
        assert '<section id="progress" class="prog" data-hx-swap-oob="true"' in html
        assert '<span id="n-ada" class="num count" data-hx-swap-oob="true">1</span>' in html
        assert '<span id="n-unchecked" class="num count" data-hx-swap-oob="true">0</span>' in html

    def test_the_answer_is_small(self, as_ani: Client, mine: Assignment) -> None:
        answer = as_ani.post(url(mine), {"reach": "ada"}, headers=HX)
        assert len(gzip.compress(answer.content)) < 3000

    def test_tapping_the_chosen_one_clears_it(
        self, as_ani: Client, ani: User, mine: Assignment
    ) -> None:
        as_ani.post(url(mine), {"reach": "ada"}, headers=HX)
        html = as_ani.post(url(mine), {"reach": ""}, headers=HX).content.decode()
        mine.refresh_from_db()
        assert mine.reach is None
        assert mine.reach_by == ani
        assert 'aria-pressed="true"' not in html

    def test_the_same_mark_twice_is_one(self, as_ani: Client, mine: Assignment) -> None:
        as_ani.post(url(mine), {"reach": "ada"}, headers=HX)
        mine.refresh_from_db()
        at = mine.reach_at
        assert as_ani.post(url(mine), {"reach": "ada"}, headers=HX).status_code == 200
        mine.refresh_from_db()
        assert mine.reach_at == at
        assert mine.events.count() == 1  # type: ignore[attr-defined]

    def test_the_last_mark_wins_and_both_are_history(
        self, as_ani: Client, mine: Assignment
    ) -> None:
        as_ani.post(url(mine), {"reach": "ada"}, headers=HX)
        as_ani.post(url(mine), {"reach": "tidak"}, headers=HX)
        events = mine.events.order_by("pgh_id")  # type: ignore[attr-defined]
        assert [event.reach for event in events] == ["ada", "tidak"]

    def test_the_numbers_of_the_batch_follow(self, as_ani: Client, mine: Assignment) -> None:
        as_ani.post(url(mine), {"reach": "ceklis1"}, headers=HX)
        stat = BatchStat.objects.get(request=mine.request)
        assert (stat.ceklis1, stat.unchecked) == (1, 0)

    def test_it_works_without_javascript(self, as_ani: Client, mine: Assignment) -> None:
        address = f"{url(mine)}?show=unchecked&start=7"
        answer = as_ani.post(address, {"reach": "ada"})
        assert answer.status_code == 302
        page, _hash, anchor = answer["Location"].partition("#")
        mine.refresh_from_db()
        assert page.startswith(
            f"/batches/{mine.request_id}/?show=unchecked&start=7&field=reach&at="
        )
        assert anchor == f"row-{mine.pk}"
        assert mine.reach == "ada"

    def test_without_javascript_it_returns_to_the_row(
        self, as_ani: Client, mine: Assignment
    ) -> None:
        answer = as_ani.post(url(mine), {"reach": "ada"})
        assert answer["Location"].startswith(f"/batches/{mine.request_id}/?field=reach&at=")
        assert answer["Location"].endswith(f"#row-{mine.pk}")

    @pytest.mark.parametrize("data", [{"reach": "maybe"}, {}, {"response": "ya"}])
    def test_it_refuses_what_is_no_mark(
        self, data: dict[str, str], as_ani: Client, mine: Assignment
    ) -> None:
        Assignment.objects.filter(pk=mine.pk).update(reach="ada", reach_at=clock.now())
        answer = as_ani.post(url(mine), data, headers=HX)
        assert answer.status_code == 422
        assert 'role="alert"' in answer.content.decode()
        mine.refresh_from_db()
        assert mine.reach == "ada"

    def test_it_hides_other_peoples_customers(self, as_budi: Client, mine: Assignment) -> None:
        before = Assignment.objects.values().get(pk=mine.pk)
        for headers in (HX, {}):
            answer = as_budi.post(url(mine), {"reach": "ada"}, headers=headers)
            assert answer.status_code == 404
        missing = "/batches/customers/999999/reach/"
        assert as_budi.post(missing, {"reach": "ada"}, headers=HX).status_code == 404
        assert Assignment.objects.values().get(pk=mine.pk) == before

    def test_an_admin_marks_nothing(self, as_citra: Client, mine: Assignment) -> None:
        assert as_citra.post(url(mine), {"reach": "ada"}, headers=HX).status_code == 403
        mine.refresh_from_db()
        assert mine.reach is None

    def test_a_recalled_customer_is_refused_kindly(self, as_ani: Client, mine: Assignment) -> None:
        Assignment.objects.filter(pk=mine.pk).update(
            state=Assignment.State.RELEASED, released_at=clock.now()
        )
        answer = as_ani.post(url(mine), {"reach": "ada"}, headers=HX)
        assert answer.status_code == 409
        assert 'role="alert"' in answer.content.decode()
        assert as_ani.post(url(mine), {"reach": "ada"}).status_code == 302
        mine.refresh_from_db()
        assert mine.reach is None

    def test_a_held_customer_is_not_there(self, as_ani: Client, ani: User) -> None:
        asked = factories.make_pending(staff=ani, database=factories.make_database())
        held = Assignment.objects.filter(request=asked).first()
        assert held is not None
        assert as_ani.post(url(held), {"reach": "ada"}, headers=HX).status_code == 404

    def test_other_fields_are_ignored(self, as_ani: Client, budi: User, mine: Assignment) -> None:
        extra = {"staff": budi.pk, "state": "released", "response": "ya", "note": "x"}
        as_ani.post(url(mine), {"reach": "ada", **extra}, headers=HX)
        after = Assignment.objects.get(pk=mine.pk)
        assert (after.staff_id, after.state, after.response, after.note) == (
            mine.staff_id,
            "active",
            None,
            "",
        )

    def test_looking_is_not_marking(self, as_ani: Client, mine: Assignment) -> None:
        assert as_ani.get(url(mine), {"reach": "ada"}).status_code == 405

    def test_it_costs_little(
        self,
        as_ani: Client,
        mine: Assignment,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        as_ani.get("/batches/")
        with django_assert_max_num_queries(QUERIES):
            as_ani.post(url(mine), {"reach": "ada"}, headers=HX)


@pytest.mark.django_db
def test_answers_say_when_they_counted(as_ani: Client, mine: Assignment) -> None:
    first = as_ani.post(url(mine), {"reach": "ada"}, headers=HX)
    second = as_ani.post(url(mine), {"reach": ""}, headers=HX)
    assert 0 < int(first["X-Counted-At"]) < int(second["X-Counted-At"])
