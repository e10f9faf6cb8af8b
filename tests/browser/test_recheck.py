"""The check page: what changes the numbers is read again at once, what was read before is said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Page, expect

from accounts.models import User
from databases.models import Import
from tests import factories
from tests.browser.conftest import OpenWindow, Worker
from tests.browser.steps import look
from tests.databases.helpers import READING, make_import

CHECK = re.compile(r"/imports/\d+/check/$")
PATIENCE = 60_000
ROWS = "Nama,Telepon,Lain\nBudi Santoso,081234567801,081234567891\nSari Dewi,081234567802,-\n"


@pytest.fixture(autouse=True)
def _no_jobs_left(transactional_db: None) -> Iterator[None]:
    """The queue's tables are not Django's to empty."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")


@pytest.fixture
def citra() -> User:
    admin = factories.make_admin(name="Citra", email="citra@example.com")
    User.objects.update(language="en")
    return admin


def _upload(page: Page, base: str, file: Path) -> None:
    page.goto(base + "/manage/databases/upload/")
    page.get_by_label("Product").select_option(index=1)
    page.get_by_label("Drop a CSV or Excel file").set_input_files(file)
    page.get_by_role("button", name="Continue to column check").click()
    expect(page).to_have_url(CHECK)
    expect(page.get_by_role("button", name=re.compile(r"^Import \d"))).to_be_enabled(
        timeout=PATIENCE
    )


def test_a_role_that_counts_is_read_again_at_once(
    window: OpenWindow, worker: Worker, citra: User, tmp_path: Path
) -> None:
    factories.make_product(name="Kopi")
    file = tmp_path / "pelanggan.csv"
    file.write_text(ROWS)
    shown = window(citra)
    page = shown.page
    _upload(page, shown.base, file)
    expect(page.get_by_text("2 ready", exact=True)).to_be_visible()
    expect(page.get_by_text("None of them is in another database of Kopi.")).to_be_visible(
        timeout=PATIENCE
    )
    look(shown)

    page.get_by_label("Role of column Lain").select_option("phone")
    expect(page.get_by_text("1 needs attention", exact=True)).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_label("Role of column Telepon")).to_have_value("")
    expect(page.get_by_label("Role of column Lain")).to_be_focused()

    # What only staff see less of is not read again.
    before = Import.objects.get().attempt
    page.get_by_label("Role of column Telepon").select_option("sensitive")
    page.get_by_role("button", name="Import 1 row").click()
    expect(page).to_have_url(re.compile("/report/$"), timeout=PATIENCE)
    source = Import.objects.get()
    assert source.attempt == before + 1  # the import itself
    assert source.choices["roles"] == ["name", "sensitive", "phone"]

    # The same header another time.
    file.write_text(ROWS + "Rina,081234567803,081234567893\n")
    _upload(page, shown.base, file)
    expect(page.get_by_text("Columns as last time")).to_be_visible()
    expect(page.get_by_text("1 of these customers is already in other databases")).to_be_visible(
        timeout=PATIENCE
    )
    look(shown)
    page.get_by_role("button", name="Use the guess instead").click()
    expect(page.get_by_label("Role of column Telepon")).to_have_value("phone", timeout=PATIENCE)
    expect(page.get_by_text("Columns as last time")).to_be_hidden()


def test_while_the_rows_are_counted_every_choice_is_kept(
    window: OpenWindow, citra: User, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    reading = {key: value for key, value in READING.items() if key != "tally"}
    source = make_import(state="reading", reading=reading)
    shown = window(citra)
    shown.open(f"/manage/databases/imports/{source.pk}/check/")
    shown.page.get_by_label("Role of column Kota").select_option("sensitive")
    expect(shown.page.get_by_text("Reading the file")).to_be_visible()
    source.refresh_from_db()
    assert source.choices["roles"] == ["username", "name", "phone", "sensitive", "sensitive"]


def test_choosing_with_keys_waits_until_the_field_is_left(
    window: OpenWindow, citra: User, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = tmp_path
    source = make_import()
    shown = window(citra)
    shown.open(f"/manage/databases/imports/{source.pk}/check/")
    role = shown.page.get_by_label("Role of column Kota")
    role.focus()
    for key in ("U", "N"):  # on the way to the name lies the username
        role.press(key)
        shown.page.wait_for_timeout(1100)  # else the browser takes both letters for one word
    expect(role).to_have_value("name")
    source.refresh_from_db()
    assert source.attempt == 1
    role.press("Tab")
    expect(shown.page.get_by_text("Reading the file")).to_be_visible()
    source.refresh_from_db()
    assert source.choices["roles"] == ["username", "", "phone", "name", "sensitive"]


def test_the_delimiter_is_read_again_at_once(
    window: OpenWindow, worker: Worker, citra: User, tmp_path: Path
) -> None:
    factories.make_product(name="Kopi")
    file = tmp_path / "pelanggan.csv"
    file.write_text(ROWS.replace(",", ";"))
    shown = window(citra, phone=True, dark=True)
    page: Any = shown.page
    _upload(page, shown.base, file)
    page.get_by_label("Delimiter").select_option(",")
    expect(page.locator("tr.cols-h th")).to_have_count(2, timeout=PATIENCE)
    look(shown)
