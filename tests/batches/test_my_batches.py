"""The list of one's batches."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import User
from assignments.models import Assignment
from crm.kernel import clock
from tests import factories

URL = "/batches/"
# Session, user, totals, cards, finished ones, the next customer of the first card.
QUERIES = 6


def titles(html: str) -> list[str]:
    return re.findall(r'class="cover"[^>]*>([^<]+)<', html)


def check_all(request_id: int) -> None:
    Assignment.objects.filter(request=request_id).update(reach="ada", reach_at=clock.now())


class TestMyBatches:
    def test_it_shows_ones_own_newest_first(self, as_ani: Client, ani: User, budi: User) -> None:
        for name, staff in (("Lama", ani), ("Punya Budi", budi), ("Baru", ani)):
            factories.make_batch(staff=staff, database=factories.make_database(name=name))
        assert titles(as_ani.get(URL).content.decode()) == ["Baru", "Lama"]

    def test_legacy_comes_last_and_has_its_own_address(self, as_ani: Client, ani: User) -> None:
        legacy = factories.make_database(name="Dulu")
        factories.make_batch(staff=ani, database=legacy)
        factories.make_batch(staff=ani, database=factories.make_database(name="Baru"))
        Assignment.objects.filter(database=legacy).update(request=None)
        html = as_ani.get(URL).content.decode()
        assert titles(html) == ["Baru", "Dulu"]
        assert f'href="/batches/legacy-{legacy.pk}/#next"' in html
        assert as_ani.get(f"/batches/legacy-{legacy.pk}/").status_code == 200

    def test_a_card_has_the_live_numbers(self, as_ani: Client, ani: User) -> None:
        batch = factories.make_batch(staff=ani, records=5)
        ids = list(Assignment.objects.filter(request=batch).values_list("pk", flat=True))
        Assignment.objects.filter(pk__in=ids[:2]).update(
            reach="ada", reach_at=clock.now(), response="ya", response_at=clock.now()
        )
        html = as_ani.get(URL).content.decode()
        assert '<progress value="2" max="5"' in html

    def test_the_first_card_leads_to_the_next_customer(self, as_ani: Client, ani: User) -> None:
        batch = factories.make_batch(staff=ani, records=3)
        rows = list(Assignment.objects.filter(request=batch).order_by("record_id"))
        Assignment.objects.filter(pk=rows[0].pk).update(reach="ada", reach_at=clock.now())
        assert rows[1].record.name in as_ani.get(URL).content.decode()

    def test_a_finished_batch_is_folded_away(self, as_ani: Client, ani: User) -> None:
        done = factories.make_batch(staff=ani, database=factories.make_database(name="Beres"))
        check_all(done.pk)
        factories.make_batch(staff=ani, database=factories.make_database(name="Belum"))
        html = as_ani.get(URL).content.decode()
        assert titles(html) == ["Belum"]
        assert f'href="/batches/{done.pk}/"' in html
        assert titles(as_ani.get(URL, {"show": "finished"}).content.decode()) == ["Beres"]

    def test_without_any_batch_it_says_how_to_get_one(self, as_ani: Client) -> None:
        html = as_ani.get(URL).content.decode()
        assert 'class="empty' in html
        assert 'href="/request/"' in html

    def test_held_and_released_records_are_no_batch(self, as_ani: Client, ani: User) -> None:
        database = factories.make_database(records=10)
        factories.make_pending(staff=ani, database=database)
        batch = factories.make_batch(staff=ani, records=3, database=database)
        Assignment.objects.filter(request=batch).update(state=Assignment.State.RELEASED)
        assert titles(as_ani.get(URL).content.decode()) == []

    def test_it_turns_pages(self, as_ani: Client, ani: User) -> None:
        database = factories.make_database(records=33)
        for _ in range(33):
            factories.make_batch(staff=ani, records=1, database=database)
        html = as_ani.get(URL).content.decode()
        assert len(titles(html)) == 30
        after = re.search(r'href="\?after=([^"]+)"', html)
        assert after
        assert len(titles(as_ani.get(URL, {"after": after[1]}).content.decode())) == 3
        assert as_ani.get(URL, {"after": "nonsense"}).status_code == 200

    @pytest.mark.parametrize("batches", [1, 30])
    def test_it_costs_the_same_for_any_number_of_batches(
        self,
        batches: int,
        as_ani: Client,
        ani: User,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        database = factories.make_database(records=batches)
        for _ in range(batches):
            factories.make_batch(staff=ani, records=1, database=database)
        as_ani.get(URL)  # the first request of a session writes when it began
        with django_assert_num_queries(QUERIES):
            assert as_ani.get(URL).status_code == 200
