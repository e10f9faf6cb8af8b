"""What people do again and again on their way through the site."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.conftest import Watched

PASSWORD = "kopi-susu-panas-2026"


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    """Fill in the form that stands on the page and send it."""
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def look(shown: Watched) -> None:
    """Say that nothing on the page as it stands keeps anybody out or moves sideways."""
    where = shown.page.url
    if shown.scripts:  # axe is one
        findings = shown.findings()
        assert findings == [], f"{where}: {findings}"
    assert shown.sideways_scroll() <= 0, where
