"""Marks without a line: they wait in the page, say so, and go out in order when it is back."""

from __future__ import annotations

import pytest
from playwright.sync_api import Dialog, Page, Route, expect

from accounts.models import User
from assignments.models import Assignment
from tests import factories
from tests.browser.conftest import OpenWindow, Watched
from tests.browser.steps import look
from tests.browser.test_marking import batch_url, button, saved

MARKS = "**/customers/**"


@pytest.fixture
def staff() -> User:
    staff = factories.make_user(name="Ani")
    User.objects.filter(pk=staff.pk).update(language="en")
    return staff


@pytest.fixture
def given(staff: User) -> list[Assignment]:
    batch = factories.make_batch(staff=staff, records=12)
    return list(Assignment.objects.filter(request=batch).order_by("record_id"))


def forget_broken_line(seen: Watched) -> None:
    """What the browser and htmx say of a line that the test itself broke."""
    seen.problems[:] = [
        line for line in seen.problems if "net::ERR_" not in line and "htmx:" not in line
    ]


def kept_on_the_device(page: Page) -> int:
    """Count what the page has stored, wherever pages can."""
    return int(
        page.evaluate(
            # htmx keeps the address of the page, which the browser's own history has too.
            """async () => localStorage.length
                + Object.keys(sessionStorage).filter((key) => !key.startsWith("htmx-")).length
                + (await indexedDB.databases()).length + (await caches.keys()).length
                + (await navigator.serviceWorker.getRegistrations()).length"""
        )
    )


@pytest.mark.parametrize("phone", [True, False])
def test_marks_wait_and_go_out_in_order(
    phone: bool, window: OpenWindow, staff: User, given: list[Assignment]
) -> None:
    seen = window(staff, phone=phone, dark=phone)
    page = seen.open(batch_url(given))
    sent = []
    seen.context.set_offline(True)
    button(page, given[0], "reach", "ada").click()
    waiting = page.locator("#waiting")
    expect(waiting).to_have_text("No connection. 1 mark waits for the line.")
    button(page, given[2], "response", "ya").click()
    button(page, given[1], "reach", "tidak").click()
    button(page, given[0], "reach", "ceklis1").click()  # the last wish wins, and goes last
    expect(waiting).to_have_text("No connection. 3 marks wait for the line.")
    expect(page.locator("#offline")).to_be_hidden()
    expect(button(page, given[0], "reach", "ceklis1")).to_have_attribute("aria-pressed", "true")
    expect(button(page, given[0], "reach", "ceklis1")).to_be_focused()
    page.evaluate("scrollTo(0, 0)")  # where no bar covers half a button
    height = page.evaluate("scrollY")
    assert kept_on_the_device(page) == 0
    look(seen)
    assert not Assignment.objects.exclude(reach=None, response=None).exists()

    page.on(
        "request", lambda request: sent.append(request.url) if "/customers/" in request.url else 0
    )
    seen.context.set_offline(False)
    saved(given[0], "ceklis1")
    saved(given[1], "tidak")
    saved(given[2], None, "ya")
    expect(waiting).to_be_hidden()
    expect(page.locator("#polite")).to_have_text("Connected again. All marks are saved.")
    expect(page.locator("#progress b")).to_contain_text("2/12")
    assert page.evaluate("scrollY") == height
    pks = [int(url.split("/customers/")[1].split("/")[0]) for url in sent if "/customers/" in url]
    assert pks == [given[2].pk, given[1].pk, given[0].pk]
    assert kept_on_the_device(page) == 0
    forget_broken_line(seen)


def test_a_line_that_only_looks_alive_is_tried_again(
    window: OpenWindow, staff: User, given: list[Assignment]
) -> None:
    seen = window(staff, phone=True)
    page, tries = seen.open(batch_url(given)), []

    def broken(route: Route) -> None:
        tries.append(route.request.url)
        if len(tries) == 1:
            route.abort()
        elif len(tries) == 2:
            route.fulfill(status=502, body="")  # somebody before the site, while it starts
        else:
            route.continue_()

    page.route(MARKS, broken)
    button(page, given[0], "reach", "ada").click()
    expect(page.locator("#waiting")).to_be_visible()
    saved(given[0], None)
    deadline = 20_000
    expect(page.locator("#waiting")).to_be_hidden(timeout=deadline)
    saved(given[0], "ada")
    assert len(tries) == 3
    forget_broken_line(seen)
    seen.problems[:] = [line for line in seen.problems if "502" not in line]


def test_leaving_asks_first_while_marks_wait(
    window: OpenWindow, staff: User, given: list[Assignment]
) -> None:
    seen = window(staff, phone=True)
    page, asked = seen.open(batch_url(given)), []
    page.route(MARKS, lambda route: route.abort())
    button(page, given[0], "reach", "ada").click()
    expect(page.locator("#waiting")).to_be_visible()

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.close(run_before_unload=True)
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    page.unroute(MARKS)
    page.evaluate("dispatchEvent(new Event('online'))")
    saved(given[0], "ada")
    forget_broken_line(seen)


def test_a_mark_on_its_way_survives_leaving(
    window: OpenWindow, staff: User, given: list[Assignment]
) -> None:
    seen = window(staff, phone=True)
    page, held = seen.open(batch_url(given)), []

    def stalls(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)  # neither answered nor broken

    page.route(MARKS, stalls)
    button(page, given[0], "reach", "tidak").click()
    page.wait_for_timeout(200)
    page.evaluate("location.href = '/more/'")
    page.wait_for_url("**/more/")
    saved(given[0], "tidak")
    forget_broken_line(seen)


def test_what_has_not_gone_out_is_undone_without_the_line(
    window: OpenWindow, staff: User, given: list[Assignment]
) -> None:
    seen = window(staff)
    page = seen.open(batch_url(given))
    seen.context.set_offline(True)
    button(page, given[0], "reach", "ada").click()
    button(page, given[1], "reach", "tidak").click()
    expect(page.locator("#waiting")).to_contain_text("2 marks wait")
    page.keyboard.press("u")
    expect(page.locator("#waiting")).to_contain_text("1 mark waits")
    expect(button(page, given[1], "reach", "tidak")).to_have_attribute("aria-pressed", "false")
    seen.context.set_offline(False)
    saved(given[0], "ada")
    saved(given[1], None)
    forget_broken_line(seen)
