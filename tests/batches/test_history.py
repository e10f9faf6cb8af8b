"""Who marked what and when, for one customer."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import User
from assignments.models import Assignment
from crm.kernel import clock
from tests import factories
from tests.conftest import HX


def url(assignment: Assignment) -> str:
    return f"/batches/customers/{assignment.pk}/history/"


@pytest.fixture
def mine(ani: User) -> Assignment:
    return factories.make_assignment(staff=ani)


def mark(client: Client, assignment: Assignment, field: str, value: str) -> None:
    address = f"/batches/customers/{assignment.pk}/{field}/"
    assert client.post(address, {field: value}, headers=HX).status_code == 200


class TestHistory:
    def test_it_lists_each_change_with_its_author_the_last_first(
        self, as_ani: Client, mine: Assignment
    ) -> None:
        for field, value in (
            ("reach", "ada"),
            ("response", "ya"),
            ("reach", ""),
            ("reach", "tidak"),
        ):
            mark(as_ani, mine, field, value)
        html = as_ani.get(url(mine)).content.decode()
        states = re.findall(r'<span class="st (\w+)', html)
        assert states == ["bad", "neu", "ok", "ok"]
        assert html.count("Ani ·") == 4

    def test_it_answers_a_dialog_over_the_batch(self, as_ani: Client, mine: Assignment) -> None:
        mark(as_ani, mine, "reach", "ada")
        html = as_ani.get(url(mine), headers=HX).content.decode()
        assert "<html" not in html
        assert "<dialog" in html

    def test_it_hides_other_peoples_customers(
        self, as_budi: Client, as_ani: Client, mine: Assignment
    ) -> None:
        assert as_budi.get(url(mine)).status_code == 404
        Assignment.objects.filter(pk=mine.pk).update(
            state=Assignment.State.RELEASED, released_at=clock.now()
        )
        assert as_ani.get(url(mine)).status_code == 404

    @pytest.mark.parametrize("changes", [1, 30])
    def test_it_costs_the_same_for_any_number_of_changes(
        self,
        changes: int,
        as_ani: Client,
        mine: Assignment,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for number in range(changes):
            mark(as_ani, mine, "reach", ["ada", "tidak"][number % 2])
        # Session, user, the assignment, its changes, its attempts.
        with django_assert_num_queries(5):
            as_ani.get(url(mine))
