"""Keyset pages show each row once, and survive any cursor."""

import base64

import pytest
from django.core.signing import Signer
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from crm.kernel.paging import _decode, keyset
from tests.factories import make_user

pytestmark = pytest.mark.django_db
ORDER = ["-name", "id"]


@pytest.fixture
def people(db: None) -> list[User]:
    return [make_user(name=name) for name in ("Ani", "Budi", "Budi", "Cici", "Dodi")]


def test_walking_the_pages_gives_every_row_once(people: list[User]) -> None:
    seen, after, first = [], "", True
    while first or after:
        page = keyset(User.objects.all(), order=ORDER, after=after, size=2)
        assert page.is_first == first
        seen += page.rows
        after, first = page.next, False
    assert [row.pk for row in seen] == list(
        User.objects.order_by(*ORDER).values_list("pk", flat=True)
    )


def _unsigned(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "\x00",
        "\ud800",
        "é.é",
        _unsigned('["Budi",1]'),
        _unsigned('["Budi",{"n":"1E+999999"}]'),  # would take minutes to become a number
        _unsigned('["Budi",{"n":"Infinity"}]'),
        _unsigned('["\\ud800",1]'),
        _unsigned("[" * 5000),
    ],
)
def test_a_made_up_cursor_gives_the_first_page(people: list[User], cursor: str) -> None:
    page = keyset(User.objects.all(), order=ORDER, after=cursor, size=2)
    assert page.is_first
    assert len(page.rows) == 2


def test_a_cursor_of_another_list_gives_the_first_page(people: list[User]) -> None:
    other = keyset(User.objects.all(), order=["id"], after=None, size=2).next
    assert keyset(User.objects.all(), order=["-id"], after=other, size=2).is_first


@given(st.text(max_size=60))
def test_any_cursor_is_read_without_an_error(cursor: str) -> None:
    assert _decode(cursor, Signer(sep=".")) is None
