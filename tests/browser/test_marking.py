"""One customer after the other, with a thumb: marks show at once and are never lost."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page, Route, expect

from accounts.models import User
from assignments.models import Assignment
from crm.kernel import clock
from tests import factories
from tests.browser.conftest import OpenWindow


@pytest.fixture
def staff() -> User:
    staff = factories.make_user(name="Ani")
    User.objects.filter(pk=staff.pk).update(language="en")
    return staff


@pytest.fixture
def given(staff: User) -> list[Assignment]:
    batch = factories.make_batch(staff=staff, records=12)
    return list(Assignment.objects.filter(request=batch).order_by("record_id"))


def batch_url(given: list[Assignment]) -> str:
    return f"/batches/{given[0].request_id}/"


def button(page: Page, assignment: Assignment, field: str, value: str):
    return page.locator(f"#{field}-{assignment.pk}-{value}")


def saved(assignment: Assignment, reach: str | None, response: str | None = None) -> None:
    """Wait until the database has these marks."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        assignment.refresh_from_db()
        if (assignment.reach, assignment.response) == (reach, response):
            return
        time.sleep(0.05)
    assert (assignment.reach, assignment.response) == (reach, response)


@pytest.mark.parametrize(("phone", "dark"), [(True, False), (False, True)])
def test_one_tap_sets_and_one_more_clears(
    phone: bool, dark: bool, window: OpenWindow, staff: User, given: list[Assignment]
) -> None:
    seen = window(staff, phone=phone, dark=dark)
    page, customer = seen.open(batch_url(given)), given[5]
    ada = button(page, customer, "reach", "ada")
    ada.scroll_into_view_if_needed()
    height = page.evaluate("scrollY")
    ada.click()
    expect(ada).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#n-ada")).to_have_text("1")
    expect(page.locator("#progress b")).to_contain_text("1/12")
    saved(customer, "ada")
    expect(ada).to_be_focused()
    assert page.evaluate("scrollY") == height
    page.wait_for_timeout(400)  # longer than a double tap
    ada.click()
    saved(customer, None)
    expect(ada).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#n-ada")).to_have_text("0")
    assert seen.findings() == []
    assert seen.sideways_scroll() <= 0


def test_a_double_tap_is_one(window: OpenWindow, staff: User, given: list[Assignment]) -> None:
    page = window(staff, phone=True).open(batch_url(given))
    button(page, given[0], "reach", "tidak").dblclick()
    saved(given[0], "tidak")
    page.wait_for_timeout(300)
    saved(given[0], "tidak")


def test_taps_on_a_slow_line_are_all_kept(
    window: OpenWindow, staff: User, given: list[Assignment]
) -> None:
    page = window(staff, phone=True).open(batch_url(given))

    def slowly(route: Route) -> None:
        time.sleep(0.3)
        route.continue_()

    page.route("**/customers/**", slowly)
    for field, value in (("reach", "tidak"), ("response", "ya"), ("reach", "ceklis1")):
        button(page, given[0], field, value).click()
        expect(button(page, given[0], field, value)).to_have_attribute("aria-pressed", "true")
    saved(given[0], "ceklis1", "ya")
    page.wait_for_load_state("networkidle")
    for field, value, pressed in (
        ("reach", "tidak", "false"),
        ("reach", "ceklis1", "true"),
        ("response", "ya", "true"),
    ):
        expect(button(page, given[0], field, value)).to_have_attribute("aria-pressed", pressed)


def test_a_failure_puts_the_old_mark_back(
    window: OpenWindow, staff: User, given: list[Assignment]
) -> None:
    seen = window(staff, phone=True)
    page = seen.open(batch_url(given))
    button(page, given[0], "reach", "ada").click()
    saved(given[0], "ada")
    expect(page.locator("#n-ada")).to_have_text("1")
    page.route("**/customers/**", lambda route: route.fulfill(status=500, body=""))
    button(page, given[0], "reach", "tidak").click()
    expect(page.locator("#toasts")).to_contain_text("nothing was changed")
    expect(button(page, given[0], "reach", "ada")).to_have_attribute("aria-pressed", "true")
    expect(button(page, given[0], "reach", "tidak")).to_have_attribute("aria-pressed", "false")
    seen.problems.clear()  # the failure itself is reported by the browser


def test_a_recalled_customer_is_said_so_in_place(
    window: OpenWindow, staff: User, given: list[Assignment]
) -> None:
    seen = window(staff, phone=True)
    page = seen.open(batch_url(given))
    Assignment.objects.filter(pk=given[0].pk).update(
        state=Assignment.State.RELEASED, released_at=clock.now()
    )
    button(page, given[0], "reach", "ada").click()
    expect(page.locator(f"#row-{given[0].pk} [role=alert]")).to_contain_text("no longer yours")
    # htmx writes a line about a refusal that the page shows.
    seen.problems[:] = [line for line in seen.problems if "409" not in line]


def test_the_link_is_copied_and_it_says_so(
    window: OpenWindow, staff: User, given: list[Assignment]
) -> None:
    seen = window(staff, phone=True)
    seen.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = seen.open(batch_url(given))
    copy = page.locator(f"#row-{given[0].pk} [data-copy]")
    copy.click()
    expect(copy).to_contain_text("Link copied")
    expect(page.locator("#polite")).to_contain_text("Link copied")
    link = f"https://wa.me/{given[0].record.phone}"
    assert page.evaluate("navigator.clipboard.readText()") == link
    expect(copy).to_contain_text("Copy WhatsApp link", timeout=4000)


def test_where_copying_is_not_allowed_a_selected_field_appears(
    window: OpenWindow, staff: User, given: list[Assignment]
) -> None:
    page = window(staff, phone=True).open(batch_url(given))
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.evaluate("document.execCommand = () => false")
    page.locator(f"#row-{given[0].pk} [data-copy]").click()
    field = page.locator(f"#row-{given[0].pk} input[data-link]")
    expect(field).to_be_focused()
    selected = page.evaluate(
        "(e => e.value.slice(e.selectionStart, e.selectionEnd))(document.activeElement)"
    )
    assert selected == f"https://wa.me/{given[0].record.phone}"


def test_the_history_opens_over_the_batch(
    window: OpenWindow, staff: User, given: list[Assignment]
) -> None:
    seen = window(staff, phone=True)
    page = seen.open(batch_url(given))
    button(page, given[0], "reach", "ada").click()
    saved(given[0], "ada")
    page.locator(f"#row-{given[0].pk} .c-nt a").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Ada")
    expect(dialog).to_contain_text("Ani")
    assert seen.findings() == []
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_it_works_without_javascript(
    window: OpenWindow, staff: User, given: list[Assignment]
) -> None:
    page = window(staff, phone=True, scripts=False).open(batch_url(given))
    button(page, given[7], "response", "tidak").click()
    page.wait_for_url(f"**{batch_url(given)}?start=0&*#row-{given[7].pk}")
    saved(given[7], None, "tidak")
    expect(button(page, given[7], "response", "tidak")).to_have_attribute("aria-pressed", "true")
    page.locator(f"#row-{given[7].pk} .c-nt a").click()
    expect(page.locator("main ol")).to_contain_text("Tidak")
