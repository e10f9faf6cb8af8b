"""What every page shares: navigation, theme, toasts, a lost connection, and no scripts at all."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from accounts.models import User
from tests import factories
from tests.browser.conftest import OpenWindow

WIDTHS = [{"width": width, "height": 800} for width in (320, 390, 768, 1024, 1280)]


@pytest.fixture
def admin() -> User:
    return _in_english(factories.make_admin(name="Citra"))


@pytest.fixture
def staff() -> User:
    return _in_english(factories.make_user(name="Ani"))


def _in_english(user: User) -> User:
    User.objects.filter(pk=user.pk).update(language="en")
    return user


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_for_what_is_not_there_keeps_nobody_out(
    window: OpenWindow, staff: User, dark: bool
) -> None:
    shown = window(staff, dark=dark)
    shown.open("/nowhere/")
    for size in WIDTHS:
        shown.page.set_viewport_size(size)
        assert shown.sideways_scroll() <= 0, size
    for size in WIDTHS[1], WIDTHS[-1]:
        shown.page.set_viewport_size(size)
        assert shown.findings() == [], size
    shown.problems[:] = [text for text in shown.problems if "404" not in text]


def test_the_sidebar_is_a_drawer_on_a_phone_and_gives_the_focus_back(
    window: OpenWindow, admin: User
) -> None:
    shown = window(admin, phone=True)
    page = shown.open("/manage/databases/")
    opener = page.get_by_role("link", name="Open menu")
    expect(page.get_by_role("link", name="People")).to_be_hidden()
    opener.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("link", name="People")).to_be_visible()
    assert shown.findings() == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(opener).to_be_focused()
    opener.click()
    page.get_by_role("link", name="Requests").click()
    expect(page).to_have_url(re.compile("/manage/requests/"))


def test_the_menu_opens_without_scripts_too(window: OpenWindow, admin: User) -> None:
    page = window(admin, phone=True, scripts=False).open("/manage/databases/")
    page.get_by_role("link", name="Open menu").click()
    page.get_by_role("link", name="People").click()
    expect(page).to_have_url(re.compile("/manage/people/"))


def test_the_theme_follows_the_device_until_one_is_chosen(window: OpenWindow, admin: User) -> None:
    page = window(admin, dark=True).open("/manage/databases/")
    root = page.locator("html")
    expect(root).to_have_class(re.compile(r"\bdark\b"))
    page.get_by_role("button", name="Switch to light theme").click()
    expect(root).not_to_have_class(re.compile(r"\bdark\b"))
    page.reload()
    expect(root).to_have_class(re.compile(r"\blight\b"))


def test_a_toast_goes_by_itself_but_not_while_someone_reads_it(
    window: OpenWindow, staff: User
) -> None:
    page = window(staff).open("/more/")
    page.clock.install()
    page.evaluate("htmx.trigger(document.body, 'toast:show', {text: 'Budi: Ada'})")
    toast = page.get_by_role("status").filter(has_text="Budi: Ada")
    expect(toast).to_be_visible()
    toast.hover()
    page.clock.run_for(10_000)
    expect(toast).to_be_visible()
    page.mouse.move(0, 0)
    page.clock.run_for(5_000)
    expect(toast).to_be_visible()
    page.clock.run_for(2_000)
    expect(toast).to_have_count(0)


def test_a_lost_connection_is_said_until_it_is_back(window: OpenWindow, staff: User) -> None:
    shown = window(staff)
    page = shown.open("/more/")
    line = page.locator("#offline")
    expect(line).to_be_hidden()
    shown.context.set_offline(True)
    expect(line).to_contain_text("No connection")
    assert shown.findings() == []
    shown.context.set_offline(False)
    expect(line).to_be_hidden()


def test_an_answer_that_failed_is_said_once(window: OpenWindow, staff: User) -> None:
    shown = window(staff)
    page = shown.open("/more/")
    answer = {"status": 500, "headers": {"X-Request-Id": "c0ffee"}, "body": "broken"}
    page.route("**/broken/", lambda route: route.fulfill(**answer))
    for _ in range(2):
        page.evaluate("htmx.ajax('GET', '/broken/', {target: 'h1'})")
    toast = page.get_by_role("alert").filter(has_text="Incident: c0ffee")
    expect(toast).to_have_count(1)
    expect(page.locator("h1")).to_have_text("More")
    shown.problems[:] = [text for text in shown.problems if "500" not in text]


def test_a_slash_goes_to_the_search_but_is_a_letter_while_typing(
    window: OpenWindow, admin: User
) -> None:
    page = window(admin).open("/manage/databases/")
    page.keyboard.press("/")
    search = page.get_by_role("searchbox")
    expect(search).to_be_focused()
    page.keyboard.type("a/b")
    expect(search).to_have_value("a/b")
