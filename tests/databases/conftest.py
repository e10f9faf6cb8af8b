"""What the tests of uploads and imports share: a place for files, jobs that run when told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from procrastinate.contrib.django import app


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> Path:
    """Keep uploaded files of a test in its own folder."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MEDIA_ROOT.mkdir()
    return settings.MEDIA_ROOT


@pytest.fixture(autouse=True)
def _no_jobs_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """The queue's tables are not Django's to empty after a test that commits."""
    mark = request.node.get_closest_marker("django_db")
    commits = "work" in request.fixturenames or (mark and mark.kwargs.get("transaction"))
    if commits:
        request.getfixturevalue("transactional_db")
    yield
    if commits:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")


@pytest.fixture
def work(transactional_db: None) -> Callable[[], None]:
    """Give a function that runs every waiting job as the worker would, and returns."""

    def run() -> None:
        async def once() -> None:
            with app.replace_connector(app.connector.get_worker_connector()):
                async with app.open_async():
                    await app.run_worker_async(
                        wait=False, install_signal_handlers=False, listen_notify=False
                    )

        asyncio.run(once())

    return run


@pytest.fixture
def files(media: Path) -> Callable[[], list[str]]:
    """Give a function that lists what is stored, as paths below the media folder."""

    def stored() -> list[str]:
        return sorted(str(p.relative_to(media)) for p in media.rglob("*") if p.is_file())

    return stored
