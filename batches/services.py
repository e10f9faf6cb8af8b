"""What the work screen writes."""

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
