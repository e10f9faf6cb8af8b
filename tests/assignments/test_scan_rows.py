"""Searching all cells of a database: bounded steps, this database only, stopped at will."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from accounts.models import Activity, User
from databases.models import Database, Record
from tests import factories
from tests.assignments.test_database_detail import row_numbers, url
from tests.conftest import HX

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four rows a step, whatever the machine does in its time."""
    monkeypatch.setattr("assignments.reports.row_search.STEP_LEAST", 4)
    monkeypatch.setattr("assignments.reports.row_search.STEP_MOST", 4)


@pytest.fixture
def database() -> Database:
    """Rows 2 to 21; Kota is Bekasi but in row 20, where it is "Kab. 100%_Sukses"."""
    database = factories.make_database(records=20)
    odd = Record.objects.get(row_number=20)
    odd.cells[3] = "Kab. 100%_Sukses\nSelatan"
    odd.save()
    return database


def scan(client: Client, database: Database, **asked: Any) -> str:
    return client.get(url(database, "scan/"), asked, headers=HX).content.decode()


def following(page: str) -> str:
    """Give the query of the step that a step asks for by itself."""
    found = re.search(r'data-hx-get="[^"?]*(\?[^"]+)" data-hx-trigger="load', page)
    assert found
    return found[1].replace("&amp;", "&")


def test_the_page_of_a_search_starts_it_and_offers_it_without_a_script(
    as_citra: Client, database: Database
) -> None:
    page = as_citra.get(url(database), {"q": "kab.", "state": "available"}).content.decode()
    address = escape(url(database, "scan/?q=kab.&state=available"))
    assert f'data-hx-get="{address}" data-hx-trigger="load' in page
    assert f'href="{address}"' in page
    assert "scan/" not in as_citra.get(url(database)).content.decode()


def test_a_step_reads_no_more_than_its_rows_and_asks_for_the_next(
    as_citra: Client, database: Database
) -> None:
    page = scan(as_citra, database, q="sukses")
    assert row_numbers(page) == []
    assert "Searching…" in page
    assert "4 of 21 rows" in page
    assert "Stop" in page
    assert "after=4" in following(page)


def test_steps_lead_to_the_end_and_find_what_is_there(as_citra: Client, database: Database) -> None:
    query, rows = "?q=sukses", []
    for _step in range(5):
        page = as_citra.get(url(database, "scan/") + query, headers=HX).content.decode()
        rows += row_numbers(page)
        query = following(page)
    page = as_citra.get(url(database, "scan/") + query, headers=HX).content.decode()
    assert rows == [20]
    assert "every row was looked at" in page
    assert "load" not in page


def test_it_stops_when_asked_and_can_go_on(as_citra: Client, database: Database) -> None:
    page = scan(as_citra, database, q="sukses", after=8, stop=1)
    assert "Search on" in page
    assert "8 of 21 rows" in page
    assert "load delay" not in page
    assert not Activity.objects.filter(kind="records.shown").exists()


def test_a_full_page_ends_it(
    as_citra: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assignments.reports.database_rows.ROWS_SIZE", 3)
    page = scan(as_citra, database, q="bekasi", found=1)
    assert row_numbers(page) == [2, 3]
    assert "Search on" in page
    assert "load delay" not in page
    on = re.search(r'id="scan-go"[^>]*href="[^"]*after=(\d+)', page)
    assert on
    assert on[1] == "3"
    assert "3 found" in page
    assert row_numbers(scan(as_citra, database, q="bekasi", after=3, found=3)) == [4, 5, 6]


def test_without_a_script_it_goes_on_by_links(as_citra: Client, database: Database) -> None:
    page = as_citra.get(url(database, "scan/"), {"q": "sukses"}).content.decode()
    assert "<h1" in page
    assert row_numbers(page) == [20]
    other = as_citra.get(url(database, "scan/"), {"q": "nirgends"}).content.decode()
    assert "every row was looked at" in other


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("100%_suk", [20]),
        ("SELATAN", [20]),
        ("1__%", []),
        ("%", [20]),
        ("_", [20]),
        ("\\", []),
        ("kab. bekasi", []),
        ("kota", []),
    ],
)
def test_it_takes_every_character_for_itself(
    as_citra: Client, database: Database, text: str, rows: list[int]
) -> None:
    assert row_numbers(scan(as_citra, database, q=text, after=17)) == rows


def test_it_finds_the_end_of_a_phone_number(as_citra: Client, database: Database) -> None:
    record = Record.objects.get(row_number=3)
    record.phone = "6281299987654"
    record.save()
    assert row_numbers(scan(as_citra, database, q="9998-7654")) == [3]


def test_whom_the_search_found_already_is_not_shown_twice(
    as_citra: Client, database: Database
) -> None:
    Record.objects.filter(row_number=3).update(name="Bekasi Raya", name_key="bekasi raya")
    assert row_numbers(scan(as_citra, database, q="bekasi")) == [2, 4]


def test_it_keeps_to_its_database_and_the_filters(
    as_citra: Client, database: Database, ani: User
) -> None:
    other = factories.make_database(records=3, columns=["A"], roles=[""])
    assert row_numbers(scan(as_citra, other, q="bekasi")) == []
    factories.make_batch(staff=ani, database=database, records=1)
    assert row_numbers(scan(as_citra, database, q="bekasi", state="assigned")) == [2]
    assert row_numbers(scan(as_citra, database, q="bekasi", state="available")) == [3, 4]


def test_what_it_shows_is_written_down(as_citra: Client, database: Database, citra: User) -> None:
    scan(as_citra, database, q="bekasi")
    line = Activity.objects.get(kind="records.shown")
    seen = Record.objects.filter(row_number__in=[2, 3, 4]).order_by("row_number")
    assert (line.actor, line.subject_id) == (citra, database.pk)
    assert line.details["records"] == list(seen.values_list("pk", flat=True))


def test_without_a_text_nothing_is_read(as_citra: Client, database: Database) -> None:
    assert row_numbers(scan(as_citra, database)) == []


@pytest.mark.parametrize("rows", [1, 30])
def test_a_step_costs_the_same_for_any_number_of_rows(
    as_citra: Client,
    rows: int,
    django_assert_num_queries: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("assignments.reports.row_search.STEP_MOST", 100)
    database = factories.make_database(records=rows)
    scan(as_citra, database, q="bekasi", rows=100)
    # session, user, database, last row, rows, holders, book
    with django_assert_num_queries(7):
        scan(as_citra, database, q="bekasi", rows=100)
