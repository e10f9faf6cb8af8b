"""What a staff writes about a customer."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import Activity, User
from assignments.errors import NoteChanged
from assignments.models import Assignment
from assignments.services.notes import save_note
from crm.kernel import clock
from tests import factories
from tests.concurrency.racing import at_once, kinds
from tests.conftest import HX

pytestmark = pytest.mark.django_db
# Session, user, the assignment, the note.
QUERIES = 4


def url(assignment: Assignment) -> str:
    return f"/batches/customers/{assignment.pk}/note/"


@pytest.fixture
def mine(ani: User) -> Assignment:
    return factories.make_assignment(staff=ani)


def now(mine: Assignment) -> tuple[str, int]:
    mine.refresh_from_db()
    return mine.note, mine.note_version


class TestNote:
    def test_it_saves_with_time_and_author(
        self, as_ani: Client, ani: User, mine: Assignment
    ) -> None:
        answer = as_ani.post(url(mine), {"note": "Minta ditelepon besok", "version": 0})
        assert answer.status_code == 302
        assert answer["Location"].endswith(f"#row-{mine.pk}")
        assert now(mine) == ("Minta ditelepon besok", 1)
        assert mine.note_by == ani
        assert mine.note_at is not None
        assert (
            "Minta ditelepon besok" in as_ani.get(f"/batches/{mine.request_id}/").content.decode()
        )

    def test_htmx_is_given_the_note_of_the_row_alone(
        self, as_ani: Client, mine: Assignment
    ) -> None:
        answer = as_ani.post(url(mine), {"note": "Ramah <b>", "version": 0}, headers=HX)
        html = answer.content.decode()
        assert html.strip() == (
            f'<span id="note-{mine.pk}" class="memo" data-hx-swap-oob="true">Ramah &lt;b&gt;</span>'
        )
        assert "toast:show" in answer["HX-Trigger"]

    def test_blank_takes_it_away(self, as_ani: Client, mine: Assignment) -> None:
        as_ani.post(url(mine), {"note": "x", "version": 0})
        as_ani.post(url(mine), {"note": "", "version": 1})
        assert now(mine) == ("", 2)

    def test_a_second_editor_sees_both_texts_and_may_replace(
        self, as_ani: Client, mine: Assignment
    ) -> None:
        as_ani.post(url(mine), {"note": "Dari laptop", "version": 0})
        for headers in ({}, HX):
            answer = as_ani.post(url(mine), {"note": "Dari hp", "version": 0}, headers=headers)
            assert answer.status_code == 409
            html = answer.content.decode()
            assert "Dari laptop" in html
            assert re.search(r"<textarea[^>]*>\s*Dari hp</textarea>", html)
        assert answer["HX-Retarget"] == "#note-form"
        assert now(mine) == ("Dari laptop", 1)
        version = re.search(r'name="version" value="(\d+)"', html)
        assert version
        as_ani.post(url(mine), {"note": "Dari hp", "version": version[1]})
        assert now(mine) == ("Dari hp", 2)

    def test_the_same_text_twice_is_one(self, as_ani: Client, mine: Assignment) -> None:
        for _ in range(2):
            as_ani.post(url(mine), {"note": "Sama", "version": 0})
        assert now(mine) == ("Sama", 1)
        assert mine.events.count() == 1  # type: ignore[attr-defined]

    @pytest.mark.parametrize(
        "data", [{"note": "x" * 501, "version": 0}, {"note": "x", "version": "a"}, {"note": "x"}]
    )
    def test_what_is_wrong_stays_and_is_said(
        self, data: dict[str, object], as_ani: Client, mine: Assignment
    ) -> None:
        for headers in ({}, HX):
            answer = as_ani.post(url(mine), data, headers=headers)
            assert answer.status_code == 422
            assert str(data["note"]) in answer.content.decode()
        assert now(mine) == ("", 0)

    def test_five_hundred_characters_fit(self, as_ani: Client, mine: Assignment) -> None:
        as_ani.post(url(mine), {"note": "é" * 500, "version": 0})
        assert now(mine)[0] == "é" * 500

    def test_a_line_break_is_one_character_as_it_is_for_who_types(
        self, as_ani: Client, mine: Assignment
    ) -> None:
        lines = ["a" * 49] * 10  # 499 as they are typed, and a browser sends two for each break
        as_ani.post(url(mine), {"note": "\r\n".join(lines), "version": 0})
        assert now(mine) == ("\n".join(lines), 1)

    def test_it_keeps_nothing_that_controls_a_screen(
        self, as_ani: Client, mine: Assignment
    ) -> None:
        as_ani.post(url(mine), {"note": "Ra\x07mah\x1b[31m\x85", "version": 0})
        assert now(mine) == ("Ramah[31m", 1)
        as_ani.post(url(mine), {"note": "\u200b\u200b", "version": 1})  # nothing to be seen
        assert now(mine) == ("", 2)

    def test_it_hides_other_peoples_customers(
        self, as_budi: Client, as_citra: Client, mine: Assignment
    ) -> None:
        data = {"note": "x", "version": 0}
        assert as_budi.post(url(mine), data).status_code == 404
        assert as_budi.post(url(mine), data, headers=HX).status_code == 404
        assert as_budi.get(url(mine)).status_code == 404
        assert as_citra.post(url(mine), data).status_code == 403
        assert now(mine) == ("", 0)

    def test_a_recalled_customer_is_refused_kindly(self, as_ani: Client, mine: Assignment) -> None:
        Assignment.objects.filter(pk=mine.pk).update(
            state=Assignment.State.RELEASED, released_at=clock.now()
        )
        answer = as_ani.post(url(mine), {"note": "x", "version": 0}, headers=HX)
        assert answer.status_code == 409
        assert f'<tr id="row-{mine.pk}" class="gone" data-hx-swap-oob="true">' in (
            answer.content.decode()
        )
        assert as_ani.post(url(mine), {"note": "x", "version": 0}).status_code == 302
        assert now(mine) == ("", 0)

    def test_what_was_written_stands_in_no_book(self, as_ani: Client, mine: Assignment) -> None:
        as_ani.post(url(mine), {"note": "Rahasia sekali", "version": 0})
        assert "Rahasia" not in str(list(Activity.objects.values_list("details", "label")))

    def test_it_costs_little(
        self, as_ani: Client, mine: Assignment, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        as_ani.get("/batches/")
        with django_assert_num_queries(QUERIES):
            as_ani.post(url(mine), {"note": "x", "version": 0}, headers=HX)


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_is_told() -> None:
    staff = factories.make_user()
    mine = factories.make_assignment(staff=staff)
    outcomes = at_once(
        *(
            (lambda text=text: save_note(assignment_id=mine.pk, note=text, version=0, by=staff))
            for text in ("Satu", "Dua")
        )
    )
    assert kinds(outcomes) == ["NoneType", "NoteChanged"]
    (refused,) = [one for one in outcomes if isinstance(one, NoteChanged)]
    assert now(mine) == (refused.note, 1)
