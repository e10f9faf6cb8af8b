"""The customers of one batch."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import Activity, User
from assignments.models import Assignment, RecordRequest
from batches.reports.customers import PAGE
from crm.kernel import clock
from databases.models import Record, Role
from tests import factories

# Session, user, batch, the rows, the attempts, the messages to choose from, the line in the book of
# acts; where the first page is done, also the next to check, its place, and where its page starts.
QUERIES = 7
FURTHER = 3


def url(batch: RecordRequest) -> str:
    return f"/batches/{batch.pk}/"


def rows(html: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'<tr id="row-(\d+)"', html)]


def held(batch: RecordRequest) -> list[Assignment]:
    return list(
        Assignment.objects.filter(request=batch)
        .select_related("record")
        .order_by("record__row_number")
    )


def check(assignments: list[Assignment], reach: str) -> None:
    marked = Assignment.objects.filter(pk__in=[a.pk for a in assignments])
    marked.update(reach=reach, reach_at=clock.now())


class TestDetail:
    def test_it_shows_the_customers_in_the_order_of_the_file(
        self, as_ani: Client, ani: User
    ) -> None:
        batch = factories.make_batch(staff=ani, records=5)
        assert rows(as_ani.get(url(batch)).content.decode()) == [a.pk for a in held(batch)]

    def test_each_has_name_username_phone_link_and_the_other_columns(
        self, as_ani: Client, ani: User
    ) -> None:
        batch = factories.make_batch(staff=ani, records=1)
        record = held(batch)[0].record
        html = as_ani.get(url(batch)).content.decode()
        local = "0" + record.phone[2:]
        for shown in (
            record.name,
            record.username,
            "-".join((local[:4], local[4:8], local[8:])),
            f'href="https://wa.me/{record.phone}"',
            f'data-copy="https://wa.me/{record.phone}"',
            "Kota Bekasi",
        ):
            assert shown in html
        assert 'target="_blank"' in html
        assert "noopener" in html

    def test_sensitive_and_ignored_columns_are_in_no_answer(
        self, as_ani: Client, ani: User
    ) -> None:
        database = factories.make_database(
            records=1,
            columns=["Username", "Nama", "No HP", "Kota", "No Rekening", "Catatan Intern"],
            roles=[Role.USERNAME, Role.NAME, Role.PHONE, Role.KEEP, Role.SENSITIVE, Role.IGNORE],
        )
        batch = factories.make_batch(staff=ani, records=1, database=database)
        pk = held(batch)[0].pk
        answers = [
            as_ani.get(url(batch)),
            as_ani.get("/batches/"),
            as_ani.get(f"/batches/customers/{pk}/history/"),
            as_ani.post(
                f"/batches/customers/{pk}/reach/", {"reach": "ada"}, headers={"HX-Request": "true"}
            ),
        ]
        for answer in answers:
            assert answer.status_code == 200
            for hidden in (b"RAHASIA", b"Rekening", b"Catatan Intern"):
                assert hidden not in answer.content

    def test_without_a_phone_there_is_no_link_and_it_says_so(
        self, as_ani: Client, ani: User
    ) -> None:
        batch = factories.make_batch(staff=ani, records=1)
        Record.objects.filter(database=batch.database).update(phone="")
        html = as_ani.get(url(batch)).content.decode()
        assert "wa.me" not in html
        assert "data-copy=" not in html
        assert 'class="muted small nolink"' in html

    def test_a_hostile_name_is_only_text(self, as_ani: Client, ani: User) -> None:
        batch = factories.make_batch(staff=ani, records=1)
        evil = '"><script>alert(1)</script>'
        Record.objects.filter(database=batch.database).update(name=evil, username=evil)
        html = as_ani.get(url(batch)).content.decode()
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert(1)" in html

    def test_the_next_to_check_is_marked(self, as_ani: Client, ani: User) -> None:
        batch = factories.make_batch(staff=ani, records=4)
        given = held(batch)
        Assignment.objects.filter(pk__in=[given[0].pk, given[2].pk]).update(
            reach="ada", reach_at=clock.now()
        )
        html = as_ani.get(url(batch)).content.decode()
        assert f'<tr id="row-{given[1].pk}" class="cur" data-row="{given[1].pk}"' in html
        assert html.count('id="next"') == 1

    def test_it_opens_on_the_page_of_the_next_to_check(self, as_ani: Client, ani: User) -> None:
        batch = factories.make_batch(staff=ani, records=PAGE * 2 + 20)
        given = held(batch)
        Assignment.objects.filter(pk__in=[a.pk for a in given[: PAGE + 10]]).update(
            reach="tidak", reach_at=clock.now()
        )
        html = as_ani.get(url(batch)).content.decode()
        assert rows(html) == [a.pk for a in given[PAGE : PAGE * 2]]
        before = as_ani.get(url(batch) + _link("prev", html)).content.decode()
        assert rows(before) == [a.pk for a in given[:PAGE]]
        assert 'id="next"' in html

    @pytest.mark.parametrize("left", [0, 10, 40])
    def test_it_opens_though_most_is_taken_back_while_it_is_read(
        self, left: int, as_ani: Client, ani: User
    ) -> None:
        batch = factories.make_batch(staff=ani, records=PAGE * 2 + 5)
        check(held(batch)[: PAGE * 2 + 1], "ada")
        taken = [assignment.pk for assignment in held(batch)[left:]]

        def take_back_once_counted(execute: Any, sql: str, *args: Any) -> Any:
            counted = execute(sql, *args)
            if "COUNT(*)" in sql and taken:
                gone = Assignment.objects.filter(pk__in=[taken.pop() for _ in list(taken)])
                gone.update(state=Assignment.State.RELEASED, released_at=clock.now())
            return counted

        with connection.execute_wrapper(take_back_once_counted):
            answer = as_ani.get(url(batch))
        assert taken == []
        assert answer.status_code == 200

    def test_pages_follow_each_other_in_both_directions(self, as_ani: Client, ani: User) -> None:
        batch = factories.make_batch(staff=ani, records=PAGE * 2 + 20)
        given = [a.pk for a in held(batch)]
        first = as_ani.get(url(batch)).content.decode()
        second = as_ani.get(url(batch) + _link("next", first)).content.decode()
        third = as_ani.get(url(batch) + _link("next", second)).content.decode()
        assert [rows(page) for page in (first, second, third)] == [
            given[:PAGE],
            given[PAGE : PAGE * 2],
            given[PAGE * 2 :],
        ]
        assert 'rel="next"' not in third
        back = as_ani.get(url(batch) + _link("prev", third)).content.decode()
        assert rows(back) == given[PAGE : PAGE * 2]

    @pytest.mark.parametrize(
        ("show", "expected"),
        [
            ("", [0, 1, 2, 3, 4]),
            ("unchecked", [3, 4]),
            ("ada", [0]),
            ("ceklis1", [1]),
            ("tidak", [2]),
            ("nonsense", [0, 1, 2, 3, 4]),
        ],
    )
    def test_the_chips_filter(
        self, show: str, expected: list[int], as_ani: Client, ani: User
    ) -> None:
        batch = factories.make_batch(staff=ani, records=5)
        given = held(batch)
        for assignment, reach in zip(given[:3], ["ada", "ceklis1", "tidak"], strict=True):
            Assignment.objects.filter(pk=assignment.pk).update(reach=reach, reach_at=clock.now())
        html = as_ani.get(url(batch), {"show": show}).content.decode()
        assert rows(html) == [given[i].pk for i in expected]
        for chip, count in (("all", 5), ("unchecked", 2), ("ada", 1)):
            assert f'<span id="n-{chip}" class="num count">{count}</span>' in html

    def test_a_filter_without_customers_leads_back(self, as_ani: Client, ani: User) -> None:
        batch = factories.make_batch(staff=ani)
        html = as_ani.get(url(batch), {"show": "tidak"}).content.decode()
        assert rows(html) == []
        assert 'href="?start=0"' in html

    def test_a_finished_batch_says_so(self, as_ani: Client, ani: User) -> None:
        batch = factories.make_batch(staff=ani)
        Assignment.objects.filter(request=batch).update(reach="ada", reach_at=clock.now())
        assert 'class="alldone"' in as_ani.get(url(batch)).content.decode()

    @pytest.mark.parametrize("start", ["-1", "abc", "9" * 30, ""])
    def test_a_made_up_place_is_the_beginning(self, start: str, as_ani: Client, ani: User) -> None:
        batch = factories.make_batch(staff=ani, records=2)
        assert len(rows(as_ani.get(url(batch), {"start": start}).content.decode())) == 2

    def test_it_hides_other_peoples_batches(
        self, as_budi: Client, ani: User, as_citra: Client
    ) -> None:
        batch = factories.make_batch(staff=ani)
        assert as_budi.get(url(batch)).status_code == 404
        assert as_budi.get("/batches/999999999999999999/").status_code == 404
        assert as_budi.get("/batches/legacy-1/").status_code == 404

    def test_a_batch_that_was_taken_back_is_gone(self, as_ani: Client, ani: User) -> None:
        batch = factories.make_batch(staff=ani)
        Assignment.objects.filter(request=batch).update(
            state=Assignment.State.RELEASED, released_at=clock.now()
        )
        assert as_ani.get(url(batch)).status_code == 404

    def test_recalled_and_held_records_are_not_in_it(self, as_ani: Client, ani: User) -> None:
        database = factories.make_database(records=6)
        batch = factories.make_batch(staff=ani, records=3, database=database)
        factories.make_pending(staff=ani, database=database)
        given = held(batch)
        Assignment.objects.filter(pk=given[0].pk).update(
            state=Assignment.State.RELEASED, released_at=clock.now()
        )
        html = as_ani.get(url(batch)).content.decode()
        assert rows(html) == [a.pk for a in given[1:]]

    def test_who_saw_which_records_is_written_down(self, as_ani: Client, ani: User) -> None:
        batch = factories.make_batch(staff=ani, records=3)
        as_ani.get(url(batch))
        line = Activity.objects.get(kind="customers.shown")
        assert line.actor == ani
        assert line.subject_id == batch.pk
        assert line.details["records"] == [a.record_id for a in held(batch)]

    @pytest.mark.parametrize("records", [1, 30])
    def test_it_costs_the_same_for_any_number_of_rows(
        self,
        records: int,
        as_ani: Client,
        ani: User,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        batch = factories.make_batch(staff=ani, records=records)
        as_ani.get(url(batch))  # the first request of a session writes when it began
        with django_assert_num_queries(QUERIES):
            assert as_ani.get(url(batch)).status_code == 200

    def test_further_down_it_costs_three_queries_more(
        self, as_ani: Client, ani: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        batch = factories.make_batch(staff=ani, records=PAGE * 3)
        Assignment.objects.filter(pk__in=[a.pk for a in held(batch)[: PAGE * 2]]).update(
            reach="ada", reach_at=clock.now()
        )
        as_ani.get(url(batch))
        with django_assert_num_queries(QUERIES + FURTHER):
            assert as_ani.get(url(batch)).status_code == 200

    def test_fifty_customers_are_quick(self, as_ani: Client, ani: User) -> None:
        batch = factories.make_batch(staff=ani, records=50)
        as_ani.get(url(batch))
        taken = []
        for _ in range(5):
            began = time.process_time()
            as_ani.get(url(batch))
            taken.append(time.process_time() - began)
        assert min(taken) < 0.1  # about 0.04 where nothing else runs


def _link(rel: str, html: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', html)
    assert found
    return found[1].replace("&amp;", "&")


class TestPlaces:
    def test_answers_filter_too(self, as_ani: Client, ani: User) -> None:
        batch = factories.make_batch(staff=ani, records=4)
        given = held(batch)
        for assignment, response in zip(given, ["ya", "tidak", "tidak"], strict=False):
            Assignment.objects.filter(pk=assignment.pk).update(
                response=response, response_at=clock.now()
            )
        html = as_ani.get(url(batch), {"show": "tidak_response"}).content.decode()
        assert rows(html) == [given[1].pk, given[2].pk]
        assert rows(as_ani.get(url(batch), {"show": "ya"}).content.decode()) == [given[0].pk]
        assert '<span id="n-ya" class="num count">1</span>' in html
        assert '<span id="n-tidak_response" class="num count">2</span>' in html
        assert '<span id="n-tidak" class="num count">0</span>' in html

    def test_a_phone_is_found_in_any_spelling(self, as_ani: Client, ani: User) -> None:
        batch = factories.make_batch(staff=ani, records=5)
        wanted = held(batch)[3]
        phone = wanted.record.phone
        local = "0" + phone[2:]
        for spelling in (
            phone,
            local,
            f"{local[:4]}-{local[4:8]}-{local[8:]}",
            f"+62 {local[1:4]} {local[4:]}",
            f"https://wa.me/{phone}",
            phone[-6:],
        ):
            html = as_ani.get(url(batch), {"q": spelling}).content.decode()
            assert rows(html) == [wanted.pk], spelling

    @pytest.mark.parametrize("text", ["SITI nur", "siti", "  Nurhaliza ", "siti_nr", "i_n", "Nür"])
    def test_a_part_of_a_name_or_username_is_found(
        self, text: str, as_ani: Client, ani: User
    ) -> None:
        batch = factories.make_batch(staff=ani, records=3)
        wanted = held(batch)[1]
        name = "Siti Nurhaliza Nür"
        Record.objects.filter(pk=wanted.record_id).update(
            name=name, name_key=name.lower(), username="siti_nr", username_key="siti_nr"
        )
        assert rows(as_ani.get(url(batch), {"q": text}).content.decode()) == [wanted.pk]

    @pytest.mark.parametrize("text", ["%", "_", "\\", "' OR 1=1 --", "\x00", "😀", "x" * 101])
    def test_a_strange_text_is_only_text(self, text: str, as_ani: Client, ani: User) -> None:
        batch = factories.make_batch(staff=ani, records=2)
        assert as_ani.get(url(batch), {"q": text}).status_code == 200

    def test_nothing_found_leads_back(self, as_ani: Client, ani: User) -> None:
        batch = factories.make_batch(staff=ani, records=2)
        html = as_ani.get(url(batch), {"q": "Nobody <b>", "show": "ada"}).content.decode()
        assert rows(html) == []
        assert "Nobody &lt;b&gt;" in html
        assert 'href="?show=ada"' in html

    def test_a_search_keeps_the_filter_and_stays_in_the_batch(
        self, as_ani: Client, ani: User
    ) -> None:
        database = factories.make_database(records=6)
        batch, other = (
            factories.make_batch(staff=ani, records=3, database=database) for _ in range(2)
        )
        given = held(batch)
        check(given[:1], "ada")
        everybody = {"q": "Pelanggan"}
        assert len(rows(as_ani.get(url(batch), everybody).content.decode())) == 3
        kept = as_ani.get(url(batch), everybody | {"show": "unchecked"}).content.decode()
        assert rows(kept) == [a.pk for a in given[1:]]
        only = {"q": held(other)[0].record.phone}
        assert rows(as_ani.get(url(batch), only).content.decode()) == []

    def test_typing_brings_the_list_and_scrolling_the_rows(self, as_ani: Client, ani: User) -> None:
        batch = factories.make_batch(staff=ani, records=PAGE + 20)
        headers = {"HX-Request": "true"}
        typed = as_ani.get(
            url(batch), {"q": "Pelanggan"}, headers=headers | {"HX-Target": "customers"}
        )
        html = typed.content.decode()
        assert '<div id="customers">' in html
        assert "<html" not in html
        more = as_ani.get(url(batch) + _link("next", html), headers=headers).content.decode()
        assert more.strip().startswith("<tbody data-start=")
        assert len(rows(more)) == 20
        assert "data-more" not in more

    def test_what_scrolling_brings_is_written_down_too(self, as_ani: Client, ani: User) -> None:
        batch = factories.make_batch(staff=ani, records=PAGE + 20)
        html = as_ani.get(url(batch)).content.decode()
        as_ani.get(url(batch) + _link("next", html), headers={"HX-Request": "true"})
        seen = Activity.objects.filter(kind="customers.shown").order_by("pk")
        assert [len(line.details["records"]) for line in seen] == [PAGE, 20]

    def test_a_note_stands_in_its_row(self, as_ani: Client, ani: User) -> None:
        batch = factories.make_batch(staff=ani, records=1)
        Assignment.objects.filter(request=batch).update(note="Ramah <i>")
        assert '">Ramah &lt;i&gt;</span>' in as_ani.get(url(batch)).content.decode()

    @pytest.mark.parametrize("records", [1, 30])
    def test_a_search_costs_the_same_for_any_number_of_rows(
        self,
        records: int,
        as_ani: Client,
        ani: User,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        batch = factories.make_batch(staff=ani, records=records)
        as_ani.get(url(batch))
        with django_assert_max_num_queries(QUERIES + 1):  # the next to check
            as_ani.get(url(batch), {"q": "Pelanggan"})
