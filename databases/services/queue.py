"""Putting jobs about imports on their queues, in the transaction of the row they are about.

Jobs are named, not imported: tasks stand above the services that ask for them.
"""

from __future__ import annotations

from procrastinate.contrib.django import app

from databases.models import DatabaseChange, Import

SHORT = "short"  # never waits behind an import
IMPORTS = "imports"  # one after another: they share the disk
CHANGES = "changes"  # a lock of their own: they delay neither imports nor short jobs
# Both names take a change's id and attempt.
CHANGE_TASKS: dict[str, str] = {
    DatabaseChange.Kind.COLUMNS: "assignments.change_columns",
    DatabaseChange.Kind.DELETE: "assignments.sweep_database",
    DatabaseChange.Kind.UNDO: "assignments.sweep_database",
}


READ_UPLOAD, READ_CORRECTION = "databases.read_upload", "databases.read_correction"
IMPORT_DATABASE, CORRECT_DATABASE = "databases.import_database", "assignments.correct_database"
# All take an import's id and attempt.
IMPORT_TASKS = (READ_UPLOAD, READ_CORRECTION, IMPORT_DATABASE, CORRECT_DATABASE)


def enqueue_reading(source: Import) -> None:
    """Have the file of `source` read, as its current attempt."""
    task = READ_UPLOAD if source.corrects_id is None else READ_CORRECTION
    app.configure_task(task, queue=SHORT).defer(import_id=source.pk, attempt=source.attempt)


def enqueue_import(source: Import) -> None:
    """Have the records of `source` stored, as its current attempt."""
    task = IMPORT_DATABASE if source.corrects_id is None else CORRECT_DATABASE
    app.configure_task(task, queue=IMPORTS, lock=IMPORTS).defer(
        import_id=source.pk, attempt=source.attempt
    )


def enqueue_comparison(source: Import) -> None:
    """Have the customers of `source` looked for in the product's other databases.

    One after another: each may read a lot, and the short jobs keep their slots.
    """
    app.configure_task("assignments.compare_upload", queue=SHORT, lock="compare").defer(
        import_id=source.pk, attempt=source.attempt
    )


def enqueue_change(change: DatabaseChange) -> None:
    """Have a database changed in the background, as the current attempt of `change`."""
    app.configure_task(CHANGE_TASKS[change.kind], queue=IMPORTS, lock=CHANGES).defer(
        change_id=change.pk, attempt=change.attempt
    )
