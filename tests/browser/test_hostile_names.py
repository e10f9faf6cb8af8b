"""Names that are little programs stay names, wherever they are shown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Dialog, expect

from accounts.models import User
from databases.models import Database, Import, Record
from tests import factories
from tests.browser.conftest import OpenWindow, Watched, Worker
from tests.browser.test_every_page import pages_of
from tests.permissions.world import World, make_world

IMAGE = "<img src=x onerror=alert(1)>"
SCRIPT = '"><script>alert(1)</script>'
TEMPLATE = "{{7*7}}"
QUOTES = "' autofocus onfocus='alert(1)"
LINK = "javascript:alert(1)"
HOSTILE = (IMAGE, SCRIPT, TEMPLATE, QUOTES, LINK)
FILE = "Username,Nama,No HP,Catatan\n" + "".join(
    '"{0}",{1},08241234567{2},{1}\n'.format(
        f"{text}-{number}".replace('"', '""'), '"' + text.replace('"', '""') + '"', number
    )
    for number, text in enumerate(HOSTILE)
)


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.MEDIA_ROOT = tmp_path / "media"
    citra = factories.make_admin(name=f"Citra {IMAGE}")
    ani = factories.make_user(name=f"Ani {SCRIPT}")
    budi = factories.make_user(name=f"Budi {TEMPLATE}")
    factories.make_product(name=f"Kopi {QUOTES}")
    User.objects.update(language="en")
    return make_world(ani, budi, citra)


def quiet(shown: Watched) -> Watched:
    """Let any dialog, and any picture that a name asks for, be a failure."""

    def noted(dialog: Dialog) -> None:
        shown.problems.append(f"a name ran: {dialog.message}")
        dialog.dismiss()

    shown.page.on("dialog", noted)
    shown.page.on(
        "request",
        lambda asked: asked.url.endswith("/x") and shown.problems.append(f"asked for {asked.url}"),
    )
    return shown


def is_inert(shown: Watched) -> None:
    """Say that no name became an element, an attribute or an address, and none was computed."""
    strange = shown.page.evaluate(
        """() => [...document.querySelectorAll(
            'img[src="x"], script:not([src]), [onerror], [onfocus], [href^="javascript:"]'
        )].map(element => element.outerHTML)"""
    )
    assert strange == [], shown.page.url
    assert "&amp;lt;" not in shown.page.content(), shown.page.url  # not escaped twice either


def test_an_imported_file_of_programs_is_only_text(
    window: OpenWindow, worker: Worker, world: World
) -> None:
    desk, phone = quiet(window(world.citra)), quiet(window(world.ani, phone=True))
    page = desk.open("/manage/databases/upload/")
    page.get_by_label("Product").select_option(label=f"Kopi {QUOTES}")
    page.get_by_label("Name").fill(SCRIPT)
    page.get_by_label("Description").fill(IMAGE)
    page.get_by_label("Drop a CSV or Excel file").set_input_files(
        {"name": f"{TEMPLATE}{QUOTES}.csv", "mimeType": "text/csv", "buffer": FILE.encode()}
    )
    page.get_by_role("button", name="Continue to column check").click()
    importing = page.get_by_role("button", name="Import 5 rows")
    expect(importing).to_be_enabled(timeout=30_000)
    for text in HOSTILE:
        expect(page.locator(".preview")).to_contain_text(text)
    is_inert(desk)
    importing.click()
    expect(page).to_have_url(re.compile("/report/$"), timeout=30_000)
    is_inert(desk)
    page.get_by_role("link", name="Open database").click()
    for text in HOSTILE:
        expect(page.locator("#rows")).to_contain_text(text)
    is_inert(desk)

    page = phone.open("/request/")
    card = page.locator("details.dbc").filter(has_text=SCRIPT)
    card.locator("summary").click()
    card.get_by_label("Quantity", exact=True).fill("5")
    card.get_by_label("Note").fill(SCRIPT)
    is_inert(phone)
    card.get_by_role("button", name="Request 5 records").click()
    expect(page.locator("#waiting")).to_contain_text(f"“{SCRIPT}”")
    is_inert(phone)

    page = desk.open("/manage/requests/")
    row = page.get_by_role("row").filter(has_text=f"“{SCRIPT}”")
    is_inert(desk)
    row.get_by_role("button", name="Approve").click()
    expect(row).to_contain_text("5 of 5")
    is_inert(desk)
    _work_through(phone)
    for path in ("/manage/activity/?kind=all", "/manage/databases/", "/manage/requests/history/"):
        desk.open(path)
        is_inert(desk)


def _work_through(phone: Watched) -> None:
    page = phone.open("/batches/")
    page.get_by_role("link", name=SCRIPT, exact=True).click()
    rows = page.locator("tr[id^=row-]")
    expect(rows).to_have_count(len(HOSTILE))
    is_inert(phone)
    for text in HOSTILE:
        row = rows.filter(has_text=text).first
        assert re.fullmatch(
            r"https://wa\.me/628241234567\d",
            str(row.get_by_role("link", name="Open WhatsApp").get_attribute("href")),
        )
        row.get_by_role("button", name="Ada", exact=True).click()
    expect(page.locator("#n-ada")).to_have_text(str(len(HOSTILE)))
    page.get_by_role("link", name="History").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    is_inert(phone)


def test_every_page_of_people_and_products_with_such_names(
    window: OpenWindow, world: World
) -> None:
    desk, phone = quiet(window(world.citra)), quiet(window(world.ani, phone=True))
    Import.objects.update(name=SCRIPT, original_name=f"{IMAGE}.csv", description=IMAGE)
    factories.make_product(name=f"Teh {SCRIPT}")
    Record.objects.update(name=IMAGE, username=SCRIPT)
    Database.objects.update(name=SCRIPT, description=TEMPLATE)
    for shown, user in ((desk, world.citra), (phone, world.ani)):
        for path in pages_of(user, world):
            shown.open(path)
            is_inert(shown)
            assert "49" not in shown.page.title()
    desk.open(f"/manage/databases/?q={SCRIPT}")
    is_inert(desk)
    for path in ("databases/record/", "databases/database/", "accounts/user/"):
        desk.open(f"/django-admin/{path}")
        assert desk.page.locator('img[src="x"]').count() == 0
