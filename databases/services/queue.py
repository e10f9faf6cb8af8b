"""Putting jobs about imports on their queues, in the transaction of the row they are about.

Jobs are named, not imported: tasks stand above the services that ask for them.
"""

from __future__ import annotations

from procrastinate.contrib.django import app

from databases.models import Import

SHORT = "short"  # never waits behind an import
IMPORTS = "imports"  # one after another: they share the disk


def enqueue_reading(source: Import) -> None:
    """Have the file of `source` read, as its current attempt."""
    app.configure_task("databases.read_upload", queue=SHORT).defer(
        import_id=source.pk, attempt=source.attempt
    )


def enqueue_import(source: Import) -> None:
    """Have the records of `source` stored, as its current attempt."""
    app.configure_task("databases.import_database", queue=IMPORTS, lock=IMPORTS).defer(
        import_id=source.pk, attempt=source.attempt
    )
