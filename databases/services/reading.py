"""Reading an uploaded file for the check page; nothing of it is stored yet."""

from __future__ import annotations

import logging
from dataclasses import asdict, replace
from typing import Any

from django.db import DatabaseError, transaction

from accounts import activity
from accounts.models import User
from crm.kernel import clock
from crm.kernel.transactions import atomic_with_retry
from databases.errors import AlreadyConfirmed, FileGone, StillCounting
from databases.importing.process import (
    Choices,
    FileProblem,
    Inspection,
    Progress,
    Stopped,
    Tally,
    read,
)
from databases.models import Import
from databases.services.pulse import Pulse
from databases.services.queue import enqueue_reading
from databases.services.uploads import forget_file

logger = logging.getLogger(__name__)

CRASHED = "crashed"  # our own fault, not the file's: trying again may help


def choices_of(source: Import) -> Choices:
    """Give what was chosen for the file, as the reader takes it."""
    chosen = dict(source.choices)
    roles = chosen.pop("roles", None)
    return Choices(**chosen, roles=tuple(roles) if roles is not None else None)


def read_file(*, import_id: int, attempt: int) -> None:
    """Read the file of an import and note what is in it, or why it is refused.

    Does nothing when another attempt has begun since this one was asked for.
    """
    mine = Import.objects.filter(pk=import_id, attempt=attempt, state=Import.State.READING)
    if not mine.update(heartbeat_at=clock.now(), rows_done=0):
        return
    source = Import.objects.get(pk=import_id)
    try:
        with Pulse(import_id=import_id, attempt=attempt, state=Import.State.READING) as pulse:
            _read(source, pulse)
    except Stopped:
        return
    except FileProblem as problem:
        refuse(import_id=import_id, attempt=attempt, problem=problem)
    except DatabaseError:
        # The server went away: the heartbeat has stopped, and the page will say so.
        logger.exception("Reading stopped: the database was away.")
        raise
    except Exception:  # whatever it was, the page must not wait for ever
        logger.exception("Reading an upload failed.")
        mine.update(state=Import.State.FAILED, problem=CRASHED, finished_at=clock.now())


def _read(source: Import, pulse: Pulse) -> None:
    mine = Import.objects.filter(pk=source.pk, attempt=source.attempt, state=Import.State.READING)
    reading: dict[str, Any] = {}
    for found in read(
        source.file.path,
        original_name=source.original_name,
        choices=choices_of(source),
        should_stop=pulse.should_stop,
    ):
        if isinstance(found, Inspection):
            reading = asdict(found)
            mine.update(reading=reading, rows_total=found.rows_estimate)
        elif isinstance(found, Progress):
            pulse.rows = found.rows
        elif isinstance(found, Tally):
            reading = {**reading, "tally": asdict(found)}
            mine.update(
                state=Import.State.WAITING, reading=reading, rows_total=found.total, rows_done=0
            )


@atomic_with_retry
def refuse(*, import_id: int, attempt: int, problem: FileProblem) -> None:
    """Note why a file cannot be used, and delete it: nothing of a refused file is kept."""
    source = Import.objects.select_for_update().get(pk=import_id)
    if source.attempt != attempt or source.state != Import.State.READING:
        return
    stored, source.file.name = source.file.name or "", ""
    source.state = Import.State.REFUSED
    source.problem, source.problem_detail = problem.code, problem.detail
    source.reading, source.rows_total = {}, None
    source.finished_at = clock.now()
    source.save(
        update_fields=[
            "file", "state", "problem", "problem_detail", "reading", "rows_total", "finished_at",
        ]
    )  # fmt: skip
    activity.write(
        by=source.uploaded_by, kind="upload.refused", subject=source, reason=problem.code
    )
    transaction.on_commit(lambda: forget_file(stored))


@atomic_with_retry
def read_again(*, import_id: int, attempt: int, choices: dict[str, Any], by: User) -> Import:
    """Have the file read once more, in the way a person chose.

    `attempt` is the reading they looked at: their choices fit its columns only. Raises
    StillCounting when the file was read anew since, AlreadyConfirmed when the import is past its
    check, FileGone when the file is deleted.
    """
    source = Import.objects.select_for_update().get(pk=import_id)
    unread = source.state == Import.State.FAILED and source.confirmed_at is None
    if source.state not in (Import.State.READING, Import.State.WAITING) and not unread:
        raise AlreadyConfirmed(source)
    if source.attempt != attempt:
        raise StillCounting
    if not source.file:
        raise FileGone
    source.choices = choices
    source.state, source.problem = Import.State.READING, ""
    source.attempt += 1
    source.rows_done, source.heartbeat_at, source.finished_at = 0, None, None
    source.reading = {}
    source.save()
    activity.write(by=by, kind="import.read_again", subject=source)
    enqueue_reading(source)
    return source


def header_changed(old: Choices, new: Choices) -> bool:
    """Say whether the file would be cut into other columns, so that its old roles mean nothing."""
    return replace(old, roles=None) != replace(new, roles=None)
