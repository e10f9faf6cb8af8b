"""Jobs about who holds which records."""

from __future__ import annotations

from procrastinate.contrib.django import app

from assignments.services import columns, corrections, overlap, removal
from databases.services import changes
from databases.tasks import WHILE_AWAY


@app.task(name="assignments.compare_upload", queue="short", lock="compare", retry=WHILE_AWAY)
def compare_upload(*, import_id: int, attempt: int) -> None:
    """Look for the customers of an uploaded file in the product's other databases."""
    overlap.compare_upload(import_id=import_id, attempt=attempt)


@app.task(name="assignments.sweep_database", queue="imports", lock="changes")
def sweep_database(*, change_id: int, attempt: int) -> None:
    """Delete the records of a deleted database, or of an import that was undone."""
    removal.sweep_database(change_id=change_id, attempt=attempt)


@app.periodic(cron="* * * * *")
@app.task(
    name="assignments.resume_changes", queue="short", queueing_lock="assignments.resume_changes"
)
def resume_changes(timestamp: int) -> None:
    """Go on with changes of whole databases whose job died: they keep everybody else waiting."""
    changes.resume_stopped()


@app.task(name="assignments.change_columns", queue="imports", lock="changes")
def change_columns(*, change_id: int, attempt: int) -> None:
    """Judge all records of a database anew, after its columns were given other roles."""
    columns.run_change(change_id=change_id, attempt=attempt)


@app.task(name="assignments.correct_database", queue="imports", lock="imports", retry=WHILE_AWAY)
def correct_database(*, import_id: int, attempt: int) -> None:
    """Put the corrected rows of a confirmed file into their database."""
    corrections.apply_correction(import_id=import_id, attempt=attempt)
