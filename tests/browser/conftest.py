"""A real Chromium against a real server, with a worker beside it, as `make up` runs them.

Every page that a test opens is watched: an error in the console, a failed request or a violation of
the content security policy fails the test at its end.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as project
from django.db import connection
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from accounts.models import User

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
_QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE: str = Axe().axe_script
expect.set_options(timeout=10_000)  # ms; a busy machine is not a failure


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.django_db(transaction=True))
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Give the system's Chromium where there is one, else the one Playwright installed."""
    # Playwright's loop lives in the test's thread; Django sees it and would refuse the ORM there.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    system = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=system, args=_QUIET)
        yield browser
        browser.close()


@dataclass
class Watched:
    """A person's browser window, and what went wrong in it."""

    context: BrowserContext
    page: Page
    base: str
    scripts: bool = True
    problems: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        self.page.goto(self.base + path)
        return self.page

    def findings(self) -> list[str]:
        """Give what axe finds on the page as it stands."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE)
        options = {"runOnly": AXE_TAGS, "resultTypes": ["violations"]}
        violations = self.page.evaluate(
            "options => axe.run(document, options).then(found => found.violations)", options
        )
        return [
            f"{finding['id']} {node['target']}"
            for finding in violations
            for node in finding["nodes"]
            if finding["id"] != "target-size" or self._is_too_small(node["target"])
        ]

    def _is_too_small(self, target: list[str]) -> bool:
        """Say whether a target is small in the open as well: a bar over it can be scrolled away."""
        return bool(
            self.page.evaluate(
                """async target => {
                  const top = scrollY;
                  const scroll = { block: "center", behavior: "instant" };
                  document.querySelector(target.at(-1)).scrollIntoView(scroll);
                  const options = { runOnly: { type: "rule", values: ["target-size"] } };
                  const found = await axe.run({ include: [target] }, options);
                  scrollTo({ top, behavior: "instant" });
                  return found.violations.length;
                }""",
                target,
            )
        )

    def sideways_scroll(self) -> int:
        """Give by how many pixels the page is wider than its window.

        Not against innerWidth: a phone zooms out until a page that is too wide fits.
        """
        return int(
            self.page.evaluate(
                "(root => root.scrollWidth - root.clientWidth)(document.documentElement)"
            )
        )


OpenWindow = Callable[..., Watched]


@pytest.fixture
def window(
    chromium: Browser, live_server: object, request: pytest.FixtureRequest
) -> Iterator[OpenWindow]:
    """Give a function that opens a window: `window(user, phone=True, dark=True, …)`.

    `user` is signed in already, or None. `language` is the browser's. On failure a screenshot of
    every window is kept under `test-results/`.
    """
    opened: list[Watched] = []
    base: str = live_server.url  # type: ignore[attr-defined]

    def open_window(
        user: User | None = None,
        *,
        phone: bool = False,
        dark: bool = False,
        language: str = "en-US",
        scripts: bool = True,
        size: dict[str, int] | None = None,
    ) -> Watched:
        context = chromium.new_context(
            viewport=size or (PHONE if phone else DESKTOP),
            is_mobile=phone,
            has_touch=phone,
            color_scheme="dark" if dark else "light",
            locale=language,
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        context.set_default_timeout(10_000)
        if user is not None:
            context.add_cookies([_session_of(user, base)])
        page = context.new_page()
        watched = Watched(context, page, base, scripts)
        page.on("console", lambda message: _note_console(watched, message))
        page.on("pageerror", lambda error: watched.problems.append(f"script: {error}"))
        opened.append(watched)
        return watched

    yield open_window
    failed = getattr(request.node, "failed_in_call", False)
    problems = [problem for watched in opened for problem in watched.problems]
    for number, watched in enumerate(opened):
        if failed or problems:
            folder = Path("test-results")
            folder.mkdir(exist_ok=True)
            watched.page.screenshot(path=folder / f"{request.node.name}-{number}.png")
        watched.context.close()
    assert problems == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    report = yield
    if report.when == "call":
        item.failed_in_call = report.failed  # type: ignore[attr-defined]
    return report


def _note_console(watched: Watched, message: object) -> None:
    kind, text = message.type, message.text  # type: ignore[attr-defined]
    # The browser itself reports answers like 409 and 422, which pages expect and show.
    expected = "status of 409" in text or "status of 422" in text
    if (kind == "error" and not expected) or "Content Security Policy" in text:
        watched.problems.append(f"console: {text}")


def _session_of(user: User, base: str) -> dict[str, str]:
    from django.test import Client

    client = Client()
    client.force_login(user)
    return {
        "name": project.SESSION_COOKIE_NAME,
        "value": client.cookies[project.SESSION_COOKIE_NAME].value,
        "url": base,
    }


@dataclass
class Worker:
    """The process that works in the background."""

    process: subprocess.Popen[bytes]

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold it still, so that a page that waits for it can be looked at."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@pytest.fixture
def worker(transactional_db: None, tmp_path: Path, settings: Any) -> Iterator[Worker]:
    """Run the real worker as a process of its own on the test's database until the test ends."""
    settings.MEDIA_ROOT = tmp_path / "media"
    process = subprocess.Popen(
        [sys.executable, "manage.py", "worker"],
        cwd=project.BASE_DIR,
        env={**os.environ, "DATABASE_URL": _address_of_database(), "VAR_DIR": str(tmp_path)},
    )
    try:
        deadline = time.monotonic() + 20
        while not _worker_beats():
            assert process.poll() is None, "the worker ended by itself"
            assert time.monotonic() < deadline, "the worker did not start"
            time.sleep(0.1)
        yield Worker(process)
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(30)
        with connection.cursor() as cursor:  # the queue's tables are not Django's to empty
            cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")


def _address_of_database() -> str:
    told = connection.settings_dict
    user = quote(told["USER"] or "", safe="")
    password = quote(told["PASSWORD"] or "", safe="")
    host = quote(told["HOST"] or "", safe="")
    port = f":{told['PORT']}" if told["PORT"] else ""
    return f"postgres://{user}:{password}@{host}{port}/{told['NAME']}"


def _worker_beats() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM procrastinate_workers)")
        return bool(cursor.fetchone()[0])
