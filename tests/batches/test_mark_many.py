"""One mark for several customers."""

from __future__ import annotations

import re
import threading

import pytest
from django.db import connection, transaction
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import Activity, User
from assignments.errors import SomeNotYours
from assignments.models import Assignment, BatchStat, RecordRequest
from assignments.reports.totals import differences
from assignments.services.marks import mark_many
from assignments.services.recall import recall
from crm.kernel import clock
from tests import factories
from tests.concurrency.racing import at_once
from tests.conftest import HX

pytestmark = pytest.mark.django_db
# Session, user, the batch, whose the boxes are, the lock, the marks, who was marked, the book, the
# first of them.
QUERIES = 9


def url(batch: RecordRequest) -> str:
    return f"/batches/{batch.pk}/mark/"


def held(batch: RecordRequest) -> list[int]:
    mine = Assignment.objects.filter(request=batch).order_by("record_id")
    return list(mine.values_list("pk", flat=True))


def reaches(batch: RecordRequest) -> list[str | None]:
    mine = Assignment.objects.filter(request=batch).order_by("record_id")
    return list(mine.values_list("reach", flat=True))


def release(*ids: int) -> None:
    Assignment.objects.filter(pk__in=ids).update(
        state=Assignment.State.RELEASED, released_at=clock.now()
    )


@pytest.fixture
def batch(ani: User) -> RecordRequest:
    return factories.make_batch(staff=ani, records=5)


