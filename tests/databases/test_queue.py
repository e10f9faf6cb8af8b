"""Several imports at once: one after another, and nobody else waits for them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.db import connection
from django.test import Client

from databases.models import Import
from databases.services.queue import enqueue_import
from tests import factories
from tests.conftest import HX
from tests.databases.helpers import MIXED, check_form, csv_file, form, make_import

UPLOAD = "/manage/databases/upload/"


def progress(client: Client, source: Import, **headers: Any) -> str:
    path = f"/manage/databases/imports/{source.pk}/progress/"
    return client.get(path, headers=headers).content.decode()


def queued(**given: Any) -> Import:
    source = make_import(state=Import.State.QUEUED, **given)
    enqueue_import(source)
    return source


@pytest.mark.django_db
class TestPlaceInTheQueue:
    def test_it_says_how_many_come_first(self, as_citra: Client) -> None:
        sources = [queued() for _time in range(3)]
        assert "This one is next." in progress(as_citra, sources[0])
        assert "1 import before this one." in progress(as_citra, sources[1], **HX)
        assert "2 imports before this one." in progress(as_citra, sources[2])

    def test_what_was_given_up_is_not_waited_for(self, as_citra: Client) -> None:
        sources = [queued() for _time in range(3)]
        as_citra.post(f"/manage/databases/imports/{sources[0].pk}/cancel/")
        assert "1 import before this one." in progress(as_citra, sources[2])

    def test_one_that_is_tried_again_goes_to_the_end(self, as_citra: Client) -> None:
        first, second = queued(), queued()
        Import.objects.filter(pk=first.pk).update(attempt=2)
        first.refresh_from_db()
        enqueue_import(first)
        assert "This one is next." in progress(as_citra, second)
        assert "1 import before this one." in progress(as_citra, first)

    @pytest.mark.parametrize("before", [1, 30])
    def test_it_costs_the_same_behind_one_and_behind_thirty(
        self, as_citra: Client, before: int, django_assert_num_queries: Any
    ) -> None:
        for _time in range(before):
            queued()
        source = queued()
        progress(as_citra, source)
        with django_assert_num_queries(6):  # session, user, badge, import, jobs, imports
            progress(as_citra, source)


# The import holds its transaction open until the test says go on; all else is as always.
WORKER = """
import os, pathlib, sys, time
os.environ["DJANGO_SETTINGS_MODULE"] = "crm.settings"
from django.conf import settings
settings.DATABASES["default"]["NAME"], settings.MEDIA_ROOT = sys.argv[1:3]
import django
django.setup()
from databases.services import storing
complete = storing._complete
def held(*args):
    while not pathlib.Path(sys.argv[3]).exists():
        time.sleep(0.05)
    return complete(*args)
storing._complete = held
from crm.shell import worker
worker.run()
"""


@pytest.fixture
def gate(transactional_db: None, media: Path, tmp_path: Path) -> Iterator[Path]:
    """Run the real worker; an import ends only once the file of this path is there."""
    path = tmp_path / "go-on"
    name = connection.settings_dict["NAME"]
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, name, str(media), str(path)],
        cwd=project.BASE_DIR,
        env=os.environ,
    )
    try:
        yield path
    finally:
        path.touch()
        process.terminate()
        try:
            process.wait(30)
        finally:
            process.kill()


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it did not happen"
        threading.Event().wait(0.05)


@pytest.mark.django_db(transaction=True)
def test_short_jobs_are_done_while_one_import_runs_and_others_wait(
    as_citra: Client, gate: Path
) -> None:
    def upload() -> Import:
        number = Import.objects.count()
        content = MIXED + f"lain{number};Lain;08129999{number:04};Solo;1\n".encode()
        sent = form(factories.make_product(), file=csv_file(content=content))
        as_citra.post(UPLOAD, sent)
        source = Import.objects.latest("pk")
        wait_until(lambda: state_of(source) == Import.State.WAITING)
        return source

    def state_of(source: Import) -> str:
        return str(Import.objects.values_list("state", flat=True).get(pk=source.pk))

    imports = [upload() for _time in range(5)]  # more than the worker has hands
    for source in imports:
        as_citra.post(f"/manage/databases/imports/{source.pk}/confirm/", check_form())
    wait_until(lambda: state_of(imports[0]) == Import.State.RUNNING)
    assert [state_of(source) for source in imports[1:]] == [Import.State.QUEUED] * 4

    latecomer = upload()  # read while one import runs and four wait
    assert state_of(latecomer) == Import.State.WAITING
    assert state_of(imports[0]) == Import.State.RUNNING
    assert "1 import before this one." in progress(as_citra, imports[1])
    assert "4 imports before this one." in progress(as_citra, imports[4])

    gate.touch()
    wait_until(lambda: {state_of(source) for source in imports} == {Import.State.DONE})
