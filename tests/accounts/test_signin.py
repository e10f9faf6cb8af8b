"""Signing in: the right password, the wrong one, and too many of them."""

from __future__ import annotations

import datetime as dt
import threading
import time

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts import signin
from accounts.models import Activity, User
from crm.kernel import clock
from tests import factories

pytestmark = pytest.mark.django_db
URL = "/signin/"
RIGHT = "rumah-di-bukit-9"


@pytest.fixture
def dewi(db: None) -> User:
    return factories.make_user(name="Dewi", email="dewi@example.com", password=RIGHT)


def _try(email: str = "dewi@example.com", password: str = RIGHT, **more: object):  # type: ignore[no-untyped-def]
    return Client().post(URL, {"email": email, "password": password}, **more)


def _kinds() -> list[str]:
    return list(Activity.objects.order_by("pk").values_list("kind", flat=True))


class TestTheRightPassword:
    def test_it_opens_the_door_whatever_the_case_of_the_email(self, dewi: User) -> None:
        for email in ("dewi@example.com", " DEWI@Example.COM "):
            answer = _try(email)
            assert (answer.status_code, answer["Location"]) == (302, "/")
        assert _kinds() == ["signin.ok", "signin.ok"]
        act = Activity.objects.earliest("pk")
        assert (act.actor, act.address) == (dewi, "127.0.0.1")
        assert act.request_id

    def test_session_and_token_are_new_ones(self, dewi: User) -> None:
        client = Client(enforce_csrf_checks=True)
        page = client.get(URL)
        token = client.cookies["csrftoken"].value
        session = client.session  # one set before signing in, as an attacker would
        session["planted"] = 1
        session.save()
        client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
        form = {"email": dewi.email, "password": RIGHT}
        client.post(URL, form | {"csrfmiddlewaretoken": str(page.context["csrf_token"])})
        assert client.cookies[settings.SESSION_COOKIE_NAME].value != session.session_key
        assert client.cookies["csrftoken"].value != token
        stolen = Client()
        stolen.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
        assert stolen.get("/profile/").status_code == 302

    @pytest.mark.parametrize(
        ("wanted", "goes"),
        [
            ("/profile/", "/profile/"),
            ("/batches/?q=a", "/batches/?q=a"),
            ("https://elsewhere.example/", "/"),
            ("//elsewhere.example/", "/"),
            ("\\\\elsewhere.example", "/"),
            ("javascript:alert(1)", "/"),
            ("/no-such-page/", "/"),
            ("/manage/people/", "/"),  # a page they would be refused
            ("/signin\r\nX: y", "/"),
        ],
    )
    def test_next_stays_on_the_site_and_on_pages_that_are_theirs(
        self, dewi: User, wanted: str, goes: str
    ) -> None:
        answer = Client().post(URL, {"email": dewi.email, "password": RIGHT, "next": wanted})
        assert answer["Location"] == goes

    def test_somebody_signed_in_is_sent_on(self, as_ani: Client) -> None:
        assert as_ani.get(URL)["Location"] == "/"
        assert as_ani.get(URL + "?next=https://elsewhere.example/")["Location"] == "/"


class TestTheWrongPassword:
    def test_unknown_wrong_and_inactive_are_told_the_same(self, dewi: User) -> None:
        factories.make_user(email="gone@example.com", password=RIGHT)
        User.objects.filter(email="gone@example.com").update(is_active=False)
        answers = [
            _try(password="not-this-one"),
            _try("nobody@example.com"),
            _try("gone@example.com"),
        ]
        assert [answer.status_code for answer in answers] == [422, 422, 422]
        texts = [
            answer.content.decode()
            .replace(answer.context["form"].data["email"], "…")
            .split("<main")[1]
            for answer in answers
        ]
        texts = [_without_token(text) for text in texts]
        assert texts[0] == texts[1] == texts[2]
        assert _kinds() == ["signin.failed"] * 3
        assert [act.actor for act in Activity.objects.all()] == [None] * 3

    def test_what_was_typed_stays_but_not_the_password(self, dewi: User) -> None:
        page = _try(password="not-this-one").content.decode()
        assert 'value="dewi@example.com"' in page
        assert "not-this-one" not in page

    def test_unknown_takes_as_long_as_wrong(self, dewi: User) -> None:
        quick, slow = "django.contrib.auth.hashers.MD5PasswordHasher", None
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(settings, "PASSWORD_HASHERS", [_argon2()])
            _reset_hashers()
            slow = make_password(RIGHT)
            User.objects.filter(pk=dewi.pk).update(password=slow)
            times = {email: _median_time(email) for email in (dewi.email, "nobody@example.com")}
        _reset_hashers()
        assert quick not in (slow or "")
        low, high = sorted(times.values())
        assert high / low < 3

    def test_passwords_are_kept_with_argon2(self) -> None:
        assert settings.PASSWORD_HASHERS[-1] == _argon2()
        assert Argon2PasswordHasher().encode("x", "somesalt").startswith("argon2$argon2id$")


