"""Choosing a password, and using one that an admin gave."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client

from accounts import services
from accounts.models import Activity, User
from crm.kernel import clock
from tests import factories

pytestmark = pytest.mark.django_db
URL = "/profile/password/"
OLD, NEW = "rumah-di-bukit-9", "kapal di laut biru"


@pytest.fixture
def dewi(db: None) -> User:
    return factories.make_user(name="Dewi Anggraini", email="dewi@example.com", password=OLD)


@pytest.fixture
def as_dewi(dewi: User) -> Client:
    client = Client()
    client.force_login(dewi)
    return client


def _change(client: Client, new: str = NEW, old: str = OLD):  # type: ignore[no-untyped-def]
    return client.post(URL, {"old_password": old, "new_password": new})


class TestChangePassword:
    def test_it_keeps_this_session_and_ends_the_others(self, as_dewi: Client, dewi: User) -> None:
        other = Client()
        other.force_login(dewi)
        assert _change(as_dewi).status_code == 302
        assert as_dewi.get(URL).status_code == 200
        assert other.get(URL).status_code == 302
        dewi.refresh_from_db()
        assert dewi.check_password(NEW)
        assert Activity.objects.get(kind="user.password_changed").actor == dewi

    def test_it_needs_the_old_one(self, as_dewi: Client, dewi: User) -> None:
        answer = _change(as_dewi, old="not-this-one")
        assert answer.status_code == 422
        assert "old_password" in answer.context["form"].errors
        dewi.refresh_from_db()
        assert dewi.check_password(OLD)

    def test_guessing_the_old_one_is_throttled_like_signing_in(self, as_dewi: Client) -> None:
        for turn in range(10):
            assert _change(as_dewi, old=f"wrong-{turn}").status_code == 422
        answer = _change(as_dewi)
        assert answer.status_code == 429
        assert int(answer["Retry-After"]) > 0

    @pytest.mark.parametrize(
        "weak",
        ["short-9!", "password123", "dewianggraini", "Dewi1234567", "anggraini-2026!", OLD],
    )
    def test_it_refuses_what_is_easily_guessed(self, as_dewi: Client, weak: str) -> None:
        answer = _change(as_dewi, weak)
        assert answer.status_code == 422
        assert answer.context["form"].errors["new_password"]

    @pytest.mark.parametrize(
        "fine",
        [
            "7093416258",
            "ayam " * 25,
            " spasi di ujung ",
            "hujan turun lagi kata dewi",
            "密码密码密码密码密码",
        ],
    )
    def test_it_asks_for_no_composition_and_keeps_every_character(
        self, as_dewi: Client, dewi: User, fine: str
    ) -> None:
        assert _change(as_dewi, fine).status_code == 302
        dewi.refresh_from_db()
        assert dewi.check_password(fine)

    def test_a_page_never_repeats_what_was_typed(self, as_dewi: Client) -> None:
        assert "short-9!" not in _change(as_dewi, "short-9!").content.decode()


class TestGivenPassword:
    def _given(self, citra: User) -> tuple[User, str]:
        given = services.create_user(email="eko@example.com", name="Eko", role="staff", by=citra)
        return given.user, given.password

    def _sign_in(self, password: str):  # type: ignore[no-untyped-def]
        client = Client()
        return client, client.post("/signin/", {"email": "eko@example.com", "password": password})

    def test_it_is_random_and_long(self, citra: User) -> None:
        _user, one = self._given(citra)
        other = services.create_user(email="x@example.com", name="X", role="staff", by=citra)
        assert one != other.password
        assert len(one) >= 16

    def test_it_opens_only_the_page_where_one_chooses_ones_own(self, citra: User) -> None:
        _user, password = self._given(citra)
        client, answer = self._sign_in(password)
        assert answer.status_code == 302
        for page in ("/", "/batches/", "/profile/"):
            assert client.get(page)["Location"] == URL
        by_htmx = client.get("/batches/", headers={"HX-Request": "true"})
        assert by_htmx["HX-Redirect"] == URL
        assert client.get(URL).status_code == 200
        assert _change(client, old=password).status_code == 302
        assert client.get("/batches/").status_code == 200

    def test_it_is_no_longer_good_after_72_hours(
        self, citra: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _user, password = self._given(citra)
        later = clock.now() + dt.timedelta(hours=72, minutes=1)
        monkeypatch.setattr(clock, "now", lambda: later)
        client, answer = self._sign_in(password)
        assert answer.status_code == 422
        assert answer.context["expired"]
        assert client.get("/profile/").status_code == 302
        assert Activity.objects.latest("pk").details["why"] == "expired"

    def test_used_in_time_it_becomes_an_ordinary_one(
        self, citra: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user, password = self._given(citra)
        client, _answer = self._sign_in(password)
        _change(client, old=password)
        user.refresh_from_db()
        assert (user.must_change_password, user.password_expires_at) == (False, None)
