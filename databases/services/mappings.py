"""What columns were for the last time: remembered by their header, proposed for the next file."""

from __future__ import annotations

from accounts.models import User
from crm.kernel import clock
from databases.importing.process import Choices, Inspection
from databases.models import ColumnMapping, Import


def remember_columns(source: Import, *, roles: list[str], by: User) -> None:
    """Keep the roles that `by` confirmed for the header of `source`.

    Columns without a header are numbered: what one such file meant says nothing of another.
    """
    fingerprint = source.reading.get("header_fingerprint", "")
    if not fingerprint or not source.reading.get("header_row"):
        return
    # In one statement: two imports of such files may be confirmed at the same moment.
    ColumnMapping.objects.bulk_create(
        [ColumnMapping(fingerprint=fingerprint, roles=roles, used_at=clock.now(), used_by=by)],
        update_conflicts=True,
        unique_fields=["fingerprint"],
        update_fields=["roles", "used_at", "used_by"],
    )


def recall_columns(found: Inspection) -> ColumnMapping | None:
    """Give what is remembered of this header, if it fits and differs from the guess."""
    if not found.header_row:
        return None
    mappings = ColumnMapping.objects.select_related("used_by")
    known = mappings.filter(fingerprint=found.header_fingerprint).first()
    guess = [column.role for column in found.columns]
    if known is None or len(known.roles) != len(guess) or known.roles == guess:
        return None
    return known


def with_remembered(found: Inspection, known: ColumnMapping) -> Choices:
    """Give the choices that read the file as it was found, with the remembered roles."""
    return Choices(
        encoding=found.encoding or None,
        delimiter=found.delimiter or None,
        sheet=found.sheet or None,
        header_row=found.header_row,
        roles=tuple(known.roles),
    )


def note_of(found: Inspection, known: ColumnMapping) -> dict[str, object]:
    """Give what the check page says of it, and the guess that it can go back to."""
    return {
        "at": known.used_at.isoformat(),
        "by": known.used_by.name,
        "guess": [column.role for column in found.columns],
    }
