"""Each address is in exactly one list of the written book, and its view says the same."""

from __future__ import annotations

from itertools import combinations

from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path

from accounts.access import Audience, audience, mark_urls
from accounts.checks import every_view_names_its_audience, walk
from tests.permissions.addresses import OWNED, WHO
from tests.permissions.world import DJANGO, OURS


def test_every_address_is_written_down() -> None:
    written = set().union(*WHO.values())
    assert {address.name for address in OURS} == written


def test_no_address_is_in_two_lists() -> None:
    for one, other in combinations(WHO, 2):
        assert not WHO[one] & WHO[other]


def test_every_view_is_for_whom_the_list_says() -> None:
    said = {address.name: address.audience for address in OURS}
    assert said == {name: who for who, names in WHO.items() for name in names}


def test_the_django_admin_is_for_admins_throughout() -> None:
    assert len(DJANGO) > 20
    assert {address.audience for address in DJANGO} == {Audience.ADMIN}


def test_every_address_has_a_name_of_its_own() -> None:
    names = [address.name for address in OURS]
    assert len(names) == len(set(names))


def test_owned_things_are_the_staffs() -> None:
    assert WHO[Audience.STAFF] >= OWNED


def test_the_system_check_is_content() -> None:
    assert every_view_names_its_audience() == []


@override_settings(ROOT_URLCONF="tests.architecture.unmarked_urls")
def test_the_system_check_finds_a_view_that_names_nobody() -> None:
    (error,) = every_view_names_its_audience()
    assert error.id == "crm.E001"


def _view(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def test_marking_a_list_leaves_our_own_marks() -> None:
    ours = audience(Audience.STAFF)(lambda request: HttpResponse())
    patterns = mark_urls([path("a/", _view), path("b/", ours)], Audience.ADMIN)
    assert [view.audience for _path, _name, view in walk(patterns)] == [
        Audience.ADMIN,
        Audience.STAFF,
    ]
