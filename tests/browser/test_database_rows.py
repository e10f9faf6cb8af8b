"""Looking for a customer in a database: at once by who they are, row by row in all else."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from accounts.models import User
from databases.models import Database, Record
from tests import factories
from tests.browser.conftest import OpenWindow

ROWS = 400


@pytest.fixture
def admin() -> User:
    admin = factories.make_user(name="Citra", role=User.Role.ADMIN)
    User.objects.filter(pk=admin.pk).update(language="en")
    return admin


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Database:
    """A database read eight rows at a time; the last row alone is from Ternate."""
    for name in ("STEP", "STEP_LEAST", "STEP_MOST"):
        monkeypatch.setattr(f"assignments.reports.row_search.{name}", 8)
    monkeypatch.setattr("assignments.forms.FIRST_STEP", 8)
    database = factories.make_database(records=ROWS)
    last = Record.objects.get(row_number=ROWS + 1)
    last.cells[3] = "Ternate"
    last.save()
    return database


def test_it_searches_on_by_itself_until_it_is_stopped(
    window: OpenWindow, admin: User, database: Database
) -> None:
    seen = window(admin)
    page = seen.open(f"/manage/databases/{database.pk}/")
    page.get_by_role("searchbox").fill("ternate")
    status = page.locator("#scan-status")
    expect(status).to_contain_text("Searching…")
    page.get_by_role("link", name="Stop").click()
    go_on = page.get_by_role("link", name="Search on")
    expect(go_on).to_be_visible()
    go_on.click()
    expect(page.locator("#scanned tr")).to_have_count(1, timeout=30_000)
    expect(status).to_contain_text("every row was looked at")
    expect(page.locator("#scanned mark")).to_have_text("Ternate")
    assert "q=ternate" in page.url
    assert seen.findings() == []
    # htmx reports the request that Stop took back.
    seen.problems = [one for one in seen.problems if "htmx:" not in one]


def test_without_a_script_it_goes_on_by_links(
    window: OpenWindow, admin: User, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assignments.views.database_rows.STEPS_A_PAGE", 26)
    page = window(admin, scripts=False).open(f"/manage/databases/{database.pk}/?q=ternate")
    page.get_by_role("link", name="Search the other columns").click()
    page.get_by_role("link", name="Search on").click()
    expect(page.locator("#scanned tr")).to_have_count(1)


def test_filters_take_effect_when_chosen(
    window: OpenWindow, admin: User, database: Database
) -> None:
    factories.make_batch(staff=factories.make_user(name="Ani"), database=database, records=3)
    page = window(admin, phone=True).open(f"/manage/databases/{database.pk}/")
    page.get_by_label("Holder").select_option(label="Ani (3)")
    expect(page.locator("#rows tbody tr")).to_have_count(3)
    page.get_by_role("link", name="Clear all").click()
    expect(page.locator("#rows tbody tr")).to_have_count(50)
