"""The admins' list of databases."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client

from crm.kernel import clock
from databases.models import Database, Import
from tests import factories
from tests.conftest import HX
from tests.databases.helpers import make_import

URL = "/manage/databases/"


def names(page: str) -> list[str]:
    return re.findall(r'<a class="name" href="/manage/databases/\d+/"[^>]*>([^<]+)<', page)


@pytest.mark.django_db
class TestDatabaseList:
    def test_it_shows_what_each_holds(self, as_citra: Client, ani: Any) -> None:
        database = factories.make_database(records=20, attention=3, name="Deposit Jan")
        factories.make_batch(staff=ani, records=4, database=database)
        factories.make_pending(staff=ani, database=database, quantity=6)
        page = as_citra.get(URL).content.decode()
        row = page[page.index("Deposit Jan") :]
        row = re.sub(r"<[^>]+>", " ", row[: row.index("</tr>")]).split()
        assert [word for word in row if word.isdigit()][-5:] == ["23", "20", "10", "6", "4"]

    def test_imports_on_their_way_stand_on_top(self, as_citra: Client) -> None:
        factories.make_database(name="Lama")
        make_import(name="Baru", state="failed", problem="crashed")
        make_import(name="Selesai", state="done")
        page = as_citra.get(URL).content.decode()
        assert page.index("Baru") < page.index("Lama")
        assert "Failed" in page
        assert "Selesai" not in page

    def test_undone_ones_follow_while_their_file_is_kept(self, as_citra: Client) -> None:
        undone = make_import(name="Urung", state="undone")
        make_import(name="Lewat", state="undone", file="")
        make_import(name="Baru", uploaded_at=clock.now() - dt.timedelta(days=2))
        page = as_citra.get(URL).content.decode()
        assert page.index("Baru") < page.index("Urung")
        assert f"/manage/databases/imports/{undone.pk}/check/" in page
        assert "Undone" in page
        assert "Lewat" not in page

    def test_it_searches_and_filters_by_product(self, as_citra: Client) -> None:
        melati = factories.make_product(name="Melati")
        factories.make_database(name="Satu", product=melati)
        factories.make_database(name="Dua")
        assert names(as_citra.get(URL, {"product": melati.pk}).content.decode()) == ["Satu"]
        assert names(as_citra.get(URL, {"q": "mel"}).content.decode()) == ["Satu"]
        assert names(as_citra.get(URL, {"q": "du"}).content.decode()) == ["Dua"]
        assert "Nothing matches" in as_citra.get(URL, {"q": "zzz"}).content.decode()

    def test_databases_without_a_product_are_shown_as_unknown(self, as_citra: Client) -> None:
        database = factories.make_database(name="Migrasi")
        Database.objects.filter(pk=database.pk).update(product=None)
        page = as_citra.get(URL, {"product": "none"}).content.decode()
        assert names(page) == ["Migrasi"]
        assert "Unknown" in page

    def test_archived_ones_are_apart(self, as_citra: Client) -> None:
        factories.make_database(name="Kini")
        old = factories.make_database(name="Dulu")
        Database.objects.filter(pk=old.pk).update(archived_at=clock.now())
        assert names(as_citra.get(URL).content.decode()) == ["Kini"]
        assert names(as_citra.get(URL, {"show": "archived"}).content.decode()) == ["Dulu"]

    @pytest.mark.parametrize(
        ("sort", "direction", "first"),
        [
            ("name", "ascending", "Anggrek"),
            ("-name", "descending", "Zinnia"),
            ("-records", "descending", "Zinnia"),
            ("available", "ascending", "Anggrek"),
        ],
    )
    def test_headings_sort_and_say_so(
        self, as_citra: Client, sort: str, direction: str, first: str
    ) -> None:
        factories.make_database(name="Anggrek", records=1)
        factories.make_database(name="Zinnia", records=5)
        page = as_citra.get(URL, {"sort": sort}).content.decode()
        assert names(page)[0] == first
        assert page.count("aria-sort") == 1
        assert f'aria-sort="{direction}"' in page

    def test_pages_follow_each_other_without_gap_or_repeat(self, as_citra: Client) -> None:
        product = factories.make_product()
        for number in range(35):
            factories.make_database(name=f"D{number:02}", records=0, product=product)
        seen: list[str] = []
        url = f"{URL}?sort=-records"
        while url:
            page = as_citra.get(url).content.decode()
            seen += names(page)
            found = re.search(r'rel="next" href="([^"]+)"', page)
            url = URL + found[1].replace("&amp;", "&") if found else ""
        assert sorted(seen) == [f"D{number:02}" for number in range(35)]

    @pytest.mark.parametrize(
        "wrong", ["?after=xx", "?sort=password", "?product=1e9", "?product=99999999999999999999"]
    )
    def test_nonsense_in_the_address_is_no_error(self, as_citra: Client, wrong: str) -> None:
        factories.make_database(name="Ada")
        assert as_citra.get(URL + wrong).status_code == 200

    def test_an_empty_house_says_what_to_do(self, as_citra: Client) -> None:
        page = as_citra.get(URL).content.decode()
        assert "Upload a CSV or Excel file to start." in page

    def test_htmx_gets_the_list_alone(self, as_citra: Client) -> None:
        answer = as_citra.get(URL, headers=HX)
        assert answer.content.decode().lstrip().startswith("<section")
        assert "HX-Request" in answer["Vary"]

    def test_staff_do_not_see_it(self, as_ani: Client) -> None:
        assert as_ani.get(URL).status_code == 403

    @pytest.mark.parametrize("rows", [1, 30])
    def test_it_costs_the_same_for_any_number_of_rows(
        self, as_citra: Client, rows: int, django_assert_num_queries: Any
    ) -> None:
        for _ in range(rows):
            factories.make_database(records=1)
            make_import(state=Import.State.FAILED, problem="crashed")
        as_citra.get(URL)
        # session, user, badge, chips, page, imports, totals, archived count, products of the form
        with django_assert_num_queries(9):
            assert as_citra.get(URL).status_code == 200
