"""One database: what is known of it, its rows with where they are, and finding some of them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import Activity, User
from assignments.models import Assignment
from crm.kernel import clock
from databases.models import Database, Import, Record
from tests import factories
from tests.conftest import HX
from tests.databases.helpers import make_import

pytestmark = pytest.mark.django_db


def url(database: Database, what: str = "") -> str:
    return f"/manage/databases/{database.pk}/{what}"


def row_numbers(page: str) -> list[int]:
    """Give the numbers of the rows that a page shows."""
    return [int(number) for number in re.findall(r'<tr id="row-(\d+)"', page)]


def shown(client: Client, database: Database, **asked: Any) -> list[int]:
    return row_numbers(client.get(url(database), asked, headers=HX).content.decode())


class TestThePage:
    def test_it_shows_facts_columns_and_rows(self, as_citra: Client) -> None:
        database = factories.make_database(records=3, attention=1, name="Deposit Jan")
        source = make_import(state=Import.State.DONE, database=database)
        page = as_citra.get(url(database)).content.decode()
        assert f"/manage/databases/imports/{source.pk}/report/" in page
        assert f"/manage/databases/{database.pk}/archive/" in page
        assert "RAHASIA0" in page  # admins see sensitive columns
        assert "never shown to staff" in page
        assert "Not a usable phone number" in page
        assert 'id="row-2"' in page

    def test_rows_come_a_page_at_a_time(self, as_citra: Client) -> None:
        database = factories.make_database(records=60)
        first = as_citra.get(url(database)).content.decode()
        assert row_numbers(first) == list(range(2, 52))
        following = re.search(r'rel="next" href="([^"]+)"', first)
        assert following
        second = as_citra.get(url(database) + following[1].replace("&amp;", "&"), headers=HX)
        assert row_numbers(second.content.decode()) == list(range(52, 62))

    def test_a_page_can_begin_anywhere(self, as_citra: Client) -> None:
        database = factories.make_database(records=5)
        assert shown(as_citra, database, after=4) == [5, 6]

    def test_each_row_says_where_it_is_since_when_and_with_which_marks(
        self, as_citra: Client, ani: User, budi: User
    ) -> None:
        database = factories.make_database(records=4, attention=1)
        factories.make_assignment(staff=ani, database=database, reach="ada", response="ya")
        factories.make_pending(staff=budi, database=database, quantity=1)
        page = as_citra.get(url(database), headers=HX).content.decode()
        rows = dict(zip(row_numbers(page), page.split('<tr id="row-')[1:], strict=True))
        assert "Assigned" in rows[2]
        assert "Ani" in rows[2]
        assert "just now" in rows[2]
        assert re.search(r'class="st ok".*?Ada</span>', rows[2], re.S)
        assert re.search(r'class="st ok".*?Ya</span>', rows[2], re.S)
        assert "Requested" in rows[3]
        assert "Budi" in rows[3]
        assert "Available" in rows[4]
        assert "Not a usable phone number" in rows[6]

    def test_a_row_that_needs_attention_may_be_somebodys_too(
        self, as_citra: Client, ani: User
    ) -> None:
        database = factories.make_database(records=1, attention=1)
        broken = Record.objects.needing_attention().get()
        Assignment.objects.create(
            record=broken,
            database=database,
            staff=ani,
            state=Assignment.State.ACTIVE,
            assigned_at=clock.now(),
        )
        page = as_citra.get(url(database), {"state": "attention"}, headers=HX).content.decode()
        assert "Not a usable phone number" in page
        assert "Ani" in page

    def test_a_long_cell_is_cut_and_can_be_opened(self, as_citra: Client) -> None:
        database = factories.make_database(records=1)
        long = "alamat " * 40
        record = Record.objects.get()
        record.cells[3] = long
        record.save()
        page = as_citra.get(url(database), headers=HX).content.decode()
        assert "<details" in page
        assert long in page

    def test_columns_staff_never_see_are_marked(self, as_citra: Client) -> None:
        roles = ["username", "name", "phone", "ignore", "sensitive"]
        database = factories.make_database(records=1, roles=roles)
        page = as_citra.get(url(database), headers=HX).content.decode()
        assert "ignored, never shown to staff" in page
        assert "sensitive, never shown to staff" in page
        assert page.count('<td class="num hid">') == 2

    def test_a_row_shorter_than_the_header_is_filled_up(self, as_citra: Client) -> None:
        database = factories.make_database(records=1)
        record = Record.objects.get()
        record.cells = record.cells[:2]
        record.save()
        page = as_citra.get(url(database), headers=HX).content.decode()
        assert page.count('<td class="num') == 5

    def test_an_archived_one_says_so(self, as_citra: Client, citra: User) -> None:
        database = factories.make_database(archived_at=clock.now(), archived_by=citra)
        page = as_citra.get(url(database)).content.decode()
        assert "Archived by Citra" in page
        assert "unarchive" in page

    def test_an_empty_one_says_so(self, as_citra: Client) -> None:
        database = factories.make_database(records=0)
        assert "This database has no rows" in as_citra.get(url(database)).content.decode()

    def test_an_unknown_or_deleted_one_is_not_there(self, as_citra: Client, citra: User) -> None:
        now = clock.now()
        gone = factories.make_database(
            archived_at=now, archived_by=citra, deleted_at=now, deleted_by=citra
        )
        for path in ("/manage/databases/999999/", url(gone), url(gone, "scan/?q=abc")):
            assert as_citra.get(path).status_code == 404

    def test_who_saw_which_rows_is_written_down(self, as_citra: Client, citra: User) -> None:
        database = factories.make_database(records=3)
        as_citra.get(url(database), {"after": 2})
        line = Activity.objects.get(kind="records.shown")
        seen = Record.objects.filter(row_number__gt=2).order_by("row_number")
        assert (line.actor, line.subject_id) == (citra, database.pk)
        assert line.details["records"] == list(seen.values_list("pk", flat=True))

    @pytest.mark.parametrize("rows", [1, 30])
    def test_it_costs_the_same_for_any_number_of_rows(
        self, as_citra: Client, ani: User, rows: int, django_assert_num_queries: Any
    ) -> None:
        database = factories.make_database(records=rows * 2)
        factories.make_batch(staff=ani, database=database, records=rows)
        as_citra.get(url(database))
        # session, user, badge, database, rows, holders of the rows, batches, requests, import,
        # change, book
        with django_assert_num_queries(11):
            as_citra.get(url(database))


class TestFilters:
    @pytest.fixture
    def database(self, ani: User, budi: User) -> Database:
        """Rows 2-4 Ani's (Ada; Tidak and Ya; nothing), 5-6 held for Budi, 7-9 free, 10 broken."""
        database = factories.make_database(records=8, attention=1)
        factories.make_assignment(staff=ani, database=database, reach="ada")
        factories.make_assignment(staff=ani, database=database, reach="tidak", response="ya")
        factories.make_assignment(staff=ani, database=database)
        factories.make_pending(staff=budi, database=database, quantity=2)
        return database

    @pytest.mark.parametrize(
        ("asked", "rows"),
        [
            ({}, [2, 3, 4, 5, 6, 7, 8, 9, 10]),
            ({"state": "available"}, [7, 8, 9]),
            ({"state": "requested"}, [5, 6]),
            ({"state": "assigned"}, [2, 3, 4]),
            ({"state": "attention"}, [10]),
            ({"state": "attention", "reason": "invalid_phone"}, [10]),
            ({"reason": "missing_phone"}, []),
            ({"reach": "ada"}, [2]),
            ({"reach": "none"}, [4]),
            ({"response": "ya"}, [3]),
            ({"response": "none", "state": "assigned"}, [2, 4]),
            ({"reach": "tidak", "response": "ya"}, [3]),
            ({"reach": "ada", "response": "ya"}, []),
            ({"state": "available", "reach": "ada"}, []),
            ({"state": "what", "reach": "what", "staff": "x", "after": "y"}, list(range(2, 11))),
        ],
    )
    def test_they_show_what_they_say(
        self, as_citra: Client, database: Database, asked: dict[str, str], rows: list[int]
    ) -> None:
        assert shown(as_citra, database, **asked) == rows

    @pytest.mark.parametrize(
        ("asked", "rows"),
        [({"state": "available"}, [7, 8, 9]), ({"reach": "none"}, [4]), ({"staff": 1}, [2, 3, 4])],
    )
    def test_they_show_the_same_where_the_rows_lie_far_apart(
        self,
        as_citra: Client,
        ani: User,
        database: Database,
        asked: dict[str, Any],
        rows: list[int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        asked |= {"staff": ani.pk} if "staff" in asked else {}
        monkeypatch.setattr("assignments.reports.row_search.WINDOW", 1)
        assert shown(as_citra, database, **asked) == rows
        monkeypatch.setattr("assignments.reports.row_search.FEW", 0)
        monkeypatch.setattr("assignments.reports.database_rows.FEW", 0)
        assert shown(as_citra, database, **asked) == rows

    def test_a_page_that_would_read_too_much_ends_early_and_says_so(
        self, as_citra: Client, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in {"WINDOW": 1, "FEW": 0, "MOST_READ": 6}.items():
            monkeypatch.setattr(f"assignments.reports.row_search.{name}", value)
        monkeypatch.setattr("assignments.reports.database_rows.FEW", 0)
        page = as_citra.get(url(database), {"state": "available"}, headers=HX).content.decode()
        assert row_numbers(page) == []
        assert "Nothing up to row 6" in page
        assert shown(as_citra, database, state="available", after=6) == [7, 8, 9]

    def test_holders_are_offered_with_what_they_hold(
        self, as_citra: Client, database: Database, ani: User, budi: User
    ) -> None:
        page = as_citra.get(url(database)).content.decode()
        assert f'<option value="{ani.pk}">Ani (3)</option>' in page
        assert f'<option value="{budi.pk}">Budi (2)</option>' in page
        assert shown(as_citra, database, staff=budi.pk) == [5, 6]
        assert shown(as_citra, database, staff=ani.pk, reach="ada") == [2]

    def test_marks_are_counted_in_the_chosen_hands(
        self, as_citra: Client, database: Database, budi: User
    ) -> None:
        page = as_citra.get(url(database), {"reach": "ada"}).content.decode()
        assert '<option value="ada" selected>Ada (1)</option>' in page
        page = as_citra.get(url(database), {"staff": budi.pk}).content.decode()
        assert '<option value="ada">Ada (0)</option>' in page

    def test_the_chips_carry_the_counts_and_the_address(
        self, as_citra: Client, database: Database
    ) -> None:
        page = as_citra.get(url(database), {"state": "assigned", "reach": "ada"}).content.decode()
        chips = re.findall(
            r'class="chip[^>]*href="([^"]*)"[^>]*>.*?<span>(\w[\w ]*)</span>.*?count">(\d+)',
            page,
            re.S,
        )
        assert [(label, int(count)) for _href, label, count in chips] == [
            ("All", 9),
            ("Available", 3),
            ("Requested", 2),
            ("Assigned", 3),
            ("Needs attention", 1),
        ]
        assert chips[1][0] == "?state=available"  # what is on the shelf has no marks
        assert "Clear all" in page

    def test_a_released_record_is_nobodys(self, as_citra: Client, ani: User) -> None:
        database = factories.make_database(records=1)
        given = factories.make_assignment(staff=ani, database=database, reach="ada")
        Assignment.objects.filter(pk=given.pk).update(
            state="released", released_at=clock.now(), released_by=ani
        )
        page = as_citra.get(url(database), headers=HX).content.decode()
        assert "Ani" not in page
        assert shown(as_citra, database, reach="ada") == []


class TestSearch:
    @pytest.fixture
    def database(self) -> Database:
        database = factories.make_database(records=4)
        for row, (username, name, phone) in enumerate(
            [
                ("siti_01", "Siti Aminah", "6281234567890"),
                ("siti99", "Budi Santoso", "6281234567891"),
                ("joko9", "Rina Sitinjak", "6581255501"),
                ("x%y", "Straße Ünal", ""),
            ],
            start=2,
        ):
            keys = {"username_key": username, "name_key": name.casefold()}
            cells = [username, name, phone, "Jl. Melati", "50% off_x" if row == 5 else "aa"]
            Record.objects.filter(database=database, row_number=row).update(
                username=username, name=name, phone=phone, cells=cells, **keys
            )
        return database

    @pytest.mark.parametrize(
        ("text", "rows"),
        [
            ("siti", [2, 3, 4]),  # the beginning of usernames, and inside names
            ("SITI", [2, 3, 4]),
            ("siti99", [3]),
            ("siti_", [2]),
            ("ti_01", []),  # not the beginning of a username
            ("santo", [3]),
            ("joko9", [4]),
            ("0812-3456-7890", [2]),
            ("+62 812 3456 7890", [2]),
            ("https://wa.me/6281234567890?text=x", [2]),
            ("08123456789", [2, 3]),
            ("812345", [2, 3]),
            ("0812", []),  # too little of a number
            ("+6581255501", [4]),
            ("x%y", [5]),
            ("%%%", []),
            ("___", []),
            ("strasse", [5]),
            ("STRASSE ü", [5]),
            ("xy", []),
            ("'; DROP", []),
        ],
    )
    def test_it_finds_usernames_names_and_phones(
        self, as_citra: Client, database: Database, text: str, rows: list[int]
    ) -> None:
        assert shown(as_citra, database, q=text) == rows

    @pytest.mark.parametrize("text", ["siti", "0812345", "siti_", "joko9", "rina", "STRASSE"])
    def test_it_finds_the_same_by_its_indexes(
        self,
        as_citra: Client,
        database: Database,
        text: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        by_reading = shown(as_citra, database, q=text)
        monkeypatch.setattr("assignments.reports.row_search.WINDOW", 0)
        assert shown(as_citra, database, q=text) == by_reading != []
        monkeypatch.setattr("assignments.reports.row_search.WINDOW", 1)
        monkeypatch.setattr("assignments.reports.row_search.FEW", 0)
        assert shown(as_citra, database, q=text) == by_reading

    def test_it_stays_in_its_database(self, as_citra: Client, database: Database) -> None:
        other = factories.make_database(records=1)
        assert shown(as_citra, other, q="siti") == []

    def test_it_goes_with_the_filters(
        self, as_citra: Client, database: Database, ani: User
    ) -> None:
        factories.make_batch(staff=ani, database=database, records=1)
        assert shown(as_citra, database, q="siti", state="assigned") == [2]
        assert shown(as_citra, database, q="siti", staff=ani.pk) == [2]
        assert shown(as_citra, database, q="siti", state="available") == [3, 4]

    def test_too_short_a_name_is_explained(self, as_citra: Client, database: Database) -> None:
        page = as_citra.get(url(database), {"q": "si"}, headers=HX).content.decode()
        assert "from three letters on" in page

    def test_nobody_found_says_so_and_offers_a_way_out(
        self, as_citra: Client, database: Database
    ) -> None:
        page = as_citra.get(url(database), {"q": "tidak ada"}, headers=HX).content.decode()
        assert "No username, name or phone fits the search" in page
        assert f'href="{url(database)}"' in page

    def test_what_was_found_is_marked(self, as_citra: Client, database: Database) -> None:
        page = as_citra.get(url(database), {"q": "santo"}, headers=HX).content.decode()
        assert "<mark>Santo</mark>" in page

    def test_hostile_text_is_only_text(self, as_citra: Client, database: Database) -> None:
        page = as_citra.get(url(database), {"q": "<script>x"}).content.decode()
        assert "<script>x" not in page
        assert as_citra.get(url(database), {"q": "\x00abc\x00" + "a" * 9000}).status_code == 200