def _argon2() -> str:
    return "django.contrib.auth.hashers.Argon2PasswordHasher"


def _reset_hashers() -> None:
    from django.contrib.auth import hashers

    hashers.get_hashers.cache_clear()
    hashers.get_hashers_by_algorithm.cache_clear()


def _median_time(email: str) -> float:
    taken = []
    for _turn in range(5):
        start = time.perf_counter()
        _try(email, "not-this-one")
        taken.append(time.perf_counter() - start)
    return sorted(taken)[2]


def _without_token(html: str) -> str:
    import re

    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", html)


class TestTooManyWrongOnes:
    def _exhaust(self, email: str = "dewi@example.com") -> None:
        for turn in range(settings.AXES_FAILURE_LIMIT):
            assert _try(email, f"wrong-{turn}").status_code == 422

    def test_after_ten_even_the_right_one_is_refused(self, dewi: User) -> None:
        self._exhaust()
        answer = _try()
        assert answer.status_code == 429
        assert 0 < int(answer["Retry-After"]) <= 15 * 60
        assert "15 minutes" in answer.content.decode()
        assert _kinds() == ["signin.failed"] * 10 + ["signin.throttled"]

    def test_it_is_said_in_the_readers_language(self, dewi: User) -> None:
        self._exhaust()
        answer = _try(headers={"Accept-Language": "id"})
        assert answer["Content-Language"] == "id"

    def test_spellings_of_one_email_are_one_account(self, dewi: User) -> None:
        for turn in range(settings.AXES_FAILURE_LIMIT):
            _try(["dewi@example.com", " DEWI@example.com", "Dewi@EXAMPLE.com"][turn % 3], "wrong")
        assert _try().status_code == 429

    def test_an_unknown_account_is_throttled_alike(self) -> None:
        self._exhaust("nobody@example.com")
        assert _try("nobody@example.com").status_code == 429

    def test_a_lie_about_the_address_or_the_browser_gives_no_new_tries(self, dewi: User) -> None:
        for turn in range(settings.AXES_FAILURE_LIMIT):
            lies = {"X-Forwarded-For": f"10.0.0.{turn}", "X-Real-IP": "10.1.1.1"}
            _try(password="wrong", headers=lies | {"User-Agent": f"browser {turn}"})
        assert _try().status_code == 429
        addresses = Activity.objects.values_list("address", flat=True).distinct()
        assert list(addresses) == ["127.0.0.1"]

    def test_others_behind_the_same_address_come_in(self, dewi: User) -> None:
        self._exhaust()
        factories.make_user(email="eko@example.com", password=RIGHT)
        assert _try("eko@example.com").status_code == 302

    def test_it_passes_and_a_right_one_starts_anew(self, dewi: User) -> None:
        self._exhaust()
        earlier = clock.now() - dt.timedelta(minutes=16)
        AccessAttempt.objects.update(attempt_time=earlier)
        assert _try().status_code == 302
        assert not AccessAttempt.objects.exists()

    def test_trying_on_does_not_make_it_longer(self, dewi: User) -> None:
        self._exhaust()
        AccessAttempt.objects.update(attempt_time=clock.now() - dt.timedelta(minutes=10))
        assert int(_try()["Retry-After"]) <= 5 * 60
        assert int(_try()["Retry-After"]) <= 5 * 60

    def test_it_counts_in_the_database_not_in_a_process(self, dewi: User) -> None:
        """Whoever asks the table knows: another worker, or this one after a restart."""
        self._exhaust()
        assert sum(AccessAttempt.objects.values_list("failures_since_start", flat=True)) == 10
        assert "wrong-" not in str(AccessAttempt.objects.values())


@pytest.mark.django_db(transaction=True)
def test_parallel_guesses_get_no_more_looks_than_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    factories.make_user(email="dewi@example.com", password=RIGHT)
    looked: list[int] = []
    check = signin.authenticate

    def slow_check(*args: object, **kwargs: object) -> object:
        looked.append(1)
        time.sleep(0.02)  # as a real hash takes: all guesses have begun before one is counted
        return check(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(signin, "authenticate", slow_check)
    start, statuses = threading.Barrier(24), []

    def guess(n: int) -> None:
        start.wait()
        try:
            statuses.append(_try(password=f"wrong-{n}").status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=guess, args=[n]) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(statuses) == 24
    assert len(looked) <= 12
    assert set(statuses) == {422, 429}
    assert reverse("accounts:signin") == URL


def test_no_log_names_who_could_not_sign_in(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    for _attempt in range(11):
        client.post("/signin/", {"email": "marker@example.com", "password": "wrong"})
    assert "marker" not in caplog.text
