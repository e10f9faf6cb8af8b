"""The jobs of uploads and imports. Short ones never wait behind an import; imports queue up."""

from __future__ import annotations

from procrastinate.contrib.django import app

from databases.services import housekeeping, imports, reading


@app.task(name="databases.read_upload", queue="short")
def read_upload(*, import_id: int, attempt: int) -> None:
    """Read an uploaded file for its check page."""
    reading.read_file(import_id=import_id, attempt=attempt)


@app.task(name="databases.import_database", queue="imports", lock="imports")
def import_database(*, import_id: int, attempt: int) -> None:
    """Store the records of a confirmed import."""
    imports.run_import(import_id=import_id, attempt=attempt)


@app.periodic(cron="17 * * * *")
@app.task(name="databases.forget_old_uploads", queue="short", queueing_lock="forget_old_uploads")
def forget_old_uploads(timestamp: int) -> None:
    """Delete what is kept for a while only: uploaded files and the rows an import skipped."""
    housekeeping.forget_old_uploads()
