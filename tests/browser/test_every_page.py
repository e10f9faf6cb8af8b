"""Every page there is, in both themes and languages, from the narrowest phone to a desk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from assignments.models import Assignment
from assignments.services.marks import mark_reach
from batches.models import BatchSetting, ContactAttempt, MessageTemplate
from crm.kernel import clock
from databases.models import Database, DatabaseChange, Import, SkippedRow
from tests import factories
from tests.browser.conftest import OpenWindow, Watched
from tests.databases.helpers import READING, make_import
from tests.permissions.world import OURS, World, make_world

SIZES = [{"width": width, "height": 800} for width in (1280, 1024, 768, 390, 320)]
DESK, PHONE = SIZES[0], SIZES[3]
# Nothing for eyes: what machines ask, and files.
NOT_PAGES = {
    "livez",
    "healthz",
    "databases:not_ready_csv",
    "databases:original_file",
    "databases:receive_piece",
}
LONG = "Pelanggan-Lama_Januari_Sampai_Desember_Cabang_Bekasi_Selatan_(final)"

CORRECTION = READING | {
    "correction": {
        "lines": {"ready": 2, "attention": 1, "duplicate": 1, "untouched": 1, "unknown": 1},
        "reasons": {"invalid_phone": 1},
        "listed": {
            "attention": [[4, "invalid_phone", None]],
            "duplicate": [[5, "duplicate_phone", 2]],
            "untouched": [[2, "", None]],
            "unknown": [[9, "", None]],
        },
    }
}


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.MEDIA_ROOT = tmp_path / "media"
    ani = factories.make_user(name="Anindya Kusumawardhani Prawirohardjonegoro")
    citra = factories.make_admin(name="Citra")
    return make_world(ani, factories.make_user(name="Budi"), citra)


def pages_of(user: User, world: World) -> Iterator[str]:
    """Give the address of every page that is for `user`."""
    client = Client()
    client.force_login(user)
    for address in OURS:
        if address.name in NOT_PAGES or user not in world.admitted(address.audience):
            continue
        path = world.path(address)
        answer = client.get(path)
        # An action has no page, and some addresses only lead to where a thing stands.
        if answer.status_code not in (302, 405):
            assert answer.status_code == 200, path
            yield path


def imports_underway(by: User) -> list[str]:
    """Give the addresses of imports in every state that has a page of its own."""
    state, base = Import.State, "/manage/databases/imports"
    confirmed = {"confirmed_by": by, "confirmed_at": clock.now()}
    long_ago = clock.now() - dt.timedelta(hours=1)
    counting = {key: value for key, value in READING.items() if key != "tally"}
    waiting = make_import(by=by, name=LONG, original_name=f"{LONG}.csv")
    checks = [
        waiting,
        make_import(by=by, state=state.READING, reading=counting, rows_done=3),
        make_import(by=by, state=state.READING, reading={}, sha256=waiting.sha256),
        make_import(by=by, state=state.READING, reading={}, heartbeat_at=long_ago),
        make_import(by=by, state=state.REFUSED, reading={}, problem="empty"),
    ]
    running = {"rows_total": 1_234_567, "rows_done": 345_678, "started_at": long_ago}
    progress = [
        make_import(by=by, state=state.QUEUED),
        make_import(by=by, state=state.RUNNING, heartbeat_at=clock.now(), **running),
        make_import(by=by, state=state.FAILED, problem="disk_full", **confirmed),
    ]
    done = make_import(
        by=by,
        state=state.DONE,
        name=LONG,
        database=factories.make_database(name=LONG, attention=2, by=by),
        finished_at=clock.now(),
        ready=10,
        attention=2,
        duplicate=1,
        blank=1,
    )
    SkippedRow.objects.create(
        source=done, row_number=9, reason="duplicate_phone", same_as=2, cells=["x"]
    )
    return [
        *(f"{base}/{source.pk}/check/" for source in checks),
        *(f"{base}/{source.pk}/progress/" for source in progress),
        f"{base}/{done.pk}/report/",
        f"/manage/databases/{done.database_id}/?state=attention",
        "/manage/databases/?q=nowhere",
        "/manage/requests/?q=nowhere",
        "/manage/activity/?kind=all",
    ]


def pages_of_a_database(by: User) -> list[str]:
    """Give the addresses where a database is repaired, corrected, changed and taken away."""
    state, base = Import.State, "/manage/databases"
    database = factories.make_database(name=LONG, records=3, attention=3, by=by)
    counts = {"ready": 3, "attention": 3, "duplicate": 1, "rows_total": 7}
    source = make_import(by=by, state=state.DONE, name=LONG, database=database, **counts)
    SkippedRow.objects.create(
        source=source, row_number=9, reason="duplicate_phone", same_as=2, cells=[LONG] * 5
    )
    corrected = {"corrects": source, "name": LONG, "original_name": f"{LONG}.csv", "by": by}
    waiting = make_import(reading=CORRECTION, **corrected)
    done = make_import(state=state.DONE, reading=CORRECTION, ready=2, attention=1, **corrected)
    going = factories.make_database(name=LONG, archived_at=clock.now(), archived_by=by)
    Database.objects.filter(pk=going.pk).update(deleted_at=clock.now(), deleted_by=by)
    undone = make_import(by=by, state=state.UNDONE, name=LONG, database=going)
    changed = factories.make_database(name=LONG)
    for one, kind in ((going, "undo"), (changed, "columns")):
        DatabaseChange.objects.create(
            database=one, kind=kind, state="running", created_by=by, rows_total=10, rows_done=3
        )
    ours, imports = f"{base}/{database.pk}", f"{base}/imports"
    return [
        *(f"{ours}/{page}/" for page in ("attention", "archive", "columns", "delete", "undo")),
        f"{ours}/attention/?reason=missing_phone",
        f"{ours}/attention/6/",
        f"{ours}/columns/?show=1&role0=name&role1=username&role2=phone&role4=sensitive",
        f"{ours}/scan/?q=Bekasi",
        f"{imports}/{source.pk}/report/",
        f"{imports}/{source.pk}/rows/",
        f"{imports}/{source.pk}/rows/?only=duplicate",
        f"{imports}/{source.pk}/rows/?row=2",
        f"{imports}/{source.pk}/rows/?row=99",
        f"{imports}/{waiting.pk}/check/",
        f"{imports}/{done.pk}/report/",
        f"{imports}/{undone.pk}/undone/",
        f"{base}/{changed.pk}/",
        f"{base}/{changed.pk}/change/",
    ]


def work_underway(world: World) -> list[str]:
    """Give the addresses of a batch that is being worked on, in every state of its page."""
    batch = reverse("batches:detail", args=[world.things["batch"]])
    first = Assignment.objects.select_related("record").get(pk=world.things["assignment"])
    template = MessageTemplate.objects.get(pk=world.things["template"])
    own = {"staff": world.ani, "database": first.database, "request": first.request}
    BatchSetting.objects.create(**own, title=LONG[:80], pinned_at=clock.now())
    Assignment.objects.filter(pk=first.pk).update(note=f"{LONG}\n{LONG}")
    for kind in ("copy", "open"):
        ContactAttempt.objects.create(
            assignment=first, kind=kind, by=world.ani, template=template, template_name=LONG[:80]
        )
    act = mark_reach(assignment_id=first.pk, reach="ada", by=world.ani)
    at = int(act.at.timestamp() * 1_000_000)
    return [
        "/batches/?show=finished",
        f"{batch}?show=ya",
        f"{batch}?show=unchecked",
        f"{batch}?q=nowhere",
        f"{batch}?select=1&start=0",
        f"{batch}?start=0&field=reach&at={at}",
        f"/batches/search/?q={first.record.phone}",
        "/batches/search/?q=nowhere",
    ]


def go_over(shown: Watched, path: str, language: str, *, thoroughly: bool) -> list[str]:
    """Look at one page from all sides and give what is wrong with it."""
    page, wrong = shown.page, []
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(DESK)
    shown.open(path)
    if page.locator("html").get_attribute("lang") != language:
        wrong.append("language")
    if page.locator("h1").count() != 1 or not page.locator("h1").inner_text().strip():
        wrong.append("heading")
    if page.title().startswith((" ·", "·")):
        wrong.append("title")
    for size in SIZES:
        page.set_viewport_size(size)
        if (pixels := shown.sideways_scroll()) > 0:
            wrong.append(f"{pixels} pixels too wide at {size['width']}")
    if thoroughly:
        page.set_viewport_size(PHONE)
        wrong += [f"light phone: {finding}" for finding in shown.findings()]
        page.set_viewport_size(DESK)
        page.emulate_media(color_scheme="dark")
        wrong += [f"dark desk: {finding}" for finding in shown.findings()]
    return [f"{path}: {what}" for what in wrong]


@pytest.mark.parametrize("language", ["en", "id"])
def test_every_page_of_an_admin(window: OpenWindow, world: World, language: str) -> None:
    User.objects.update(language=language)
    product = MessageTemplate.objects.get(pk=world.things["template"]).product_id
    new_message = f"/manage/templates/create/?product={product}"
    paths = [*pages_of(world.citra, world), *imports_underway(world.citra), new_message]
    shown, wrong = window(world.citra), []
    for path in paths:
        wrong += go_over(shown, path, language, thoroughly=language == "en")
    assert wrong == []


@pytest.mark.parametrize("language", ["en", "id"])
def test_every_page_of_a_database(window: OpenWindow, world: World, language: str) -> None:
    User.objects.update(language=language)
    shown, wrong = window(world.citra), []
    for path in pages_of_a_database(world.citra):
        wrong += go_over(shown, path, language, thoroughly=language == "en")
    assert wrong == []


@pytest.mark.parametrize("language", ["en", "id"])
def test_every_page_of_a_staff_member(window: OpenWindow, world: World, language: str) -> None:
    User.objects.update(language=language)
    factories.make_batch(staff=world.ani, records=3, database=factories.make_database(name=LONG))
    paths = [*pages_of(world.ani, world), *work_underway(world), "/request/?q=nowhere"]
    shown, wrong = window(world.ani), []
    for path in paths:
        wrong += go_over(shown, path, language, thoroughly=language == "en")
    assert wrong == []


def test_the_sign_in_page(window: OpenWindow) -> None:
    assert go_over(window(), "/signin/?next=/profile/", "en", thoroughly=True) == []
    assert go_over(window(language="id-ID"), "/signin/", "id", thoroughly=False) == []


def test_the_data_fixes_break_no_policy(window: OpenWindow, world: World) -> None:
    shown = window(world.citra)
    for path in (
        "",
        "databases/record/",
        "assignments/assignment/",
        f"accounts/user/{world.citra.pk}/change/",
    ):
        shown.open(f"/django-admin/{path}")
        assert shown.page.locator("h1").count() > 0, path
