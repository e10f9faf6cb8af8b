"""Staff see of a database its name, its counts and the names of its columns: never a row."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.access import Audience
from accounts.models import User
from databases.models import Database, Record
from tests import factories
from tests.permissions.addresses import WHO
from tests.permissions.world import OURS

pytestmark = pytest.mark.django_db
PAGES_OF_A_DATABASE = sorted(
    address.name
    for address in OURS
    if address.name.startswith(("database:", "databases:")) and len(address.parameters) == 1
)


@pytest.fixture
def database(ani: User) -> Database:
    """Four records: the first is Ani's, the others nobody's."""
    database = factories.make_database(records=4, name="Deposit Jan")
    factories.make_batch(staff=ani, database=database, records=1)
    return database


def test_the_pages_are_known() -> None:
    assert {"database:detail", "database:scan_rows", "database:change"} <= set(PAGES_OF_A_DATABASE)


@pytest.mark.parametrize("name", PAGES_OF_A_DATABASE)
@pytest.mark.parametrize("method", ["get", "post"])
def test_staff_open_no_page_of_a_database(
    as_ani: Client, database: Database, name: str, method: str
) -> None:
    (address,) = [address for address in OURS if address.name == name]
    if "uuid" in str(address.parameters) or name in {
        "databases:receive_piece",
        "databases:cancel_receiving",
    }:
        argument = "6f1c5b0e-7d1d-4b9c-9a54-1f7a5c0d3b11"
    else:
        argument = str(database.pk)
    answer = getattr(as_ani, method)(reverse(name, args=[argument]))
    assert answer.status_code in (403, 404)
    assert b"RAHASIA" not in answer.content


def test_the_search_tells_staff_nothing_either(as_ani: Client, database: Database) -> None:
    record = Record.objects.last()
    assert record is not None
    for path in ("", "scan/"):
        answer = as_ani.get(f"/manage/databases/{database.pk}/{path}", {"q": record.name})
        assert answer.status_code == 403
        assert record.phone not in answer.content.decode()


def test_no_page_of_theirs_shows_a_record_that_is_not_theirs(
    as_ani: Client, database: Database
) -> None:
    """Every address for staff without a number in it, and the batch of their one record."""
    mine, *others = Record.objects.order_by("row_number")
    plain = [
        address.name
        for address in OURS
        if not address.parameters
        and address.name in WHO[Audience.STAFF] | WHO[Audience.MEMBERS]
        and address.name != "accounts:signout"
    ]
    pages = [reverse(name) for name in plain]
    listed = as_ani.get(reverse("batches:list")).content.decode()
    pages += re.findall(r'href="(/batches/[^"?]+/)"', listed)
    assert len(pages) > 5
    texts = {path: as_ani.get(path, follow=True).content.decode() for path in pages}
    assert any(mine.name in text for text in texts.values())
    for path, text in texts.items():
        for record in others:
            hidden = [
                record.username,
                record.name,
                record.phone,
                *record.cells[:3],
                record.cells[4],
            ]
            assert not [value for value in hidden if value in text], path


def test_they_read_counts_and_the_columns_that_are_no_secret(
    as_ani: Client, database: Database
) -> None:
    page = as_ani.get(reverse("requests:mine")).content.decode()
    assert "Deposit Jan" in page
    for column in ("Username", "Nama", "No HP", "Kota"):
        assert column in page
    assert "No Rekening" not in page


def test_they_read_them_of_one_that_is_all_given_too(as_ani: Client, ani: User) -> None:
    database = factories.make_database(records=1, name="Habis", columns=["Wilayah"], roles=[""])
    factories.make_batch(staff=ani, database=database, records=1)
    assert "Wilayah" in as_ani.get(reverse("requests:mine")).content.decode()
