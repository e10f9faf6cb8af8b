"""An upload over a line that breaks: what has arrived stays, and the form waits for the file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Route, expect

from accounts.models import User
from databases.models import Import, Product, ReceivedFile
from databases.services import receiving
from tests import factories
from tests.browser.conftest import OpenWindow, Watched
from tests.browser.steps import look

SIZE = 900 * 1024
PIECES = re.compile(r"/upload/receive/[0-9a-f-]{36}/\?offset=")
CHECK = re.compile(r"/imports/\d+/check/$")


@pytest.fixture(autouse=True)
def _no_jobs_left(transactional_db: None) -> Iterator[None]:
    """The queue's tables are not Django's to empty."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")


@pytest.fixture
def citra(settings: Any, tmp_path: Path) -> User:
    settings.MEDIA_ROOT = tmp_path / "media"
    admin = factories.make_admin(name="Citra", email="citra@example.com")
    User.objects.update(language="en")
    return admin


@pytest.fixture
def product(citra: User) -> Product:
    return factories.make_product(name="Kopi")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A list that needs several pieces."""
    rows = (f"user{i};Nama {i};0812{i:08};Solo" for i in range(50_000))
    path = tmp_path / "pelanggan.csv"
    path.write_text("\n".join(["Username;Nama;No HP;Kota", *rows])[:SIZE])
    return path


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "PIECE_MAX_BYTES", 100_000)


def _choose(shown: Watched, file: Path) -> None:
    shown.open("/manage/databases/upload/")
    shown.page.get_by_label("Drop a CSV or Excel file").set_input_files(file)


def _forget_broken_line(shown: Watched) -> None:
    """What the browser says of a line that the test itself broke."""
    shown.problems[:] = [p for p in shown.problems if "net::ERR_" not in p]


def test_it_goes_on_where_it_stopped_and_the_form_goes_by_itself(
    window: OpenWindow, citra: User, product: Product, file: Path
) -> None:
    shown = window(citra)
    page, sent = shown.page, []

    def breaks(route: Route) -> None:
        sent.append(int(route.request.url.split("offset=")[1]))
        if len(sent) == 3:
            route.abort()  # it never arrives
        elif len(sent) == 5:
            route.fetch()  # it arrives, and its answer is lost
            route.abort()
        elif len(sent) == 7:
            shown.context.set_offline(True)
            route.abort()
        else:
            route.continue_()

    page.route(PIECES, breaks)
    _choose(shown, file)
    page.get_by_label("Product").select_option(label="Kopi")
    expect(page.get_by_label("Name")).to_have_value("pelanggan")
    page.get_by_label("Description").fill("dari Rina")
    page.get_by_role("button", name="Continue to column check").click()
    expect(
        page.get_by_text("The form goes on by itself when the file has arrived.")
    ).to_be_visible()
    expect(page.locator("#offline")).to_be_visible()
    expect(page.get_by_text("Connection lost, trying again…")).to_be_visible()
    look(shown)
    shown.context.set_offline(False)
    expect(page).to_have_url(CHECK, timeout=30_000)

    source = Import.objects.get()
    assert (source.size, source.description) == (SIZE, "dari Rina")
    assert Path(source.file.path).read_bytes() == file.read_bytes()
    assert sent == sorted(sent)  # never from before where it stopped
    assert len(sent) == len(set(sent)) + 2  # again: only the two that had not arrived
    _forget_broken_line(shown)


def test_a_refused_form_never_needs_the_file_again(
    window: OpenWindow, citra: User, product: Product, file: Path
) -> None:
    shown = window(citra, phone=True, dark=True)
    page = shown.page
    _choose(shown, file)
    expect(page.get_by_text("pelanggan.csv has arrived")).to_be_visible()
    look(shown)
    assert ReceivedFile.objects.get().sha256
    page.get_by_label("Product").select_option(label="Kopi")
    Product.objects.update(archived_at="2026-01-01T00:00Z")  # meanwhile, so that it is refused
    page.get_by_role("button", name="Continue to column check").click()
    expect(page.get_by_text("Select a valid choice")).to_be_visible()
    expect(page.get_by_text("pelanggan.csv has arrived")).to_be_visible()
    Product.objects.update(archived_at=None)
    shown.page.evaluate(
        "id => document.querySelector('#id_product').append(new Option('Kopi', id, true, true))",
        product.pk,
    )
    page.get_by_role("button", name="Continue to column check").click()
    expect(page).to_have_url(CHECK)
    assert Import.objects.get().size == SIZE


def test_it_says_how_far_it_is_and_can_be_cancelled(
    window: OpenWindow, citra: User, product: Product, file: Path
) -> None:
    shown = window(citra, phone=True)
    page, held = shown.page, []

    def stalls(route: Route) -> None:
        if route.request.url.endswith("offset=300000"):
            held.append(route)  # neither answered nor broken
        else:
            route.continue_()

    page.route(PIECES, stalls)
    _choose(shown, file)
    expect(page.get_by_text("32%")).to_be_visible()
    expect(page.get_by_text("0.3 of 0.9 MB")).to_be_visible()
    assert ReceivedFile.objects.get().arrived == 300_000
    look(shown)
    with page.expect_response(re.compile("/cancel/$")):
        page.get_by_role("button", name="Cancel upload").click()
    expect(page.get_by_text("32%")).to_be_hidden()
    assert not ReceivedFile.objects.exists()
    expect(page.get_by_label("Drop a CSV or Excel file")).to_have_value("")


def test_what_the_server_refuses_is_said_beside_the_file(
    window: OpenWindow, citra: User, product: Product, file: Path
) -> None:
    shown = window(citra)
    for _time in range(receiving.UNFINISHED_MAX):
        receiving.begin_receiving(name="a.csv", size=10, by=citra)
    _choose(shown, file)
    expect(shown.page.get_by_text("uploads of yours are still on their way")).to_be_visible()
    look(shown)


def test_without_scripts_the_plain_form_takes_the_file(
    window: OpenWindow, citra: User, product: Product, file: Path
) -> None:
    shown = window(citra, scripts=False)
    _choose(shown, file)
    shown.page.get_by_label("Product").select_option(label="Kopi")
    shown.page.get_by_role("button", name="Continue to column check").click()
    expect(shown.page).to_have_url(CHECK)
    assert Import.objects.get().size == SIZE
