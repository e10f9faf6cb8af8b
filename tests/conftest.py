"""The people and helpers that tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import translation

from accounts.models import User
from tests import factories

HX = {"HX-Request": "true"}


def pytest_configure() -> None:
    """WhiteNoise warns when the folder of collected files is not there, and warnings are errors."""
    from django.conf import settings

    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture(autouse=True, scope="session")
def _quick_passwords() -> Iterator[None]:
    """Argon2 is slow on purpose; tests of it ask for it by name."""
    from django.conf import settings
    from django.test.utils import override_settings

    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]
    with override_settings(PASSWORD_HASHERS=hashers):
        yield


@pytest.fixture
def ani(db: None) -> User:
    """A staff member."""
    return factories.make_user(name="Ani", email="ani@example.com")


@pytest.fixture
def budi(db: None) -> User:
    """Another staff member."""
    return factories.make_user(name="Budi", email="budi@example.com")


@pytest.fixture
def citra(db: None) -> User:
    """An admin."""
    return factories.make_user(name="Citra", email="citra@example.com", role=User.Role.ADMIN)


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """A request leaves its reader's language behind in the thread; the next test starts anew."""
    with translation.override("en"):
        yield


def _signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def as_ani(ani: User) -> Client:
    return _signed_in(ani)


@pytest.fixture
def as_budi(budi: User) -> Client:
    return _signed_in(budi)


@pytest.fixture
def as_citra(citra: User) -> Client:
    return _signed_in(citra)
