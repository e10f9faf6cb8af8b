"""The jobs of uploads and imports. Short ones never wait behind an import; imports queue up."""

from __future__ import annotations

from django.db import DatabaseError
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from databases.services import corrections, housekeeping, imports, reading

# A database that restarts is back soon, and the attempt of the import says what is still wanted.
WHILE_AWAY = RetryStrategy(max_attempts=5, wait=3, retry_exceptions=[DatabaseError])


@app.task(name="databases.read_upload", queue="short", retry=WHILE_AWAY)
def read_upload(*, import_id: int, attempt: int) -> None:
    """Read an uploaded file for its check page."""
    reading.read_file(import_id=import_id, attempt=attempt)


@app.task(name="databases.read_correction", queue="short", retry=WHILE_AWAY)
def read_correction(*, import_id: int, attempt: int) -> None:
    """Read a file of corrected rows for its check page."""
    corrections.read_correction(import_id=import_id, attempt=attempt)


@app.task(name="databases.import_database", queue="imports", lock="imports", retry=WHILE_AWAY)
def import_database(*, import_id: int, attempt: int) -> None:
    """Store the records of a confirmed import."""
    imports.run_import(import_id=import_id, attempt=attempt)


@app.periodic(cron="* * * * *")
@app.task(name="databases.fail_stranded", queue="short", queueing_lock="fail_stranded")
def fail_stranded(timestamp: int) -> None:
    """Free the imports that wait for a job that is no more."""
    housekeeping.fail_stranded()


@app.periodic(cron="17 * * * *")
@app.task(name="databases.forget_old_uploads", queue="short", queueing_lock="forget_old_uploads")
def forget_old_uploads(timestamp: int) -> None:
    """Delete what is kept for a while only: uploaded files and the rows an import skipped."""
    housekeeping.forget_old_uploads()
    housekeeping.forget_orphans()
