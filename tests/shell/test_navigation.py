"""What stands around every page, and what it costs."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests import factories
from tests.conftest import HX


def _current(html: str) -> list[str]:
    """Give where the entries marked as current lead."""
    return re.findall(r'<a href="([^"]*)" aria-current="page"', html)


class TestAdmin:
    @pytest.mark.parametrize(
        "name",
        ["databases:list", "manage_requests:queue", "activity", "products:list", "people:list"],
    )
    def test_the_sidebar_marks_where_one_is(self, as_citra: Client, name: str) -> None:
        assert _current(as_citra.get(reverse(name)).content.decode()) == [reverse(name)]

    def test_a_page_below_marks_its_entry_too(self, as_citra: Client) -> None:
        html = as_citra.get(reverse("databases:upload")).content.decode()
        assert _current(html) == [reverse("databases:list")]

    def test_requests_show_how_many_wait(self, as_citra: Client, ani: User) -> None:
        page = reverse("databases:list")
        assert 'class="pill"' not in as_citra.get(page).content.decode()
        database = factories.make_database(records=10)
        for _ in range(2):
            factories.make_pending(staff=ani, database=database, quantity=1)
        html = as_citra.get(page).content.decode()
        assert re.search(r'class="pill" aria-hidden="true">2</span>.*?2 waiting', html, re.S)

    def test_the_menu_signs_out_by_a_form(self, as_citra: Client) -> None:
        html = as_citra.get(reverse("databases:list")).content.decode()
        assert f'method="post" action="{reverse("accounts:signout")}"' in html


class TestStaff:
    @pytest.mark.parametrize("name", ["batches:list", "requests:mine", "more"])
    def test_the_tabs_mark_where_one_is(self, as_ani: Client, name: str) -> None:
        assert _current(as_ani.get(reverse(name)).content.decode()) == [reverse(name)]

    def test_staff_get_no_entry_of_the_admin(self, as_ani: Client) -> None:
        html = as_ani.get(reverse("more")).content.decode()
        assert "/manage/" not in html
        assert "/django-admin/" not in html


class TestCost:
    def test_the_navigation_of_staff_costs_no_query(
        self, as_ani: Client, django_assert_num_queries: object
    ) -> None:
        as_ani.get(reverse("more"))  # the first page writes when the session was seen
        with django_assert_num_queries(2):  # type: ignore[operator]  # session, user
            as_ani.get(reverse("more"))

    def test_a_fragment_counts_nothing(self, as_citra: Client, ani: User) -> None:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        page = reverse("databases:list")
        counted = 'FROM "assignments_recordrequest" WHERE "assignments_recordrequest"."status" = '
        with CaptureQueriesContext(connection) as whole:
            as_citra.get(page)
        with CaptureQueriesContext(connection) as part:
            as_citra.get(page, headers=HX)
        assert sum(counted in query["sql"] for query in whole) == 1
        assert sum(counted in query["sql"] for query in part) == 0


class TestTheme:
    def test_it_is_that_of_the_person(self, as_ani: Client, ani: User) -> None:
        User.objects.filter(pk=ani.pk).update(theme="dark")
        assert '<html lang="id" class="dark">' in as_ani.get(reverse("more")).content.decode()

    @pytest.mark.parametrize(
        ("cookie", "css"),
        [("dark", "dark"), ("light", "light"), ('"><b', "system"), ("", "system")],
    )
    def test_signed_out_it_is_that_of_the_cookie(
        self, client: Client, db: None, cookie: str, css: str
    ) -> None:
        client.cookies["theme"] = cookie
        html = client.get(reverse("accounts:signin")).content.decode()
        assert re.search(rf'<html lang="\w\w" class="{css}">', html)


class TestHome:
    def test_an_admin_lands_on_the_databases(self, as_citra: Client) -> None:
        assert as_citra.get("/")["Location"] == reverse("databases:list")

    def test_staff_land_on_their_batches(self, as_ani: Client) -> None:
        assert as_ani.get("/")["Location"] == reverse("batches:list")

    def test_signed_out_one_lands_on_sign_in(self, client: Client, db: None) -> None:
        assert client.get("/")["Location"].startswith(reverse("accounts:signin"))


class TestMore:
    def test_it_holds_profile_language_theme_and_sign_out(self, as_ani: Client) -> None:
        html = as_ani.get(reverse("more")).content.decode()
        for name in ("profile", "change_password", "set_language", "set_theme", "signout"):
            assert f'"{reverse(f"accounts:{name}")}"' in html

    def test_messages_are_in_the_page_for_those_without_javascript(self, as_ani: Client) -> None:
        html = as_ani.post(
            reverse("accounts:profile"),
            {"name": "Ani B", "language": "en", "theme": "light"},
            follow=True,
        ).content.decode()
        assert re.search(r'<div class="snack ok" role="status"', html)
