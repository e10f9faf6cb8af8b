"""How a staff names and pins their own batches.

A title carries a version: who edits an old one is told what stands there now. The last tap pins.
"""

from __future__ import annotations

from typing import Any

from accounts import activity
from accounts.models import User
from batches.errors import TitleChanged
from batches.models import BatchSetting
from batches.reports import Batch
from crm.kernel import clock
from crm.kernel.transactions import atomic_with_retry


@atomic_with_retry
def rename_batch(*, batch: Batch, title: str, version: int, by: User) -> BatchSetting:
    """Give a batch the title its owner wants; blank gives it the name of its database again.

    Raises TitleChanged, with nothing saved, when it was renamed since `version` was shown.
    """
    setting = _locked(batch, by)
    if setting.title_version != version:
        raise TitleChanged(setting, batch.stat.database.name)
    if setting.title != title:
        setting.title = title
        setting.title_version += 1
        setting.save(update_fields=["title", "title_version"])
        activity.write(
            by=by,
            kind="batch.renamed",
            subject=batch.stat.request or batch.stat.database,
            label=f"{batch.stat.database.name} #{batch.key}",
        )
    return setting


@atomic_with_retry
def pin_batch(*, batch: Batch, pinned: bool, by: User) -> None:
    """Put a batch before the others of its owner, or back among them. Twice is once."""
    setting = _locked(batch, by)
    if (setting.pinned_at is not None) != pinned:
        setting.pinned_at = clock.now() if pinned else None
        setting.save(update_fields=["pinned_at"])


def _locked(batch: Batch, by: User) -> BatchSetting:
    """Give the setting of a batch, made if need be, locked: two tabs may save at once."""
    which: dict[str, Any] = {
        "staff": by,
        "database_id": batch.stat.database_id,
        "request_id": batch.stat.request_id,
    }
    made, _created = BatchSetting.objects.get_or_create(**which)
    return BatchSetting.objects.select_for_update(no_key=True).get(pk=made.pk)
