"""Reading an uploaded file for the check page; nothing of it is stored yet."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import QuerySet

from accounts import activity
from accounts.models import User
from crm.kernel import clock
from crm.kernel.transactions import atomic_with_retry
from databases.errors import AlreadyConfirmed, FileGone, StillCounting
from databases.importing.process import (
    INTERRUPTED,
    Choices,
    FileProblem,
    Inspection,
    Progress,
    Stopped,
    Tally,
)
from databases.models import Import
from databases.services.mappings import note_of, recall_columns, with_remembered
from databases.services.prepared import read_and_keep
from databases.services.pulse import Pulse, is_leaving
from databases.services.queue import enqueue_comparison, enqueue_reading
from databases.services.uploads import forget_file

logger = logging.getLogger(__name__)

How = Callable[[Import, Pulse], None]
CRASHED = "crashed"  # our own fault, not the file's: trying again may help
NOT_THAT_WAY = "not_that_way"  # a person's choice did not fit the file; it is read as found again


def choices_of(source: Import) -> Choices:
    """Give what was chosen for the file, as the reader takes it."""
    chosen = dict(source.choices)
    roles = chosen.pop("roles", None)
    return Choices(**chosen, roles=tuple(roles) if roles is not None else None)


def read_file(*, import_id: int, attempt: int, how: How | None = None) -> None:
    """Read the file of an import and note what is in it, or why it is refused.

    `how` reads it otherwise than a list of customers: it leaves the import waiting for its check.
    Does nothing when another attempt has begun since this one was asked for.
    """
    mine = Import.objects.filter(pk=import_id, attempt=attempt, state=Import.State.READING)
    if not mine.update(heartbeat_at=clock.now(), rows_done=0):
        return
    source = Import.objects.get(pk=import_id)
    try:
        with Pulse(mine) as pulse:
            (how or _read)(source, pulse)
    except Stopped:
        if is_leaving():
            _put_back(import_id=import_id, attempt=attempt)
    except FileProblem as problem:
        if problem.code != INTERRUPTED:
            refuse(import_id=import_id, attempt=attempt, problem=problem)
        else:
            mine.update(state=Import.State.FAILED, problem=INTERRUPTED, finished_at=clock.now())
    except DatabaseError:
        # The server went away: the job is tried again, and until then the page says so.
        logger.exception("Reading stopped: the database was away.")
        raise
    except Exception:  # whatever it was, the page must not wait for ever
        logger.exception("Reading an upload failed.")
        mine.update(state=Import.State.FAILED, problem=CRASHED, finished_at=clock.now())


def _read(source: Import, pulse: Pulse, *, as_last_time: dict[str, Any] | None = None) -> None:
    mine = Import.objects.filter(pk=source.pk, attempt=source.attempt, state=Import.State.READING)
    reading: dict[str, Any] = {}
    for found in read_and_keep(source, choices=choices_of(source), should_stop=pulse.should_stop):
        if isinstance(found, Inspection):
            known = recall_columns(found) if source.choices.get("roles") is None else None
            if known is not None:
                break
            reading = asdict(found) | {"attempt": source.attempt}
            if as_last_time:
                reading["as_last_time"] = as_last_time
            mine.update(reading=reading, rows_total=found.rows_estimate)
        elif isinstance(found, Progress):
            pulse.rows = found.rows
        elif isinstance(found, Tally):
            _read_through(mine, source, reading, found)
    else:
        return
    # Not saved: whoever has to begin again asks the memory again.
    source.choices = asdict(with_remembered(found, known))
    _read(source, pulse, as_last_time=note_of(found, known))


def _read_through(
    mine: QuerySet[Import], source: Import, reading: dict[str, Any], tally: Tally
) -> None:
    with transaction.atomic():
        waits = mine.update(
            state=Import.State.WAITING,
            reading={**reading, "tally": asdict(tally)},
            rows_total=tally.total,
            rows_done=0,
        )
        if waits and source.corrects_id is None:
            enqueue_comparison(source)


@atomic_with_retry
def _put_back(*, import_id: int, attempt: int) -> None:
    """Have the next process read the file from its start."""
    source = Import.objects.select_for_update().get(pk=import_id)
    if source.attempt != attempt or source.state != Import.State.READING:
        return
    source.heartbeat_at, source.rows_done = None, 0
    source.save(update_fields=["heartbeat_at", "rows_done"])
    enqueue_reading(source)


@atomic_with_retry
def refuse(*, import_id: int, attempt: int, problem: FileProblem) -> None:
    """Note why a file cannot be used, and delete it: nothing of a refused file is kept.

    A file that cannot be used in the way a person chose may be good: it is read as found again.
    """
    source = Import.objects.select_for_update().get(pk=import_id)
    if source.attempt != attempt or source.state != Import.State.READING:
        return
    if any(chosen is not None for chosen in source.choices.values()):
        source.problem = NOT_THAT_WAY
        _begin(source, choices={})
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
    source.state, source.problem = Import.State.READING, ""
    _begin(source, choices=choices)
    activity.write(by=by, kind="import.read_again", subject=source)
    return source


def _begin(source: Import, *, choices: dict[str, Any]) -> None:
    source.choices = choices
    source.attempt += 1
    source.rows_done, source.heartbeat_at, source.finished_at = 0, None, None
    source.reading, source.overlap = {}, None
    source.save()
    enqueue_reading(source)


def header_changed(old: Choices, new: Choices) -> bool:
    """Say whether the file would be cut into other columns, so that its old roles mean nothing."""
    return replace(old, roles=None) != replace(new, roles=None)
