"""Several customers at once: how many are ticked, what they are given, and taking it back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from accounts.models import User
from assignments.models import Assignment
from tests import factories
from tests.browser.conftest import OpenWindow
from tests.browser.steps import look
from tests.browser.test_marking import batch_url, saved


@pytest.fixture
def staff() -> User:
    staff = factories.make_user(name="Ani")
    User.objects.filter(pk=staff.pk).update(language="en")
    return staff


@pytest.fixture
def given(staff: User) -> list[Assignment]:
    batch = factories.make_batch(staff=staff, records=12)
    return list(Assignment.objects.filter(request=batch).order_by("record_id"))


def test_the_bar_says_how_many_are_ticked(
    window: OpenWindow, staff: User, given: list[Assignment]
) -> None:
    page = window(staff, phone=True).open(batch_url(given) + "?select=1")
    bar, count = page.locator("#marking"), page.locator("[data-bulk-count]")
    expect(count).to_be_hidden()
    page.locator(f"#row-{given[0].pk} input[type=checkbox]").check()
    expect(count).to_have_text("1 selected")
    page.locator(f"#row-{given[2].pk} input[type=checkbox]").check()
    expect(count).to_have_text("2 selected")
    bar.get_by_label("All loaded").check()
    expect(count).to_have_text("12 selected")
    bar.get_by_label("All 12 shown").check()  # says its number itself
    expect(count).to_be_hidden()


def test_several_are_marked_where_they_stand_and_taken_back_with_a_key(
    window: OpenWindow, staff: User, given: list[Assignment]
) -> None:
    shown = window(staff, phone=True)
    page = shown.open(batch_url(given) + "?start=0")
    page.locator(f"#row-{given[8].pk}").scroll_into_view_if_needed()
    choose = page.get_by_role("link", name="Select several")
    expect(choose).to_have_attribute("href", re.compile("start=0.*#row-"))
    choose.click()
    expect(page.locator(f"#row-{given[8].pk}")).to_be_in_viewport()
    for assignment in given[8:10]:
        page.locator(f"#row-{assignment.pk} input[type=checkbox]").check()
    page.locator("#marking").get_by_role("button", name="Ada", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("2 customers marked")
    saved(given[8], "ada")
    expect(page.locator("tr[id^=row-]").first).to_have_id(f"row-{given[8].pk}")
    toast = page.locator("#toasts .snack").bounding_box()
    bar = page.locator("#marking").bounding_box()
    assert toast is not None
    assert bar is not None
    assert toast["y"] + toast["height"] <= bar["y"]
    look(shown)
    page.keyboard.press("u")
    expect(page.locator("#toasts")).to_contain_text("Undone for 2 customers")
    saved(given[8], None)


def test_one_toast_takes_back_the_last_mark_and_goes_with_it(
    window: OpenWindow, staff: User, given: list[Assignment]
) -> None:
    page = window(staff).open(batch_url(given))
    undo = page.locator("#toasts").get_by_role("button", name="Undo", exact=True)
    page.keyboard.press("1")
    expect(page.locator("#toasts")).to_contain_text("Ada")
    page.keyboard.press("4")
    expect(page.locator("#toasts")).to_contain_text("Ya")
    expect(undo).to_have_count(1)
    page.keyboard.press("u")
    expect(page.locator("#toasts")).to_contain_text("Undone")
    expect(undo).to_have_count(0)
    saved(given[0], "ada", None)
