"""Work without a mouse: single keys on rows, never while typing, and only for who wants them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from assignments.models import Assignment, RecordRequest
from batches.models import ContactAttempt
from tests import factories
from tests.browser.conftest import OpenWindow
from tests.browser.steps import look
from tests.browser.test_marking import batch_url, button, saved


@pytest.fixture
def staff() -> User:
    staff = factories.make_user(name="Ani")
    User.objects.filter(pk=staff.pk).update(language="en")
    return staff


@pytest.fixture
def given(staff: User) -> list[Assignment]:
    batch = factories.make_batch(staff=staff, records=6)
    return list(Assignment.objects.filter(request=batch).order_by("record_id"))


def row(page: Page, assignment: Assignment):
    return page.locator(f"#row-{assignment.pk}")


@pytest.mark.parametrize("dark", [False, True])
def test_a_batch_is_worked_with_keys_alone(
    dark: bool, window: OpenWindow, staff: User, given: list[Assignment]
) -> None:
    seen = window(staff, dark=dark)
    seen.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = seen.open(batch_url(given))
    page.keyboard.press("1")  # the next one to check is the one that is meant
    saved(given[0], "ada")
    for key in "jjkk":
        page.keyboard.press(key)
    expect(row(page, given[0])).to_be_focused()
    page.keyboard.press("j")
    expect(row(page, given[1])).to_be_focused()
    page.keyboard.press("3")
    page.keyboard.press("5")
    saved(given[1], "tidak", "tidak")
    expect(row(page, given[1])).to_be_focused()
    page.keyboard.press("c")
    expect(row(page, given[1]).locator("[data-key=c]")).to_contain_text("Copied")
    assert given[1].record.phone in page.evaluate("navigator.clipboard.readText()")
    expect(page.locator(f"#tries-{given[1].pk}")).to_contain_text("Copied")
    with seen.context.expect_page() as opened:
        page.keyboard.press("o")
    opened.value.close()
    expect(page.locator(f"#tries-{given[1].pk}")).to_contain_text("Opened")
    assert set(ContactAttempt.objects.values_list("kind", flat=True)) == {"copy", "open"}
    look(seen)
    # What a window on another site says is not ours.
    seen.problems.clear()


def test_undo_takes_back_one_after_the_other(
    window: OpenWindow, staff: User, given: list[Assignment]
) -> None:
    page = window(staff).open(batch_url(given))
    for assignment in given[:3]:
        button(page, assignment, "reach", "ada").click()
        saved(assignment, "ada")
    expect(page.locator("#n-ada")).to_have_text("3")
    page.keyboard.press("u")
    page.keyboard.press("u")
    saved(given[2], None)
    saved(given[1], None)
    expect(page.locator("#n-ada")).to_have_text("1")
    expect(button(page, given[2], "reach", "ada")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("u")
    saved(given[0], None)
    page.keyboard.press("u")
    expect(page.locator("#toasts")).to_contain_text("Nothing to undo")


def test_the_toast_undoes_too(window: OpenWindow, staff: User, given: list[Assignment]) -> None:
    seen = window(staff, phone=True)
    page = seen.open(batch_url(given))
    button(page, given[1], "response", "ya").click()
    saved(given[1], None, "ya")
    page.locator("#toasts").get_by_role("button", name="Undo", exact=True).click()
    saved(given[1], None)
    expect(button(page, given[1], "response", "ya")).to_have_attribute("aria-pressed", "false")
    look(seen)


def test_no_key_works_while_typing(
    window: OpenWindow, staff: User, given: list[Assignment]
) -> None:
    page = window(staff).open(batch_url(given))
    page.keyboard.press("/")
    search = page.get_by_role("searchbox").locator("visible=true")
    expect(search).to_be_focused()
    page.keyboard.type("1?cju")
    expect(search).to_have_value("1?cju")
    expect(page.locator("#keys")).to_be_hidden()
    page.wait_for_load_state("networkidle")
    assert not Assignment.objects.exclude(reach=None).exists()


def test_the_list_of_keys_names_those_of_the_page(
    window: OpenWindow, staff: User, given: list[Assignment]
) -> None:
    seen = window(staff)
    page = seen.open(batch_url(given))
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(keys).to_contain_text("Ada, Ceklis 1, Tidak")
    expect(keys).to_contain_text("Go to requests")
    expect(keys.get_by_text("Approve", exact=True)).to_be_hidden()
    look(seen)
    page.keyboard.press("1")
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.wait_for_url("**/request/")
    assert not Assignment.objects.exclude(reach=None).exists()


def test_switched_off_no_single_key_does_anything(
    window: OpenWindow, staff: User, given: list[Assignment]
) -> None:
    User.objects.filter(pk=staff.pk).update(shortcuts=False)
    seen = window(staff)
    page = seen.open(batch_url(given))
    for key in "1345?/cjgru":
        page.keyboard.press(key)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.activeElement === document.body")
    expect(page.locator(".kbd").locator("visible=true")).to_have_count(0)
    assert page.url.endswith(batch_url(given))
    assert not Assignment.objects.exclude(reach=None).exists()
    look(seen)


def test_requests_are_decided_with_keys(window: OpenWindow, staff: User) -> None:
    citra = factories.make_admin(name="Citra")
    User.objects.filter(pk=citra.pk).update(language="en")
    database = factories.make_database(records=20)
    asked = [factories.make_pending(staff=staff, database=database) for _request in range(3)]
    page = window(citra).open("/manage/databases/")
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.wait_for_url("**/manage/requests/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("tbody input[type=checkbox]:checked")).to_have_count(1)
    page.keyboard.press("x")
    page.keyboard.press("a")
    expect(page.locator(f"#request-{asked[1].pk}")).to_contain_text("Approved")
    statuses = list(RecordRequest.objects.order_by("pk").values_list("status", flat=True))
    assert statuses == ["pending", "approved", "pending"]
