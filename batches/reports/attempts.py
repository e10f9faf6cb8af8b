"""How somebody went after their customers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import connection
from django.utils import timezone
from django.utils.formats import date_format

from batches.models import ContactAttempt
from crm.kernel import clock

_COUNTED = """
SELECT assignment_id, kind, count(*), max(at)
FROM batches_contactattempt
WHERE assignment_id = ANY(%s)
GROUP BY assignment_id, kind
ORDER BY max(at) DESC
"""


def tries_of(assignment_ids: Iterable[int]) -> dict[int, str]:
    """Give the attempts of each of these assignments that has any, in one line, the last first."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED, [list(assignment_ids)])
        counted = cursor.fetchall()
    lines: dict[int, list[str]] = {}
    for pk, kind, times, last in counted:
        line = lines.setdefault(pk, [])
        words = [str(ContactAttempt.Kind(kind).label)]
        if times > 1:
            words.append(f"{times}×")
        if not line:
            words.append(_short(last))
        line.append(" ".join(words))
    return {pk: " · ".join(line) for pk, line in lines.items()}


def _short(at: dt.datetime) -> str:
    local, today = timezone.localtime(at), timezone.localtime(clock.now())
    return date_format(local, "H.i" if local.date() == today.date() else "j M")
