"""What a holder writes about a customer.

A note carries a version, so that nobody overwrites a text they have not seen; a trigger keeps the
texts before it. As with marks no index holds it: saving one is a HOT update.
"""

from __future__ import annotations

from django.db.models import F

from accounts.models import User
from assignments.errors import NoteChanged, NotYoursAnyMore
from assignments.models import Assignment
from crm.kernel import clock
from crm.kernel.transactions import atomic_with_retry


@atomic_with_retry
def save_note(*, assignment_id: int, note: str, version: int, by: User) -> None:
    """Save the note that was written on the page that showed `version`; blank takes it away.

    Raises NoteChanged with the text that stands when somebody saved another one since, and
    NotYoursAnyMore when `by` does not hold the record now. The text that stands already is saved
    already, whatever the version.
    """
    held = Assignment.objects.active().filter(pk=assignment_id, staff=by)
    seen = held.filter(note_version=version).exclude(note=note)
    saved = seen.update(
        note=note, note_at=clock.now(), note_by=by, note_version=F("note_version") + 1
    )
    if saved:
        return
    now = held.values("note", "note_version").first()
    if now is None:
        raise NotYoursAnyMore
    if now["note"] != note:
        raise NoteChanged(note=now["note"], version=now["note_version"])
