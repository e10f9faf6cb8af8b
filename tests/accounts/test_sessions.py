"""How long a session lives, and what ends it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client

from accounts import services
from accounts.models import Activity, User
from crm.kernel import clock
from tests.conftest import HX

pytestmark = pytest.mark.django_db
PAGE = "/profile/"


class Clock:
    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.moment = clock.now()
        patch.setattr(clock, "now", lambda: self.moment)

    def pass_by(self, **time: int) -> None:
        self.moment += dt.timedelta(**time)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def _is_in(client: Client) -> bool:
    return client.get(PAGE).status_code == 200


class TestLifetime:
    def test_an_idle_session_ends_after_eight_hours(self, time: Clock, as_ani: Client) -> None:
        assert _is_in(as_ani)
        time.pass_by(hours=7, minutes=59)
        assert _is_in(as_ani)
        time.pass_by(hours=8, minutes=1)
        assert not _is_in(as_ani)

    def test_a_busy_one_ends_after_seven_days(self, time: Clock, as_ani: Client) -> None:
        for _turn in range(7 * 24 // 6):
            assert _is_in(as_ani)
            time.pass_by(hours=6)
        assert _is_in(as_ani)
        time.pass_by(hours=1)
        assert not _is_in(as_ani)

    def test_a_poll_keeps_nobody_signed_in(self, time: Clock, as_ani: Client) -> None:
        assert _is_in(as_ani)
        for _turn in range(9):
            time.pass_by(hours=1)
            as_ani.get(PAGE, headers={"X-Poll": "1"})
        assert not _is_in(as_ani)

    def test_asking_to_stay_prolongs_it(self, time: Clock, as_ani: Client) -> None:
        assert _is_in(as_ani)
        time.pass_by(hours=7, minutes=58)
        answer = as_ani.post("/stay/")
        assert (answer.status_code, answer.content) == (204, b"")
        time.pass_by(hours=7, minutes=58)
        assert _is_in(as_ani)

    def test_who_came_too_late_to_stay_is_sent_to_sign_in(
        self, time: Clock, as_ani: Client
    ) -> None:
        assert _is_in(as_ani)
        time.pass_by(hours=8, minutes=1)
        assert as_ani.post("/stay/")["Location"] == "/signin/"

    def test_a_link_keeps_nobody_signed_in(self, as_ani: Client) -> None:
        assert as_ani.get("/stay/").status_code == 405

    def test_pages_say_how_long_is_sure(self, as_ani: Client) -> None:
        # Five minutes less than the session: a visit is written down at most that late.
        assert f'data-seconds="{8 * 3600 - 300}"' in as_ani.get(PAGE).content.decode()
        assert "session-end" not in Client().get("/signin/").content.decode()

    def test_reading_on_writes_no_session(self, time: Clock, as_ani: Client) -> None:
        _is_in(as_ani)
        before = list(Session.objects.values_list("session_data", flat=True))
        time.pass_by(minutes=4)
        _is_in(as_ani)
        assert list(Session.objects.values_list("session_data", flat=True)) == before

    def test_htmx_is_sent_to_sign_in_and_back_to_its_page(
        self, time: Clock, as_ani: Client
    ) -> None:
        _is_in(as_ani)
        time.pass_by(hours=9)
        page = {"HX-Current-URL": "http://testserver/batches/?q=a"}
        answer = as_ani.get(PAGE, headers=HX | page)
        assert answer.status_code == 200
        assert answer["HX-Redirect"] == "/signin/?next=%2Fbatches%2F%3Fq%3Da"

    def test_a_form_sent_too_late_leads_to_no_action(self, time: Clock, as_ani: Client) -> None:
        _is_in(as_ani)
        time.pass_by(hours=9)
        assert as_ani.post("/profile/password/")["Location"] == "/signin/"

    def test_pages_of_people_are_kept_by_no_cache(self, as_ani: Client) -> None:
        assert "no-store" in as_ani.get(PAGE)["Cache-Control"]


class TestSignOut:
    def test_it_kills_the_session_on_the_server(self, as_ani: Client, ani: User) -> None:
        key = as_ani.cookies[settings.SESSION_COOKIE_NAME].value
        assert as_ani.post("/signout/")["Location"] == "/signin/"
        assert not Session.objects.filter(session_key=key).exists()
        thief = Client()
        thief.cookies[settings.SESSION_COOKIE_NAME] = key
        assert not _is_in(thief)
        assert Activity.objects.get(kind="signout").actor == ani

    def test_a_link_signs_nobody_out(self, as_ani: Client) -> None:
        assert as_ani.get("/signout/").status_code == 405
        assert _is_in(as_ani)


class TestWhatAnAdminDoesCountsFromTheNextRequest:
    def _two_sessions(self, user: User) -> list[Client]:
        clients = [Client(), Client()]
        for client in clients:
            client.force_login(user)
            assert _is_in(client)
        return clients

    def test_deactivation_ends_every_session_for_good(self, ani: User, citra: User) -> None:
        clients = self._two_sessions(ani)
        services.deactivate_user(user_id=ani.pk, by=citra)
        assert not any(_is_in(client) for client in clients)
        clients = [*clients, *self._revived(ani, citra)]
        assert not any(_is_in(client) for client in clients)

    def _revived(self, ani: User, citra: User) -> list[Client]:
        """A session that nobody used while its owner was away must not come back with them."""
        sleeping = self._sleeping
        services.reactivate_user(user_id=ani.pk, by=citra)
        return sleeping

    @pytest.fixture(autouse=True)
    def _one_sleeps(self, ani: User) -> None:
        client = Client()
        client.force_login(ani)
        self._sleeping = [client]

    def test_a_new_role_opens_and_closes_at_once(self, ani: User, citra: User) -> None:
        clients = self._two_sessions(ani)
        kwargs = {"email": ani.email, "name": ani.name, "by": citra}
        services.edit_user(user_id=ani.pk, version=1, role="admin", **kwargs)
        assert {client.get("/manage/people/").status_code for client in clients} == {200}
        assert {client.get("/batches/").status_code for client in clients} == {403}
        services.edit_user(user_id=ani.pk, version=2, role="staff", **kwargs)
        assert {client.get("/manage/people/").status_code for client in clients} == {403}

    def test_a_reset_password_ends_every_session(self, ani: User, citra: User) -> None:
        clients = self._two_sessions(ani)
        services.reset_password(user_id=ani.pk, by=citra)
        assert not any(_is_in(client) for client in clients)