class TestMarkMany:
    def test_the_ticked_ones_are_marked_as_one_act(
        self, as_ani: Client, ani: User, batch: RecordRequest
    ) -> None:
        ids = held(batch)
        answer = as_ani.post(url(batch), {"mark": "reach:ada", "ids": ids[1:4]})
        assert answer.status_code == 302
        assert reaches(batch) == [None, "ada", "ada", "ada", None]
        marked = Assignment.objects.filter(pk__in=ids[1:4])
        assert marked.values("reach_at").distinct().count() == 1
        assert {a.reach_by for a in marked.select_related("reach_by")} == {ani}
        assert BatchStat.objects.get(request=batch).ada == 3
        line = Activity.objects.get(kind="customers.marked")
        assert line.details == {"mark": "reach", "value": "ada", "records": 3}
        assert differences() == []

    def test_it_clears_and_answers_too(self, as_ani: Client, batch: RecordRequest) -> None:
        ids = held(batch)
        as_ani.post(url(batch), {"mark": "response:ya", "ids": ids})
        as_ani.post(url(batch), {"mark": "response:", "ids": ids[:2]})
        assert BatchStat.objects.get(request=batch).ya == 3

    def test_who_carries_the_mark_already_is_left_alone(
        self, as_ani: Client, batch: RecordRequest
    ) -> None:
        ids = held(batch)
        as_ani.post(url(batch), {"mark": "reach:ada", "ids": ids[:1]})
        first = Assignment.objects.get(pk=ids[0]).reach_at
        as_ani.post(url(batch), {"mark": "reach:ada", "ids": ids})
        assert Assignment.objects.get(pk=ids[0]).reach_at == first
        assert BatchStat.objects.get(request=batch).ada == 5

    def test_all_that_are_shown_are_asked_of_the_server(
        self, as_ani: Client, batch: RecordRequest
    ) -> None:
        ids = held(batch)
        as_ani.post(url(batch), {"mark": "reach:tidak", "ids": ids[:2]})
        as_ani.post(url(batch) + "?show=unchecked", {"mark": "reach:ada", "all": "1"})
        assert reaches(batch) == ["tidak", "tidak", "ada", "ada", "ada"]
        name = Assignment.objects.get(pk=ids[4]).record.name
        as_ani.post(url(batch) + f"?q={name}", {"mark": "reach:ceklis1", "all": "1"})
        assert reaches(batch) == ["tidak", "tidak", "ada", "ada", "ceklis1"]

    def test_it_returns_to_the_place_with_the_way_to_undo(
        self, as_ani: Client, batch: RecordRequest
    ) -> None:
        data = {"mark": "reach:ada", "ids": held(batch)}
        answer = as_ani.post(url(batch) + "?show=unchecked&select=1&evil=1", data)
        first = Assignment.objects.get(pk=held(batch)[0]).record_id
        to = f"/batches/{batch.pk}/?show=unchecked&start={first}&select=1&field=reach&at="
        assert answer["Location"].startswith(to)
        html = as_ani.get(answer["Location"]).content.decode()
        undo = re.search(r'<form class="note ok undone" method="post" action="([^"]+)"', html)
        assert undo
        as_ani.post(undo[1].replace("&amp;", "&"))
        assert reaches(batch) == [None] * 5
        again = as_ani.post(url(batch), data, headers=HX)
        to = f"/batches/{batch.pk}/?start={first}&field=reach&at="
        assert again["HX-Redirect"].startswith(to)

    def test_more_than_twenty_are_asked_about_with_what_they_carry(
        self, as_ani: Client, ani: User
    ) -> None:
        many = factories.make_batch(staff=ani, records=21)
        ids = held(many)
        as_ani.post(url(many), {"mark": "reach:tidak", "ids": ids[:3]})
        as_ani.post(url(many), {"mark": "reach:ceklis1", "ids": ids[3:5]})
        for headers in ({}, HX):
            for data in ({"ids": ids}, {"all": "1"}):
                sent = {"mark": "reach:ada"} | data
                answer = as_ani.post(url(many), sent, headers=headers)
                html = answer.content.decode()
                assert answer.status_code == 200
                assert ("<html" in html) == (not headers)
                counts = re.findall(r'<dt>([^<]+)</dt><dd class="num">(\d+)</dd>', html)
                assert counts == [("Ceklis 1", "2"), ("Tidak", "3")]
                assert html.count('name="ids"') == len(data.get("ids", []))
        assert BatchStat.objects.get(request=many).ada == 0
        as_ani.post(url(many), {"mark": "reach:ada", "all": "1", "confirmed": "1"})
        assert BatchStat.objects.get(request=many).ada == 21

    def test_twenty_are_not_asked_about(self, as_ani: Client, ani: User) -> None:
        many = factories.make_batch(staff=ani, records=20)
        answer = as_ani.post(url(many), {"mark": "reach:ada", "ids": held(many)})
        assert answer.status_code == 302

    def test_one_foreign_id_refuses_the_whole_call(
        self, as_ani: Client, ani: User, budi: User, batch: RecordRequest
    ) -> None:
        ids = held(batch)
        theirs = factories.make_assignment(staff=budi).pk
        elsewhere = factories.make_assignment(staff=ani).pk
        asked = factories.make_pending(staff=ani, database=factories.make_database())
        for foreign in (theirs, elsewhere, held(asked)[0], 999_999_999):
            for headers in ({}, HX):
                data = {"mark": "reach:ada", "ids": [*ids, foreign]}
                assert as_ani.post(url(batch), data, headers=headers).status_code == 404
        assert not Assignment.objects.exclude(reach=None).exists()

    @pytest.mark.parametrize("stranger", ["9" * 18, "9" * 19, "-1", "0"])
    def test_an_id_that_is_nobodys_refuses_the_whole_call(
        self, stranger: str, as_ani: Client, batch: RecordRequest
    ) -> None:
        ids = [str(held(batch)[0]), stranger]
        assert as_ani.post(url(batch), {"mark": "reach:ada", "ids": ids}).status_code == 404
        assert reaches(batch) == [None] * 5

    def test_one_recalled_meanwhile_refuses_the_whole_call_kindly(
        self, as_ani: Client, batch: RecordRequest
    ) -> None:
        ids = held(batch)
        release(ids[2])
        for headers in ({}, HX):
            data = {"mark": "reach:ada", "ids": ids}
            answer = as_ani.post(url(batch), data, headers=headers)
            assert answer.status_code == 409
            assert 'role="alert"' in answer.content.decode()
        assert not Assignment.objects.exclude(reach=None).exists()

    @pytest.mark.parametrize(
        "data",
        [
            {"mark": "reach:ada"},
            {"mark": "reach:maybe", "all": "1"},
            {"all": "1"},
            {"mark": "note:x", "all": "1"},
            {"mark": "reach:ada", "ids": ["x"]},
            {"mark": "reach:ada", "ids": list(range(1, 502))},
        ],
    )
    def test_it_refuses_what_is_no_choice(
        self, data: dict[str, object], as_ani: Client, batch: RecordRequest
    ) -> None:
        for headers in ({}, HX):
            answer = as_ani.post(url(batch), data, headers=headers)
            assert answer.status_code == 422
            assert 'role="alert"' in answer.content.decode()
        assert reaches(batch) == [None] * 5

    def test_it_hides_other_peoples_batches(
        self, as_budi: Client, as_citra: Client, batch: RecordRequest
    ) -> None:
        data = {"mark": "reach:ada", "all": "1"}
        assert as_budi.post(url(batch), data).status_code == 404
        assert as_citra.post(url(batch), data).status_code == 403
        assert reaches(batch) == [None] * 5

    @pytest.mark.parametrize("records", [1, 20])
    def test_it_costs_the_same_for_any_number(
        self,
        records: int,
        as_ani: Client,
        ani: User,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        many = factories.make_batch(staff=ani, records=records)
        ids = held(many)
        as_ani.get("/batches/")
        with django_assert_num_queries(QUERIES):
            as_ani.post(url(many), {"mark": "reach:ada", "ids": ids})

    def test_it_is_a_hot_update(self, as_ani: Client, batch: RecordRequest) -> None:
        def counters() -> list[int]:
            names = ("updated", "hot_updated")
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT "
                    + ", ".join(
                        f"pg_stat_get_xact_tuples_{name}('assignments_assignment'::regclass)"
                        for name in names
                    )
                )
                return list(cursor.fetchone())

        before = counters()
        as_ani.post(url(batch), {"mark": "reach:ada", "ids": held(batch)})
        assert [now - then for now, then in zip(counters(), before, strict=True)] == [5, 5]

    def test_the_page_offers_boxes_and_marks_only_while_selecting(
        self, as_ani: Client, batch: RecordRequest
    ) -> None:
        page = f"/batches/{batch.pk}/"
        assert 'form="marking"' not in as_ani.get(page).content.decode()
        html = as_ani.get(page, {"select": "1"}).content.decode()
        assert html.count('name="ids"') == 5
        assert html.count('name="mark"') == 7


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_marking_many_while_some_are_recalled_is_all_or_nothing(self) -> None:
        for _ in range(3):
            staff, admin = factories.make_user(), factories.make_admin()
            batch = factories.make_batch(staff=staff, records=6)
            ids = held(batch)
            outcomes = at_once(
                lambda ids=ids, staff=staff: mark_many(
                    assignment_ids=ids, field="reach", value="ada", by=staff
                ),
                lambda ids=ids, admin=admin: recall(assignment_ids=ids[::2], by=admin),
            )
            first = type(outcomes[0]).__name__
            assert (first, reaches(batch)) in (
                ("Act", ["ada"] * 6),
                ("SomeNotYours", [None] * 6),
            )
        assert differences() == []

    def test_marks_that_waited_for_a_recall_change_nothing(self) -> None:
        """They start while the recall is not yet committed, and must see it once it is."""
        staff = factories.make_user()
        batch = factories.make_batch(staff=staff, records=3)
        ids, raised = held(batch), []

        def mark() -> None:
            try:
                mark_many(assignment_ids=ids, field="reach", value="ada", by=staff)
            except SomeNotYours as error:
                raised.append(error)
            finally:
                connection.close()

        thread = threading.Thread(target=mark)
        with transaction.atomic():
            release(ids[2])
            thread.start()
            thread.join(0.3)
            assert thread.is_alive()  # it waits for the row
        thread.join(10)
        assert [error.customers for error in raised] == [1]
        assert reaches(batch) == [None] * 3

    def test_two_devices_mark_the_same_ones_in_any_order(self) -> None:
        staff = factories.make_user()
        batch = factories.make_batch(staff=staff, records=8)
        ids = held(batch)
        outcomes = at_once(
            *(
                (
                    lambda value=value, ids=ids: mark_many(
                        assignment_ids=ids, field="reach", value=value, by=staff
                    )
                )
                for value, ids in (("ada", ids), ("tidak", ids[::-1]), ("ceklis1", ids))
            )
        )
        assert {type(outcome).__name__ for outcome in outcomes} == {"Act"}
        assert len(set(reaches(batch))) == 1  # one act is wholly the last
        assert differences() == []
