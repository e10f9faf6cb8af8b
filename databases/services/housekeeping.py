"""Deleting what is kept for a while only."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from crm.kernel import clock
from databases.models import Import, ReceivedFile, SkippedRow
from databases.services.uploads import forget_file

KEPT = dt.timedelta(days=30)  # uploaded files and skipped rows, for the report
UNUSED = dt.timedelta(days=1)  # files that came with a form nobody sent again


def forget_old_uploads() -> None:
    """Delete uploaded files and skipped rows of 30 days ago, and files that no import took."""
    limit = clock.now() - KEPT
    SkippedRow.objects.filter(source__finished_at__lt=limit).delete()
    for source in Import.objects.filter(uploaded_at__lt=limit).exclude(file=""):
        _forget_file_of(source.pk)
    for received in ReceivedFile.objects.filter(received_at__lt=clock.now() - UNUSED):
        name = received.file.name or ""
        if ReceivedFile.objects.filter(pk=received.pk).delete()[0]:
            forget_file(name)


@transaction.atomic
def _forget_file_of(import_id: int) -> None:
    source = Import.objects.select_for_update().get(pk=import_id)
    if source.state in (Import.State.QUEUED, Import.State.RUNNING):
        return
    stored, source.file.name = source.file.name or "", ""
    if source.state in (Import.State.READING, Import.State.WAITING, Import.State.FAILED):
        source.state, source.finished_at = Import.State.CANCELLED, clock.now()
        source.attempt += 1
    source.save(update_fields=["file", "state", "finished_at", "attempt"])
    transaction.on_commit(lambda: forget_file(stored))
