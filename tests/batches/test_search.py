"""Search over all own customers: a phone in any spelling, a username, a part of a name."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import Activity, User
from assignments.models import Assignment
from batches.reports import search as reports
from crm.kernel import clock
from databases.models import Record
from tests import factories
from tests.conftest import HX

URL = "/batches/search/"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_english(ani: User) -> None:
    User.objects.filter(pk=ani.pk).update(language="en")


@pytest.fixture
def mine(ani: User) -> list[Assignment]:
    """Two batches of Ani's; the second has a customer with a name of its own."""
    factories.make_batch(staff=ani, records=3)
    second = factories.make_batch(staff=ani, records=3)
    held = list(Assignment.objects.filter(staff=ani).select_related("record").order_by("record_id"))
    assert second.pk == held[-1].request_id
    return held


def name(record: Record, value: str) -> None:
    Record.objects.filter(pk=record.pk).update(name=value, name_key=value.lower())


def rows(html: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'<tr id="row-(\d+)"', html)]


def found(client: Client, q: str, **more: str) -> list[int]:
    return rows(client.get(URL, {"q": q} | more).content.decode())


class TestSearch:
    def test_it_finds_a_phone_in_any_spelling(self, as_ani: Client, mine: list[Assignment]) -> None:
        phone = mine[4].record.phone
        local = "0" + phone[2:]
        for spelling in (
            phone,
            f"+{phone}",
            local,
            f"{local[:4]}-{local[4:8]}-{local[8:]}",
            f"+62 {local[1:4]} {local[4:]}",
            f"https://wa.me/{phone}",
        ):
            assert found(as_ani, spelling) == [mine[4].pk], spelling

    def test_it_finds_a_username_and_a_part_of_a_name(
        self, as_ani: Client, mine: list[Assignment]
    ) -> None:
        name(mine[1].record, "Siti Nurhaliza")
        assert found(as_ani, "NURHAL") == [mine[1].pk]
        assert found(as_ani, mine[2].record.username.upper()) == [mine[2].pk]

    def test_it_finds_in_all_batches_and_names_each(
        self, as_ani: Client, mine: list[Assignment]
    ) -> None:
        html = as_ani.get(URL, {"q": "pelanggan"}).content.decode()
        assert sorted(rows(html)) == [assignment.pk for assignment in mine]
        for batch in {assignment.request_id for assignment in mine}:
            assert f'href="/batches/{batch}/#next"' in html

    def test_it_shows_nothing_of_others_and_nothing_taken_back(
        self, as_ani: Client, as_budi: Client, budi: User, mine: list[Assignment]
    ) -> None:
        factories.make_batch(staff=budi, records=2)
        factories.make_pending(staff=budi, database=factories.make_database(records=3))
        assert len(found(as_budi, "pelanggan")) == 2
        Assignment.objects.filter(pk=mine[0].pk).update(
            state=Assignment.State.RELEASED, released_at=clock.now()
        )
        assert mine[0].pk not in found(as_ani, "pelanggan")
        assert found(as_budi, mine[1].record.phone) == []

    @pytest.mark.parametrize("q", ["", "  ", "ab", "%%%", "\x00\x00\x00", "___", "'\"--"])
    def test_too_little_looks_for_nobody(self, q: str, as_ani: Client, mine: object) -> None:
        answer = as_ani.get(URL, {"q": q})
        assert answer.status_code == 200
        assert rows(answer.content.decode()) == []
        assert "at least three" in answer.content.decode()

    def test_what_means_nobody_says_so(self, as_ani: Client, mine: object) -> None:
        assert "Nobody found" in as_ani.get(URL, {"q": "xyz%_zyx"}).content.decode()

    def test_a_strange_place_is_the_beginning(self, as_ani: Client, mine: list[Assignment]) -> None:
        for after in ("x", "1", "-1-1", "9" * 30 + "-1", "1-2-3", "٣-٤"):
            assert len(found(as_ani, "pelanggan", after=after)) == len(mine), after

    def test_it_writes_down_whom_it_showed_and_never_what_was_looked_for(
        self, as_ani: Client, ani: User, mine: list[Assignment]
    ) -> None:
        found(as_ani, mine[0].record.username)
        act = Activity.objects.get(kind="customers.found")
        assert act.actor == ani
        assert act.details == {"records": [mine[0].record_id]}
        found(as_ani, "nobody at all")
        assert Activity.objects.filter(kind="customers.found").count() == 1

    def test_htmx_is_given_the_results_or_more_of_them(self, as_ani: Client, mine: object) -> None:
        results = as_ani.get(URL, {"q": "pelanggan"}, headers=HX | {"HX-Target": "results"})
        assert results.content.decode().strip().startswith('<div id="results"')
        more = as_ani.get(URL, {"q": "pelanggan"}, headers=HX).content.decode().strip()
        assert more.startswith("<section")
        assert "HX-Request" in results["Vary"]

    def test_a_mark_without_scripts_leads_back_to_the_search(
        self, as_ani: Client, mine: list[Assignment]
    ) -> None:
        html = as_ani.get(URL, {"q": mine[0].record.username}).content.decode()
        action = f"/batches/customers/{mine[0].pk}/reach/?found={mine[0].record.username}"
        assert f'action="{action}"' in html
        answer = as_ani.post(action, {"reach": "ada"})
        assert answer["Location"].startswith(f"{URL}?q={mine[0].record.username}")
        assert answer["Location"].endswith(f"#row-{mine[0].pk}")

    @pytest.mark.parametrize("records", [1, 30])
    def test_it_costs_the_same_for_one_and_for_thirty(
        self,
        records: int,
        as_ani: Client,
        ani: User,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        factories.make_batch(staff=ani, records=records)
        as_ani.get(URL)
        # Session, user; the window's end and its matches; customers, their batches, attempts;
        # the line of the book.
        with django_assert_num_queries(8):
            assert len(found(as_ani, "pelanggan")) == records


class TestManyRecords:
    """Windows of a few records, so that a few are many."""

    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reports, "WINDOW", 5)
        monkeypatch.setattr(reports, "MOST_READ", 20)
        monkeypatch.setattr(reports, "PAGE", 4)

    @pytest.fixture
    def held(self, ani: User) -> list[Assignment]:
        for _batch in range(5):
            factories.make_batch(staff=ani, records=12)
        held = Assignment.objects.filter(staff=ani).select_related("record")
        return list(held.order_by("-database_id", "-record_id"))

    @pytest.fixture(params=["few", "many"])
    def _ids(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
        if request.param == "many":
            monkeypatch.setattr(reports.Identity, "ids", lambda _self, _records: None)

    def pages(self, ani: User, text: str) -> Iterator[reports.Found]:
        after = ""
        for _page in range(40):
            page = reports.search_customers(user=ani, text=text, after=after)
            yield page
            after = page.next
            if not after:
                return
        pytest.fail("it never ends")

    @pytest.mark.usefixtures("_ids")
    def test_pages_give_everybody_once_the_newest_first(
        self, ani: User, held: list[Assignment]
    ) -> None:
        seen = [pk for page in self.pages(ani, "pelanggan") for pk in page.record_ids]
        assert seen == [assignment.record_id for assignment in held]

    @pytest.mark.usefixtures("_ids")
    def test_the_last_one_is_found_too(self, ani: User, held: list[Assignment]) -> None:
        pages = list(self.pages(ani, held[-1].record.username))
        assert [pk for page in pages for pk in page.record_ids] == [held[-1].record_id]

    def test_a_page_that_gets_too_long_ends_early_and_says_so(
        self, ani: User, held: list[Assignment], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reports.Identity, "ids", lambda _self, _records: None)
        page = next(self.pages(ani, held[-1].record.username))
        assert page.is_part
        assert page.next
        assert page.batches == []
