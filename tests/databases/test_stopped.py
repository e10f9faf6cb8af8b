"""A worker that is told to end in the middle of its work: the next one does it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings as project
from django.db import connection
from django.test import Client

from accounts.models import Activity
from databases.models import Database, Import, Pool, Record
from databases.services import imports, pulse, reading
from tests.databases.test_import import confirmed, many_rows, nothing_is_left, uploaded, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
S = Import.State
Work = Callable[[], None]

WORKER = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "crm.settings"
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
settings.MEDIA_ROOT = sys.argv[2]
import django
django.setup()
from crm.shell import worker
worker.PATIENCE = 0.0
worker.run()
"""


@contextmanager
def leaving() -> Iterator[None]:
    """Let this process be one that was told to end."""
    pulse.leave()
    try:
        yield
    finally:
        pulse._leaving.clear()


@pytest.fixture
def start_worker(media: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Give a function that starts a worker of its own process, as `manage.py worker` does."""
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER, connection.settings_dict["NAME"], str(media)],
            cwd=project.BASE_DIR,
            env=os.environ,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def goes_on(source: Import, work: Work) -> None:
    work()
    source.refresh_from_db()
    assert source.state == S.DONE, (source.state, source.problem)
    assert Database.objects.count() == 1
    assert Record.objects.count() == Pool.objects.count() == 60_000


def test_an_import_goes_back_on_the_queue_when_its_worker_is_told_to_end(
    as_citra: Client, work: Work, start_worker: Callable[[], subprocess.Popen[str]]
) -> None:
    source = confirmed(as_citra, uploaded(as_citra, work, many_rows(60_000)))
    worker = start_worker()  # not before: it would take the reading from this process
    wait_until(lambda: Import.objects.filter(pk=source.pk, state=S.RUNNING).exists(), 60)
    worker.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    _, said = worker.communicate(timeout=60)
    assert worker.returncode == 0, said
    assert time.monotonic() - begun < 20, "it waited for the whole import"
    source.refresh_from_db()
    assert (source.state, source.attempt) == (S.QUEUED, 3), source.problem
    assert nothing_is_left()
    page = as_citra.get(f"/manage/databases/imports/{source.pk}/progress/").content.decode()
    assert "Waiting for its turn" in page
    goes_on(source, work)
    assert not Activity.objects.filter(kind__in=["import.failed", "import.cancelled"]).exists()


def test_a_reading_is_put_back_when_its_process_ends(as_citra: Client, work: Work) -> None:
    source = uploaded(as_citra, work, many_rows(60_000))
    by = source.uploaded_by
    source = reading.read_again(import_id=source.pk, attempt=source.attempt, choices={}, by=by)
    with leaving():
        reading.read_file(import_id=source.pk, attempt=source.attempt)
    source.refresh_from_db()
    assert (source.state, source.heartbeat_at) == (S.READING, None)
    work()
    source.refresh_from_db()
    assert source.state == S.WAITING


def test_what_somebody_cancels_at_that_moment_is_cancelled(as_citra: Client, work: Work) -> None:
    source = confirmed(as_citra, uploaded(as_citra, work))
    Import.objects.update(cancel_requested=True)
    with leaving():
        imports.run_import(import_id=source.pk, attempt=source.attempt)
    source.refresh_from_db()
    assert source.state == S.CANCELLED
    assert nothing_is_left()
