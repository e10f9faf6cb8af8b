"""A batch of many pages: it goes on as one scrolls, and coming back leads to where one was."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from assignments.models import Assignment
from batches.reports.customers import PAGE
from tests import factories
from tests.browser.conftest import OpenWindow
from tests.browser.steps import look
from tests.browser.test_marking import button, saved

ROWS = "tr[data-row]"


@pytest.fixture
def staff() -> User:
    staff = factories.make_user(name="Ani")
    User.objects.filter(pk=staff.pk).update(language="en")
    return staff


@pytest.fixture
def given(staff: User) -> list[Assignment]:
    batch = factories.make_batch(staff=staff, records=130)
    return list(Assignment.objects.filter(request=batch).order_by("record_id"))


def to_the_end(page: Page, rows: int) -> None:
    """Scroll down until there are `rows` rows."""
    for _time in range(30):
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        page.wait_for_timeout(100)
        if page.locator(ROWS).count() >= rows:
            break
    expect(page.locator(ROWS)).to_have_count(rows)


@pytest.mark.parametrize("phone", [True, False])
def test_it_goes_on_as_one_scrolls_and_back_leads_to_the_place(
    phone: bool, window: OpenWindow, staff: User, given: list[Assignment]
) -> None:
    seen = window(staff, phone=phone)
    page = seen.open(f"/batches/{given[0].request_id}/")
    expect(page.locator(ROWS)).to_have_count(PAGE)
    to_the_end(page, 130)
    expect(page.locator("a[data-more]")).to_have_count(0)
    numbers = page.locator(ROWS).evaluate_all("rows => rows.map(row => Number(row.dataset.row))")
    assert numbers == [assignment.pk for assignment in given]

    far = page.locator(f"#row-{given[110].pk}")
    far.evaluate("row => row.scrollIntoView({ block: 'center' })")
    button(page, given[110], "reach", "ada").click()
    saved(given[110], "ada")
    page.wait_for_timeout(400)  # the place is kept a moment after the last scroll
    before = far.evaluate("row => row.getBoundingClientRect().top")
    page.goto(seen.base + "/more/")
    page.go_back()
    expect(far).to_be_in_viewport()
    after = far.evaluate("row => row.getBoundingClientRect().top")
    assert abs(after - before) < 3
    expect(button(page, given[110], "reach", "ada")).to_have_attribute("aria-pressed", "true")
    page.evaluate("scrollTo(0, 0)")
    look(seen)


def test_without_scripts_a_link_leads_on(
    window: OpenWindow, staff: User, given: list[Assignment]
) -> None:
    page = window(staff, scripts=False).open(f"/batches/{given[0].request_id}/?start=0")
    page.get_by_role("link", name="More customers").click()
    expect(page.locator(ROWS).first).to_have_attribute("data-row", str(given[PAGE].pk))
    page.get_by_role("link", name="Customers before these").click()
    expect(page.locator(ROWS).first).to_have_attribute("data-row", str(given[0].pk))


@pytest.mark.parametrize("phone", [True, False])
def test_a_search_finds_over_all_batches_and_marks_work_there(
    phone: bool, window: OpenWindow, staff: User, given: list[Assignment]
) -> None:
    other = factories.make_assignment(staff=staff)
    seen = window(staff, phone=phone, dark=not phone)
    page = seen.open("/batches/search/")
    look(seen)
    page.get_by_role("searchbox").fill(other.record.username)
    expect(page.locator(ROWS)).to_have_count(1)
    button(page, other, "reach", "ceklis1").click()
    saved(other, "ceklis1")
    expect(button(page, other, "reach", "ceklis1")).to_be_focused()
    expect(page.locator("#toasts")).to_contain_text("Ceklis 1")
    look(seen)
    page.get_by_role("searchbox").fill("pelanggan")
    expect(page.locator(ROWS)).not_to_have_count(1)
    to_the_end(page, 131)
    numbers = page.locator(ROWS).evaluate_all("rows => rows.map(row => row.dataset.row)")
    assert len(set(numbers)) == 131
