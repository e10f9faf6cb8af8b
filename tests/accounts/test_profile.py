"""What people say about themselves: name, language, theme."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Activity, User

pytestmark = pytest.mark.django_db
URL = "/profile/"


class TestProfile:
    def test_it_saves_and_writes_one_line(self, as_ani: Client, ani: User) -> None:
        form = {"name": "  Ani  Putri ", "language": "en", "theme": "dark", "version": 1}
        form["shortcuts"] = "on"
        assert as_ani.post(URL, form).status_code == 302
        ani.refresh_from_db()
        assert (ani.name, ani.language, ani.theme) == ("Ani Putri", "en", "dark")
        act = Activity.objects.get()
        assert act.kind == "profile.changed"
        assert act.details["changes"]["name"] == ["Ani", "Ani Putri"]
        assert 'class="dark"' in as_ani.get(URL).content.decode()

    def test_a_refused_form_keeps_what_was_typed(self, as_ani: Client, ani: User) -> None:
        answer = as_ani.post(URL, {"name": " ", "language": "en", "theme": "dark", "version": 1})
        assert answer.status_code == 422
        assert '<option value="dark" selected>' in answer.content.decode()
        ani.refresh_from_db()
        assert ani.name == "Ani"

    def test_a_stale_page_is_told_what_stands_now(self, as_ani: Client, ani: User) -> None:
        ani.language = "en"
        ani.save()
        User.objects.filter(pk=ani.pk).update(name="Ani Lestari", version=2)
        form = {"name": "Ani Putri", "language": "en", "theme": "", "version": 1}
        answer = as_ani.post(URL, form | {"theme": "dark"})
        shown = answer.content.decode()
        assert answer.status_code == 409
        assert "Saved now: Ani Lestari" in shown
        assert 'value="Ani Putri"' in shown
        ani.refresh_from_db()
        assert ani.name == "Ani Lestari"
        assert as_ani.post(URL, form | {"theme": "dark", "version": 2}).status_code == 302

    def test_single_keys_can_be_switched_off(self, as_ani: Client, ani: User) -> None:
        shown = as_ani.get(URL).content.decode()
        assert 'id="keys"' in shown
        assert "nokeys" not in shown
        form = {"name": "Ani", "language": "en", "theme": "light", "version": 1}
        as_ani.post(URL, form)
        ani.refresh_from_db()
        assert ani.shortcuts is False
        shown = as_ani.get(URL).content.decode()
        assert 'class="light nokeys"' in shown
        assert 'id="keys"' not in shown
        as_ani.post(URL, form | {"shortcuts": "on", "version": 2})
        ani.refresh_from_db()
        assert ani.shortcuts is True

    def test_nothing_else_can_be_set(self, as_ani: Client, ani: User) -> None:
        before = User.objects.filter(pk=ani.pk).values().get()
        extra = {
            "email": "x@example.com",
            "role": "admin",
            "is_active": "",
            "is_staff": "1",
            "is_superuser": "1",
            "password": "x",
            "must_change_password": "1",
            "session_epoch": "9",
            "id": "1",
            "pk": "1",
        }
        form = {"name": "Ani", "language": "", "theme": "light", "version": ani.version}
        form["shortcuts"] = "on"
        as_ani.post(URL, form | extra)
        after = User.objects.filter(pk=ani.pk).values().get()
        assert {k for k in after if after[k] != before[k]} == {"theme", "version"}
        assert after["version"] == before["version"] + 1


class TestLanguage:
    def test_staff_read_indonesian_and_admins_what_their_browser_says(
        self, as_ani: Client, as_citra: Client
    ) -> None:
        english = {"Accept-Language": "en"}
        assert as_ani.get(URL, headers=english)["Content-Language"] == "id"
        assert as_citra.get(URL, headers=english)["Content-Language"] == "en"
        assert as_citra.get(URL, headers={"Accept-Language": "id"})["Content-Language"] == "id"

    def test_ones_own_choice_wins(self, as_ani: Client) -> None:
        answer = as_ani.post("/language/", {"language": "en", "next": "/batches/"})
        assert answer["Location"] == "/batches/"
        assert as_ani.get(URL)["Content-Language"] == "en"

    def test_before_signing_in_a_cookie_remembers(self, ani: User) -> None:
        client = Client()
        answer = client.post("/language/", {"language": "en", "next": "/signin/?next=/profile/"})
        assert answer["Location"] == "/signin/?next=/profile/"
        assert client.get("/signin/", headers={"Accept-Language": "id"})["Content-Language"] == "en"
        client.force_login(ani)
        assert client.get(URL)["Content-Language"] == "en"

    @pytest.mark.parametrize("language", ["", "fr", "../../etc"])
    def test_an_unknown_language_changes_nothing(self, as_ani: Client, language: str) -> None:
        assert as_ani.post("/language/", {"language": language}).status_code == 302
        assert as_ani.get(URL)["Content-Language"] == "id"


class TestTheme:
    def test_it_is_remembered_for_the_person_and_for_the_sign_in_page(
        self, as_ani: Client, ani: User
    ) -> None:
        as_ani.post("/theme/", {"theme": "dark", "next": "/profile/"})
        ani.refresh_from_db()
        assert ani.theme == "dark"
        as_ani.post("/signout/")
        assert 'class="dark"' in as_ani.get("/signin/").content.decode()

    def test_an_unknown_theme_changes_nothing(self, as_ani: Client, ani: User) -> None:
        as_ani.post("/theme/", {"theme": "pink"})
        ani.refresh_from_db()
        assert ani.theme == "system"
