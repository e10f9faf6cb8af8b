"""Who saw which customers: each look is a line of the book."""

from __future__ import annotations

from accounts import activity
from accounts.models import User
from batches.reports import Batch
from crm.kernel.transactions import atomic_with_retry


@atomic_with_retry
def note_shown(*, batch: Batch, record_ids: list[int], by: User) -> None:
    """Write down that `by` saw the names and numbers of these records."""
    activity.write(
        by=by,
        kind="customers.shown",
        subject=batch.stat.request or batch.stat.database,
        label=batch.title,
        database=batch.stat.database_id,
        records=record_ids,
    )


@atomic_with_retry
def note_found(*, record_ids: list[int], by: User) -> None:
    """Write down whom `by` saw in a search of all their customers; never what they looked for."""
    if record_ids:
        activity.write(by=by, kind="customers.found", records=record_ids)
