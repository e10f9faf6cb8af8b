"""The main job from end to end: a file becomes customers in a staff member's hand, and marks."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from databases.models import Product
from tests import factories
from tests.browser.conftest import OpenWindow, Watched, Worker
from tests.browser.steps import PASSWORD, look, sign_in

SAMPLES = settings.BASE_DIR / "tests" / "samples"
PATIENCE = 30_000  # ms for what the worker does, on a busy machine


@dataclass
class People:
    admin: User
    staff: User
    product: Product


@pytest.fixture
def people() -> People:
    admin = factories.make_admin(name="Citra", email="citra@example.com", password=PASSWORD)
    staff = factories.make_user(name="Ani", email="ani@example.com", password=PASSWORD)
    User.objects.update(language="en")
    return People(admin, staff, factories.make_product(name="Kopi"))


def expected_of(file: str) -> dict[str, Any]:
    manifest = json.loads((SAMPLES / "manifest.json").read_text())
    return next(entry["expect"] for entry in manifest["files"] if entry["file"] == file)


@pytest.mark.parametrize(
    ("dark", "file", "asked", "given"),
    [(False, "06_nomor_campur.csv", 17, 12), (True, "19_lima_ribu.xlsx", 40, 20)],
    ids=["light", "dark"],
)
def test_from_a_file_to_an_answer(
    window: OpenWindow,
    worker: Worker,
    people: People,
    dark: bool,
    file: str,
    asked: int,
    given: int,
) -> None:
    desk, phone = window(dark=dark), window(phone=True, dark=dark)
    _come_in(desk, "citra@example.com", "/manage/databases/")
    _upload(desk, file)
    _check_and_import(desk, worker, file)
    _read_the_report(desk, file)

    _come_in(phone, "ani@example.com", "/batches/")
    _ask(phone, asked)
    _approve(desk, asked, given)

    customer = _open_the_batch(phone, given)
    _write_to(phone, customer)
    _mark(phone, customer, given)
    _look_back(phone, customer)
    _read_the_book(desk, asked, given)


def _come_in(shown: Watched, email: str, arrives_at: str) -> None:
    shown.open("/")
    look(shown)
    sign_in(shown.page, email)
    expect(shown.page).to_have_url(shown.base + arrives_at)
    look(shown)


def _upload(desk: Watched, file: str) -> None:
    page = desk.page
    desk.open("/manage/databases/upload/")
    look(desk)
    page.get_by_label("Product").select_option(label="Kopi")
    with page.expect_file_chooser() as chooser:
        page.get_by_label("Drop a CSV or Excel file").click()
    chooser.value.set_files(SAMPLES / file)
    expect(page.get_by_label("Name")).to_have_value(file.rsplit(".", 1)[0])
    page.get_by_role("button", name="Continue to column check").click()
    expect(page).to_have_url(re.compile(r"/imports/\d+/check/$"))


def _check_and_import(desk: Watched, worker: Worker, file: str) -> None:
    page, expected = desk.page, expected_of(file)
    ready = f"{expected['accepted']:,}"
    importing = page.get_by_role("button", name=re.compile(r"^Import [\d,]+ rows$"))
    expect(importing).to_be_enabled(timeout=PATIENCE)
    expect(page.get_by_text(f"{ready} ready", exact=True)).to_be_visible()
    expect(page.locator("tr.cols-h")).to_contain_text(expected["phone_column"])
    expect(page.locator(".preview tbody tr").first).to_contain_text(expected["records"][0]["name"])
    look(desk)
    with worker.held():
        importing.click()
        expect(page).to_have_url(re.compile(r"/imports/\d+/progress/$"))
        expect(page.locator("#import-progress progress")).to_be_visible()
        look(desk)
    expect(page).to_have_url(re.compile(r"/imports/\d+/report/$"), timeout=PATIENCE)


def _read_the_report(desk: Watched, file: str) -> None:
    expected = expected_of(file)
    cells = desk.page.locator("#outcomes tr td:last-child").all_inner_texts()
    # Below a number stands the way to its rows.
    numbers = [int(text.split()[0].replace(",", "")) for text in cells]
    ready, attention, duplicate, blank, read = numbers
    assert ready == expected["accepted"]
    assert attention + duplicate == expected["rejected_rows"]
    assert ready + attention + duplicate + blank == read
    look(desk)


def _ask(phone: Watched, asked: int) -> None:
    page = phone.page
    page.get_by_role("link", name="Request", exact=True).click()
    expect(page.get_by_role("heading", name="Request records")).to_be_visible()
    page.locator("details.dbc summary").click()
    look(phone)
    quantity = page.get_by_label("Quantity", exact=True)
    page.get_by_role("button", name="10 fewer").click()
    page.get_by_role("button", name="10 fewer").click()
    while int(quantity.input_value()) < asked:
        page.get_by_role("button", name="10 more").click()
    expect(quantity).to_have_value(str(asked))
    page.get_by_label("Note").fill("Untuk akhir pekan")
    page.get_by_role("button", name=f"Request {asked} records").click()
    expect(page.locator("#waiting")).to_contain_text(f"{asked} records")
    expect(page.locator("#room")).to_contain_text(f"{asked} waiting")
    look(phone)


def _approve(desk: Watched, asked: int, given: int) -> None:
    page = desk.page
    desk.open("/manage/databases/")
    page.get_by_role("link", name=re.compile(r"^Requests ?, 1 waiting$")).click()
    row = page.get_by_role("row").filter(has_text="Ani")
    expect(row).to_contain_text("Untuk akhir pekan")
    look(desk)
    row.get_by_label("Records to give Ani").fill(str(given))
    row.get_by_role("button", name="Approve").click()
    expect(row).to_contain_text(f"{given} of {asked}")
    expect(page.locator("#queue-sub")).to_contain_text("none waiting")
    look(desk)


def _open_the_batch(phone: Watched, given: int) -> Locator:
    """Open the new batch and give the row of a customer in the middle of it."""
    page = phone.page
    page.get_by_role("link", name="Batch", exact=True).click()
    expect(page.locator("article.bt")).to_contain_text(f"0/{given} done")
    look(phone)
    page.get_by_role("link", name=re.compile("^Start with ")).click()
    rows = page.locator("tr[id^=row-]")
    expect(rows).to_have_count(given)
    look(phone)
    local = rows.filter(has=page.locator("a[href^='https://wa.me/628']"))
    row_id = local.nth(local.count() // 2).get_attribute("id")
    return page.locator(f"#{row_id}")


def _write_to(phone: Watched, customer: Locator) -> None:
    page = phone.page
    phone.context.grant_permissions(["clipboard-read", "clipboard-write"])
    customer.get_by_role("button", name="Copy WhatsApp link").click()
    expect(customer.locator("[data-copy]")).to_contain_text("Link copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(r"https://wa\.me/628\d{8,11}", copied)
    opening = customer.get_by_role("link", name="Open WhatsApp")
    assert opening.get_attribute("href") == copied
    assert opening.get_attribute("target") == "_blank"
    assert opening.get_attribute("rel") == "noopener noreferrer"


def _mark(phone: Watched, customer: Locator, given: int) -> None:
    page = phone.page
    page.evaluate("window.sameDocument = true")
    ada = customer.get_by_role("button", name="Ada", exact=True)
    ya = customer.get_by_role("button", name="Ya", exact=True)
    # Clear of the toast: the browser would scroll to reach what lies under it.
    customer.evaluate("row => row.scrollIntoView({ block: 'center', behavior: 'instant' })")
    height = page.evaluate("scrollY")
    ada.click()
    expect(page.locator("#n-ada")).to_have_text("1")
    expect(page.locator("#progress")).to_contain_text(f"1/{given} done")
    expect(page.locator("#progress")).to_contain_text("1 Ada")
    expect(page.locator("#progress progress")).to_have_attribute("value", "1")
    expect(ada).to_be_focused()
    ya.click()
    expect(page.locator("#progress")).to_contain_text("1 Ya")
    expect(ya).to_be_focused()
    page.wait_for_timeout(400)  # longer than a double tap
    ya.click()
    expect(page.locator("#progress")).to_contain_text("0 Ya")
    expect(ya).to_have_attribute("aria-pressed", "false")
    expect(ada).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("scrollY") == height
    assert page.evaluate("window.sameDocument")
    look(phone)


def _look_back(phone: Watched, customer: Locator) -> None:
    page = phone.page
    history = customer.get_by_role("link", name="History")
    address = history.get_attribute("href")
    history.click()
    expect(page.get_by_role("dialog")).to_contain_text("Ani")
    look(phone)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    phone.open(str(address))
    changes = page.locator("main ol li")
    told = ("Cleared", "Ya", "Ada", "Copied", "Handed out to you")
    expect(changes).to_have_count(len(told))
    for line, text in enumerate(told):
        expect(changes.nth(line)).to_contain_text(text)
    look(phone)


def _read_the_book(desk: Watched, asked: int, given: int) -> None:
    page = desk.page
    page.get_by_role("link", name="Activity").click()
    feed = page.locator(".feed")
    for act in (
        "Citra signed in",
        "Citra uploaded",
        "Citra started the import of",
        "Ani signed in",
        f"Ani asked for {asked} records of",
        f"Citra approved {given} records of",
    ):
        expect(feed.locator("li").filter(has_text=act)).to_have_count(1)
    expect(feed).to_contain_text(re.compile(r"imported .+: [\d,]+ ready"))
    look(desk)
    page.get_by_label("Kind").select_option(label="Customers shown")
    page.get_by_role("button", name="Filter").click()
    expect(feed).to_contain_text(f"Ani saw {given} customers of the batch")


def test_the_same_path_without_javascript(
    window: OpenWindow, worker: Worker, people: People
) -> None:
    desk, phone = window(scripts=False), window(phone=True, scripts=False)
    file, asked, given = "06_nomor_campur.csv", 9, 7
    _sign_in_plainly(desk, "citra@example.com", "/manage/databases/")
    with worker.held():
        _upload_plainly(desk.page, file)
    _import_plainly(desk, worker)
    _read_the_report(desk, file)

    _sign_in_plainly(phone, "ani@example.com", "/batches/")
    page = phone.page
    page.get_by_role("link", name="Request", exact=True).click()
    page.locator("details.dbc summary").click()
    expect(page.get_by_role("button", name="10 more")).to_be_hidden()
    page.get_by_label("Quantity", exact=True).fill(str(asked))
    page.get_by_role("button", name="Request", exact=True).click()
    expect(page.locator("#waiting")).to_contain_text(f"{asked} records")
    look(phone)

    desk.open("/manage/requests/")
    desk.page.get_by_label("Records to give Ani").fill(str(given))
    desk.page.get_by_role("button", name="Approve the request of Ani").click()
    expect(desk.page.locator("#queue-sub")).to_contain_text("none waiting")
    look(desk)

    _work_plainly(phone, given)
    desk.page.get_by_role("link", name="Activity").click()
    expect(desk.page.locator(".feed")).to_contain_text(f"Citra approved {given} records of")


def _sign_in_plainly(shown: Watched, email: str, arrives_at: str) -> None:
    shown.open("/")
    sign_in(shown.page, email)
    expect(shown.page).to_have_url(shown.base + arrives_at)


def _upload_plainly(page: Page, file: str) -> None:
    page.get_by_role("link", name="Upload database").first.click()
    page.get_by_label("Product").select_option(label="Kopi")
    page.get_by_label("Name").fill("Pelanggan Januari")
    page.get_by_label("Drop a CSV or Excel file").set_input_files(SAMPLES / file)
    page.get_by_role("button", name="Continue to column check").click()
    expect(page.get_by_text("Reading the file")).to_be_visible()
    page.get_by_role("link", name="Reload").click()
    expect(page.get_by_text("Reading the file")).to_be_visible()


def _import_plainly(desk: Watched, worker: Worker) -> None:
    page = desk.page
    importing = page.get_by_role("button", name=re.compile(r"^Import [\d,]+ rows$"))
    expect(importing).to_be_enabled(timeout=PATIENCE)  # the page asks again by itself
    look(desk)
    with worker.held():
        importing.click()
        expect(page).to_have_url(re.compile(r"/imports/\d+/progress/$"))
        page.get_by_role("link", name="Reload").click()
        expect(page.locator("#import-progress progress")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/imports/\d+/report/$"), timeout=PATIENCE)


def _work_plainly(phone: Watched, given: int) -> None:
    page = phone.page
    page.get_by_role("link", name="Batch", exact=True).click()
    page.get_by_role("link", name=re.compile("^Start with ")).click()
    rows = page.locator("tr[id^=row-]")
    expect(rows).to_have_count(given)
    customer = page.locator(f"#{rows.nth(3).get_attribute('id')}")
    expect(customer.locator("[data-copy]")).to_be_hidden()
    opening = customer.get_by_role("link", name="Open WhatsApp")
    expect(opening).to_contain_text("Open WhatsApp")
    assert re.fullmatch(r"https://wa\.me/\d{8,15}", str(opening.get_attribute("href")))
    customer.get_by_role("button", name="Ada", exact=True).click()
    expect(page.locator("#progress")).to_contain_text("1 Ada")
    customer.get_by_role("button", name="Ya", exact=True).click()
    expect(page.locator("#progress")).to_contain_text("1 Ya")
    customer.get_by_role("button", name="Ya", exact=True).click()
    expect(page.locator("#progress")).to_contain_text("0 Ya")
    look(phone)
    customer.get_by_role("link", name="History").click()
    expect(page.locator("main ol")).to_contain_text("Cleared")
    look(phone)
