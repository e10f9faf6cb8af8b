"""Being out: signed out meanwhile, no longer let in, without a connection, or too late."""

from __future__ import annotations

import re

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from assignments.models import Assignment
from assignments.services.recall import recall
from tests import factories
from tests.browser.conftest import OpenWindow, Watched
from tests.browser.steps import PASSWORD, look, sign_in


@pytest.fixture
def ani() -> User:
    ani = factories.make_user(name="Ani", email="ani@example.com", password=PASSWORD)
    User.objects.update(language="en")
    return ani


@pytest.fixture
def customer(ani: User) -> Assignment:
    batch = factories.make_batch(staff=ani, records=6)
    return Assignment.objects.filter(request=batch).order_by("record_id")[2]


def batch_of(customer: Assignment) -> str:
    return f"/batches/{customer.request_id}/"


def row_of(page: Page, customer: Assignment) -> Locator:
    return page.locator(f"#row-{customer.pk}")


def forget(shown: Watched, *expected: str) -> None:
    """Let go of lines that the browser itself writes about an answer that the page shows."""
    shown.problems[:] = [
        line for line in shown.problems if not any(text in line for text in expected)
    ]


def test_a_wrong_password_is_said_and_the_address_stays(window: OpenWindow, ani: User) -> None:
    shown = window(phone=True)
    page = shown.open("/")
    sign_in(page, ani.email, "not-the-password")
    expect(page.get_by_role("alert").filter(has_text="E-mail or password is wrong")).to_be_visible()
    expect(page.get_by_label("E-mail")).to_have_value(ani.email)
    expect(page.get_by_label("Password", exact=True)).to_have_value("")
    look(shown)
    sign_in(page, ani.email)
    expect(page).to_have_url(f"{shown.base}/batches/")


def test_a_tap_after_the_session_ended_leads_through_the_door_and_back(
    window: OpenWindow, ani: User, customer: Assignment
) -> None:
    shown = window(ani, phone=True)
    page = shown.open(batch_of(customer))
    Session.objects.all().delete()
    row_of(page, customer).get_by_role("button", name="Ada", exact=True).click()
    expect(page).to_have_url(re.compile(r"/signin/\?next="))
    look(shown)
    sign_in(page, ani.email)
    expect(page).to_have_url(re.compile(re.escape(batch_of(customer))))
    ada = row_of(page, customer).get_by_role("button", name="Ada", exact=True)
    expect(ada).to_have_attribute("aria-pressed", "false")  # nothing was saved, nothing pretends
    ada.click()
    expect(page.locator("#n-ada")).to_have_text("1")


def test_a_tap_without_scripts_leads_through_the_door_too(
    window: OpenWindow, ani: User, customer: Assignment
) -> None:
    page = window(ani, phone=True, scripts=False).open(batch_of(customer))
    Session.objects.all().delete()
    row_of(page, customer).get_by_role("button", name="Ada", exact=True).click()
    expect(page).to_have_url(re.compile("/signin/"))
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_back_shows_no_customers_once_signed_out(
    window: OpenWindow, ani: User, customer: Assignment
) -> None:
    shown = window(ani, phone=True)
    page = shown.open(batch_of(customer))
    name = customer.record.name
    expect(page.locator("body")).to_contain_text(name)
    page.get_by_role("link", name="Back").click()
    page.get_by_role("link", name="More", exact=True).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/signin/"))
    for _ in range(3):
        page.go_back()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert name not in page.content()
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert name not in kept
    assert "<" not in kept  # htmx would keep whole pages if it were let


def test_whoever_is_deactivated_is_out_at_the_next_tap(
    window: OpenWindow, ani: User, customer: Assignment
) -> None:
    shown = window(ani, phone=True)
    page = shown.open(batch_of(customer))
    User.objects.filter(pk=ani.pk).update(is_active=False)
    row_of(page, customer).get_by_role("button", name="Ada", exact=True).click()
    expect(page).to_have_url(re.compile("/signin/"))
    sign_in(page, ani.email)
    expect(page.get_by_role("alert").filter(has_text="E-mail or password is wrong")).to_be_visible()
    customer.refresh_from_db()
    assert customer.reach is None


def test_a_customer_recalled_meanwhile_is_said_in_its_row(
    window: OpenWindow, ani: User, customer: Assignment
) -> None:
    shown = window(ani, phone=True)
    page = shown.open(batch_of(customer))
    recall(assignment_ids=[customer.pk], by=factories.make_admin())
    row = row_of(page, customer)
    row.get_by_role("button", name="Ada", exact=True).click()
    expect(row.get_by_role("alert")).to_contain_text("no longer yours")
    expect(row.get_by_role("button", name="Ada", exact=True)).to_have_count(0)
    look(shown)
    customer.refresh_from_db()
    assert customer.reach is None
    forget(shown, "409")
