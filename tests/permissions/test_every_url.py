"""Every address of the site, asked by everybody: nobody, a staff member, another one, an admin."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client
from django.urls import NoReverseMatch, reverse

from accounts.access import Audience
from accounts.models import Activity, User
from tests.permissions.addresses import OWNED
from tests.permissions.world import DJANGO, OURS, Address, World, digest, make_world

pytestmark = pytest.mark.django_db
METHODS = ["get", "post"]
UNSAFE = ["post", "put", "patch", "delete"]
HX = {"HX-Request": "true"}
# What machines ask without a session: exempt from tokens, and deaf to everything but reading.
READ_ONLY = {"livez", "healthz"}
# Files and states that the world of these tests does not have.
NOT_IN_THIS_WORLD = {"databases:original_file"}
GUARDED = [address for address in OURS if address.audience is not Audience.PUBLIC]


@pytest.fixture
def world(ani: User, budi: User, citra: User) -> World:
    return make_world(ani, budi, citra)


def _as(user: User | None, **options: bool) -> Client:
    client = Client(**options)
    if user is not None:
        client.force_login(user)
    return client


def _sent_to_sign_in(address: str | None) -> bool:
    return (address or "").split("?")[0] == reverse(settings.LOGIN_URL)


def test_nobody_signed_in_is_sent_to_sign_in(world: World) -> None:
    before, offenders = digest(), []
    for address in GUARDED:
        path = world.path(address)
        for method in METHODS:
            plain = getattr(_as(None), method)(path)
            by_htmx = getattr(_as(None), method)(path, headers=HX)
            sent = plain.status_code == 302 and _sent_to_sign_in(plain["Location"])
            sent_by_htmx = by_htmx.status_code == 200 and by_htmx.content == b""
            if not sent or not sent_by_htmx or not _sent_to_sign_in(by_htmx.get("HX-Redirect")):
                offenders.append((method, path, plain.status_code, by_htmx.status_code))
    assert offenders == []
    assert digest() == before


def test_the_wrong_role_is_refused_and_it_is_written_down(world: World) -> None:
    wrong = {Audience.STAFF: _as(world.citra), Audience.ADMIN: _as(world.ani)}
    before, offenders, asked = digest(), [], []
    for address in GUARDED:
        if address.audience in wrong:
            for method in METHODS:
                answer = getattr(wrong[address.audience], method)(world.path(address))
                asked.append(address.name)
                if answer.status_code != 403:
                    offenders.append((method, address.name, answer.status_code))
    assert offenders == []
    assert digest() == before
    refusals = Activity.objects.filter(kind="access.denied").order_by("pk")
    assert list(refusals.values_list("label", flat=True)) == asked


def test_what_is_not_yours_is_not_there(world: World) -> None:
    client = _as(world.budi)
    before, offenders, refused = digest(), [], set()
    for address in OURS:
        if address.name in OWNED:
            for method in METHODS:
                for headers in ({}, HX):
                    answer = getattr(client, method)(world.path(address), headers=headers)
                    if answer.status_code == 404:
                        refused.add(address.name)
                    elif answer.status_code != 405:
                        offenders.append((method, address.name, answer.status_code))
    assert offenders == []
    assert refused == OWNED
    assert digest() == before


def test_whom_it_is_for_gets_an_answer_and_looking_changes_nothing(world: World) -> None:
    offenders = []
    clients = {user: _as(user) for user in (world.ani, world.citra)}
    before = digest()
    for address in OURS:
        assert address.audience is not None
        path = world.path(address)
        for user in world.admitted(address.audience):
            for headers in ({}, HX):
                status = clients[user].get(path, headers=headers).status_code
                missing = status == 404 and address.name not in NOT_IN_THIS_WORLD
                # A database or a worker that is not well is a 503 of the health page.
                if missing or status == 403 or (status >= 500 and address.name != "healthz"):
                    offenders.append((address.name, user.name, status))
        if (after := digest()) != before:
            offenders.append((address.name, "changed", {t for t in after if after[t] != before[t]}))
            before = after
    assert offenders == []


def test_nothing_is_changed_without_the_forms_token(world: World) -> None:
    clients = {user: _as(user, enforce_csrf_checks=True) for user in (world.ani, world.citra)}
    before, offenders = digest(), []
    for address in OURS:
        assert address.audience is not None
        client = clients[world.admitted(address.audience)[0]]
        for method in UNSAFE:
            for headers in ({}, HX, {"Origin": "https://elsewhere.example"}):
                answer = getattr(client, method)(world.path(address), headers=headers)
                if answer.status_code != (405 if address.name in READ_ONLY else 403):
                    offenders.append((method, address.name, answer.status_code))
    assert offenders == []
    assert digest() == before


def test_a_token_of_somebody_else_opens_nothing(world: World) -> None:
    stranger = Client(enforce_csrf_checks=True)
    stolen = str(stranger.get(reverse("accounts:signin")).context["csrf_token"])
    clients = {user: _as(user, enforce_csrf_checks=True) for user in (world.ani, world.citra)}
    before, offenders = digest(), []
    for user, client in clients.items():
        client.get(reverse("accounts:profile"))  # gives them a token of their own
        for address in OURS:
            assert address.audience is not None
            if user in world.admitted(address.audience):
                answer = client.post(world.path(address), {"csrfmiddlewaretoken": stolen})
                if answer.status_code != (405 if address.name in READ_ONLY else 403):
                    offenders.append((address.name, answer.status_code))
    assert offenders == []
    assert digest() == before


def _django_path(address: Address) -> str:
    values = {"object_id": "1", "app_label": "accounts", "url": "x", "content_type_id": 1}
    known = {name: values[name] for name in address.parameters}
    try:
        return reverse(address.name, kwargs=known)
    except NoReverseMatch:  # an address without a name: an old one that redirects
        return reverse("admin:index") + "accounts/user/1/"


def test_the_django_admin_admits_admins_only(world: World) -> None:
    nobody, staff, before = _as(None), _as(world.ani), digest()
    offenders = []
    for address in DJANGO:
        path = _django_path(address)
        for method in METHODS:
            answers = getattr(nobody, method)(path), getattr(staff, method)(path)
            if [answer.status_code for answer in answers] != [302, 403]:
                offenders.append((method, path, [answer.status_code for answer in answers]))
    assert offenders == []
    assert digest() == before


def test_looking_at_the_django_admin_changes_nothing(world: World) -> None:
    client, strict = _as(world.citra), _as(world.citra, enforce_csrf_checks=True)
    before, offenders = digest(), []
    for address in DJANGO:
        path = _django_path(address)
        for question in ("", "?q=1"):
            if (status := client.get(path + question).status_code) >= 500:
                offenders.append((path + question, status))
        if strict.post(path).status_code != 403:
            offenders.append((path, "without a token"))
    assert offenders == []
    assert digest() == before
