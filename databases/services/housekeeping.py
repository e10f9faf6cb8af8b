"""Deleting what is kept for a while only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts import activity
from crm.kernel import clock
from databases.models import Import, ReceivedFile, RepairedRow, SkippedRow
from databases.services.queue import IMPORT_TASKS
from databases.services.reading import CRASHED
from databases.services.uploads import forget_file

KEPT = dt.timedelta(days=30)  # uploaded files, skipped rows and what repaired ones held before
UNUSED = dt.timedelta(days=1)  # files that came with a form nobody sent again
State = Import.State


def forget_old_uploads() -> None:
    """Delete files and rows beside the records after 30 days, and files that no import took."""
    limit = clock.now() - KEPT
    SkippedRow.objects.filter(source__finished_at__lt=limit).delete()
    RepairedRow.objects.filter(at__lt=limit).delete()
    for source in Import.objects.filter(uploaded_at__lt=limit).exclude(file=""):
        _forget_file_of(source.pk)
    for received in ReceivedFile.objects.filter(received_at__lt=clock.now() - UNUSED):
        name = received.file.name or ""
        if ReceivedFile.objects.filter(pk=received.pk).delete()[0]:
            forget_file(name)


@transaction.atomic
def _forget_file_of(import_id: int) -> None:
    source = Import.objects.select_for_update().get(pk=import_id)
    if source.state == State.QUEUED or (
        source.state == State.RUNNING and not source.is_interrupted
    ):
        return
    stored, source.file.name = source.file.name or "", ""
    if source.state in (State.READING, State.WAITING, State.RUNNING, State.FAILED):
        source.state, source.finished_at = State.CANCELLED, clock.now()
        source.attempt += 1
    source.save(update_fields=["file", "state", "finished_at", "attempt"])
    transaction.on_commit(lambda: forget_file(stored))


def forget_orphans() -> None:
    """Delete stored files of a day ago that no row names.

    Something died between file and row; or they are rows that were prepared for an import that did
    not come, and will be read again.
    """
    before = clock.now() - UNUSED
    old = [name for name in _stored("uploads") if _is_older(name, before)]
    # The rows are read after the files: a file that came to its row meanwhile is known.
    known = set(_named())
    for name in old:
        if name not in known:
            forget_file(name)
    for path in Path(settings.FILE_UPLOAD_TEMP_DIR).glob("*.upload*"):
        try:
            if path.stat().st_mtime < before.timestamp():
                path.unlink()
        except FileNotFoundError:
            continue


def _is_older(name: str, than: dt.datetime) -> bool:
    try:
        return default_storage.get_modified_time(name) < than
    except FileNotFoundError:  # gone since the folder was listed
        return False


def _stored(folder: str) -> Iterator[str]:
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:  # nothing was ever uploaded
        return
    yield from (f"{folder}/{name}" for name in files)
    for below in folders:
        yield from _stored(f"{folder}/{below}")


def _named() -> Iterator[str]:
    yield from Import.objects.exclude(file="").values_list("file", flat=True)
    yield from ReceivedFile.objects.values_list("file", flat=True)


def fail_stranded() -> None:
    """Let the imports fail that wait for a job which is gone: then a person can try again.

    A job goes back on its queue when its worker dies or its database is away; but not for ever,
    and a page must not wait longer than the job.
    """
    waiting = Import.objects.filter(state__in=[State.READING, State.QUEUED])
    for import_id in waiting.values_list("pk", flat=True):
        _fail_if_stranded(import_id)


@transaction.atomic
def _fail_if_stranded(import_id: int) -> None:
    source = Import.objects.select_for_update().get(pk=import_id)
    jobs = ProcrastinateJob.objects.filter(
        task_name__in=IMPORT_TASKS,
        status__in=["todo", "doing"],
        args__import_id=source.pk,
        args__attempt=source.attempt,
    )
    if source.state not in (State.READING, State.QUEUED) or jobs.exists():
        return
    source.state, source.problem, source.problem_detail = State.FAILED, CRASHED, {}
    source.finished_at = clock.now()
    source.save(update_fields=["state", "problem", "problem_detail", "finished_at"])
    activity.write(by=None, kind="import.failed", subject=source, reason=CRASHED)
