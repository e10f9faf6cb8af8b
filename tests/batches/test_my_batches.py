"""The list of one's batches."""

from __future__ import annotations

import random
import re

import pytest
from django.db import connection
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import User
from assignments.models import Assignment
from assignments.services import marks
from assignments.services.recall import recall
from batches.models import BatchSetting
from batches.reports.batches import CARDS
from crm.kernel import clock
from tests import factories

pytestmark = pytest.mark.django_db
URL = "/batches/"
# Session, user, totals by product, all cards, the next customer of the first card.
QUERIES = 5


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
        Assignment.objects.filter(request=batch).update(
            state=Assignment.State.RELEASED, released_at=clock.now()
        )
        assert titles(as_ani.get(URL).content.decode()) == []

    def test_it_turns_pages(self, as_ani: Client, ani: User) -> None:
        database = factories.make_database(records=CARDS + 3)
        for _ in range(CARDS + 3):
            factories.make_batch(staff=ani, records=1, database=database)
        html = as_ani.get(URL).content.decode()
        assert len(titles(html)) == CARDS
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

    def test_the_cards_come_from_one_query_over_the_totals(
        self, as_ani: Client, ani: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        database = factories.make_database(records=CARDS)
        batches = [
            factories.make_batch(staff=ani, records=1, database=database) for _ in range(CARDS)
        ]
        BatchSetting.objects.create(staff=ani, database=database, request=batches[0], title="Satu")
        check_all(batches[1].pk)
        as_ani.get(URL)
        with django_assert_num_queries(QUERIES) as asked:
            html = as_ani.get(URL).content.decode()
        cards = [q["sql"] for q in asked.captured_queries if "batches_batchsetting" in q["sql"]]
        assert len(cards) == 1
        assert len(titles(html)) == CARDS - 1
        assert "Satu" in titles(html)
        assert html.count('<li><a href="/batches/') == 1

    def test_the_cards_agree_with_a_plain_group_by(self, as_ani: Client, ani: User) -> None:
        """Whatever was marked, cleared, undone or taken back."""
        chance = random.Random(7)
        for records in (3, 8, 13):
            factories.make_batch(staff=ani, records=records)
        ids = list(Assignment.objects.filter(staff=ani).values_list("pk", flat=True))
        for _ in range(60):
            pk, reach = chance.choice(ids), chance.choice([*Assignment.Reach, None])
            act = marks.mark_reach(assignment_id=pk, reach=reach, by=ani)
            response = chance.choice([*Assignment.Response, None])
            marks.mark_response(assignment_id=pk, response=response, by=ani)
            if act.changed and chance.random() < 0.3:
                row = Assignment.objects.get(pk=pk)
                marks.undo_marks(
                    staff=ani,
                    database_id=row.database_id,
                    request_id=row.request_id,
                    field="reach",
                    at=act.at,
                )
        recall(assignment_ids=chance.sample(ids, 4), by=factories.make_admin())
        query = """
            SELECT request_id, count(*), count(*) FILTER (WHERE reach = 'ada'),
                   count(*) FILTER (WHERE reach = 'ceklis1'),
                   count(*) FILTER (WHERE reach = 'tidak'), count(*) FILTER (WHERE response = 'ya'),
                   count(*) FILTER (WHERE response = 'tidak')
            FROM assignments_assignment WHERE state = 'active' GROUP BY request_id"""
        with connection.cursor() as cursor:
            cursor.execute(query)
            truth = {row[0]: tuple(row[1:]) for row in cursor.fetchall()}
        shown = {}
        mine = as_ani.get(URL).context["mine"]
        for batch in [*mine.batches, *mine.finished]:
            tallies = [*batch.reach_counts(), *batch.response_counts()]
            shown[batch.key.request_id] = (batch.stat.records, *(t.count for t in tallies))
        assert shown == truth


class TestFilters:
    def test_a_product_keeps_its_batches_and_has_its_number(
        self, as_ani: Client, ani: User
    ) -> None:
        melati, mawar = factories.make_product(name="Melati"), factories.make_product(name="Mawar")
        for name, product in (("A", melati), ("B", mawar), ("C", mawar)):
            database = factories.make_database(name=name, product=product)
            factories.make_batch(staff=ani, database=database)
        assert titles(as_ani.get(URL, {"product": mawar.pk}).content.decode()) == ["C", "B"]
        assert titles(as_ani.get(URL, {"product": "x"}).content.decode()) == ["C", "B", "A"]
        assert as_ani.get(URL, {"product": "9" * 30}).status_code == 200
        html = as_ani.get(URL, {"product": melati.pk}).content.decode()
        assert re.search(rf'href="\?product={mawar.pk}"[^>]*><span>Mawar</span>[^>]*>2<', html)

    def test_unfinished_leaves_out_the_finished(self, as_ani: Client, ani: User) -> None:
        done, left = factories.make_batch(staff=ani), factories.make_batch(staff=ani)
        check_all(done.pk)
        html = as_ani.get(URL, {"show": "unfinished"}).content.decode()
        assert f"/batches/{left.pk}/" in html
        assert f"/batches/{done.pk}/" not in html

    def test_other_peoples_products_are_not_named(
        self, as_ani: Client, ani: User, budi: User
    ) -> None:
        factories.make_batch(staff=ani)
        theirs = factories.make_product(name="Rahasia Budi")
        factories.make_batch(staff=budi, database=factories.make_database(product=theirs))
        assert "Rahasia Budi" not in as_ani.get(URL).content.decode()
        assert titles(as_ani.get(URL, {"product": theirs.pk}).content.decode()) == []
