"""One tap: whether a customer answered."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from assignments.models import Assignment, BatchStat
from crm.kernel import clock
from tests import factories
from tests.conftest import HX


def url(assignment: Assignment) -> str:
    return f"/batches/customers/{assignment.pk}/response/"


@pytest.fixture
def mine(ani: User) -> Assignment:
    return factories.make_assignment(staff=ani)


class TestMarkResponse:
    @pytest.mark.parametrize("response", ["ya", "tidak"])
    def test_it_saves_beside_the_reach(
        self, response: str, as_ani: Client, ani: User, mine: Assignment
    ) -> None:
        as_ani.post(f"/batches/customers/{mine.pk}/reach/", {"reach": "ada"}, headers=HX)
        answer = as_ani.post(url(mine), {"response": response}, headers=HX)
        assert answer.status_code == 200
        mine.refresh_from_db()
        assert (mine.reach, mine.response, mine.response_by) == ("ada", response, ani)
        assert mine.response_at is not None
        assert mine.reach_at != mine.response_at

    def test_it_clears(self, as_ani: Client, mine: Assignment) -> None:
        as_ani.post(url(mine), {"response": "tidak"}, headers=HX)
        as_ani.post(url(mine), {"response": ""}, headers=HX)
        mine.refresh_from_db()
        assert mine.response is None
        assert BatchStat.objects.get(request=mine.request).tidak_response == 0

    def test_it_works_without_javascript(self, as_ani: Client, mine: Assignment) -> None:
        answer = as_ani.post(url(mine), {"response": "ya"})
        assert answer["Location"].startswith(f"/batches/{mine.request_id}/?field=response&at=")
        assert answer["Location"].endswith(f"#row-{mine.pk}")

    def test_it_refuses_what_is_no_mark(self, as_ani: Client, mine: Assignment) -> None:
        assert as_ani.post(url(mine), {"response": "ada"}, headers=HX).status_code == 422

    def test_it_hides_other_peoples_customers(self, as_budi: Client, mine: Assignment) -> None:
        assert as_budi.post(url(mine), {"response": "ya"}, headers=HX).status_code == 404
        mine.refresh_from_db()
        assert mine.response is None

    def test_a_recalled_customer_is_refused_kindly(self, as_ani: Client, mine: Assignment) -> None:
        Assignment.objects.filter(pk=mine.pk).update(
            state=Assignment.State.RELEASED, released_at=clock.now()
        )
        assert as_ani.post(url(mine), {"response": "ya"}, headers=HX).status_code == 409

    def test_looking_is_not_marking(self, as_ani: Client, mine: Assignment) -> None:
        assert as_ani.get(url(mine)).status_code == 405
