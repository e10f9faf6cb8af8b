"""The page of a database's columns: what a choice does, and hiding columns at once."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import Activity, User
from assignments.models import Assignment
from assignments.reports import columns as reports
from databases.models import Database, DatabaseChange, Record
from tests import factories
from tests.assignments.test_change_columns import choice, url
from tests.conftest import HX


@pytest.mark.django_db
class TestChoosing:
    @pytest.fixture
    def database(self, db: None) -> Database:
        return factories.make_database(records=3, attention=1)

    def test_it_shows_the_first_rows_and_writes_down_who_saw_them(
        self, database: Database, as_citra: Client
    ) -> None:
        html = as_citra.get(url(database)).content.decode()
        first = Record.objects.in_database(database.pk).get(row_number=2)
        assert first.name in html
        assert "Not a usable phone number" in html
        shown = Activity.objects.get(kind="records.shown")
        assert len(shown.details["records"]) == 4

    def test_a_choice_shows_what_it_does_before_anything_is_done(
        self, database: Database, as_citra: Client
    ) -> None:
        moved = ["username", "name", "sensitive", "phone", ""]
        for headers in ({}, HX):
            sent = choice(database, moved, shown="", show="1")
            answer = as_citra.post(url(database), sent, headers=headers)
            html = answer.content.decode()
            assert answer.status_code == 200
            assert "0 ready" in html
            assert "Of all 4 rows." in html
            assert "4 would need attention" in html
            assert ("<html" in html) == (headers == {})
        assert not DatabaseChange.objects.exists()
        database.refresh_from_db()
        assert database.roles == factories.ROLES

    def test_numbers_nobody_has_seen_are_shown_first(
        self, database: Database, as_citra: Client
    ) -> None:
        sent = choice(database, ["name", "username", "phone", "", "sensitive"], shown="")
        answer = as_citra.post(url(database), sent)
        assert answer.status_code == 422
        assert "Look at the numbers" in answer.content.decode()
        assert not DatabaseChange.objects.exists()

    def test_a_large_database_is_judged_by_its_first_rows(
        self, database: Database, as_citra: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reports, "SAMPLE", 2)
        sent = choice(database, ["", "name", "phone", "", ""], show="1")
        html = as_citra.post(url(database), sent).content.decode()
        assert "Of the first 2 of 4 rows." in html

    def test_one_column_for_each_role(self, database: Database, as_citra: Client) -> None:
        sent = choice(database, ["phone", "name", "phone", "", ""])
        answer = as_citra.post(url(database), sent, headers=HX)
        assert answer.status_code == 422
        html = answer.content.decode()
        assert "Only one column can be “Phone”." in html
        assert re.search(r'name="role0"[^>]*>(?:(?!</select>).)*value="phone" selected', html, re.S)

    def test_a_role_that_does_not_exist_is_refused(
        self, database: Database, as_citra: Client
    ) -> None:
        sent = choice(database, ["boss", "name", "phone", "", ""])
        assert as_citra.post(url(database), sent).status_code == 422

    def test_only_hiding_is_done_at_once(self, database: Database, as_citra: Client) -> None:
        sent = choice(database, ["username", "name", "phone", "sensitive", ""])
        answer = as_citra.post(url(database), sent)
        assert (answer.status_code, answer["Location"]) == (302, url(database, ""))
        database.refresh_from_db()
        assert (database.roles[3:], database.version) == (["sensitive", ""], 2)
        assert not DatabaseChange.objects.exists()

    def test_hiding_does_not_wait_for_the_records(
        self, database: Database, as_citra: Client
    ) -> None:
        as_citra.post(
            url(database), choice(database, ["name", "username", "phone", "ignore", "sensitive"])
        )
        database.refresh_from_db()
        assert database.roles == ["username", "name", "phone", "ignore", "sensitive"]
        assert DatabaseChange.objects.count() == 1

    def test_a_page_opened_before_somebody_saved_is_refused(
        self, database: Database, as_citra: Client
    ) -> None:
        sent = choice(database, ["name", "username", "phone", "", "sensitive"])
        Database.objects.filter(pk=database.pk).update(
            roles=["username", "name", "phone", "ignore", "sensitive"], version=2
        )
        answer = as_citra.post(url(database), sent, headers=HX)
        assert answer.status_code == 409
        html = answer.content.decode()
        assert "Somebody changed this database" in html
        assert "<dt>Kota</dt><dd>Ignore</dd>" in html
        assert 'name="version" value="2"' in html
        assert not DatabaseChange.objects.exists()

    @pytest.mark.parametrize("records", [1, 30])
    def test_it_asks_the_same_for_any_number_of_records(
        self, as_citra: Client, records: int, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        made = factories.make_database(records=records)
        as_citra.get(url(made))  # the first page of a session also writes that it was there
        # Session, user, database, its last change, its import, the rows, their cells, the line in
        # the book of acts, the badge of the requests.
        with django_assert_num_queries(9):
            as_citra.get(url(made))
        sent = choice(made, ["", "name", "phone", "username", ""], show="1")
        # Instead of the last two: the import and the rows once more, for the numbers.
        with django_assert_num_queries(9):
            as_citra.post(url(made), sent, headers=HX)


@pytest.mark.django_db
class TestHidingAtOnce:
    def test_an_open_batch_no_longer_carries_the_column(
        self, as_citra: Client, as_ani: Client, ani: User
    ) -> None:
        batch = factories.make_batch(staff=ani, records=3)
        database = batch.database
        assignment = Assignment.objects.filter(request=batch).earliest("pk")
        pages = [f"/batches/{batch.pk}/", f"/batches/{batch.pk}/?q=user"]
        pages.append(f"/batches/customers/{assignment.pk}/history/")
        marking = f"/batches/customers/{assignment.pk}/reach/"
        for page in pages[:2]:
            assert "Bekasi" in as_ani.get(page).content.decode()
        for role in ("sensitive", "ignore"):
            database.refresh_from_db()
            roles = ["username", "name", "phone", role, "sensitive"]
            as_citra.post(url(database), choice(database, roles))
            for page in pages:
                for headers in ({}, HX):
                    html = as_ani.get(page, headers=headers).content.decode()
                    assert "Bekasi" not in html
                    assert "RAHASIA" not in html
            answer = as_ani.post(marking, {"reach": "ada"}, headers=HX)
            assert answer.status_code == 200
            assert "Bekasi" not in answer.content.decode()
