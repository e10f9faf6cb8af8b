"""How somebody went after their customers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import Count, Max
from django.utils import timezone
from django.utils.formats import date_format

from batches.models import ContactAttempt
from crm.kernel import clock


def tries_of(assignment_ids: Iterable[int]) -> dict[int, str]:
    """Give the attempts of each of these assignments that has any, in one line, the last first."""
    counted = (
        ContactAttempt.objects.filter(assignment__in=list(assignment_ids))
        .values("assignment", "kind")
        .annotate(times=Count("pk"), last=Max("at"))
        .order_by("-last")
    )
    lines: dict[int, list[str]] = {}
    for row in counted:
        line = lines.setdefault(row["assignment"], [])
        words = [str(ContactAttempt.Kind(row["kind"]).label)]
        if row["times"] > 1:
            words.append(f"{row['times']}×")
        if not line:
            words.append(_short(row["last"]))
        line.append(" ".join(words))
    return {pk: " · ".join(line) for pk, line in lines.items()}


def _short(at: dt.datetime) -> str:
    local, today = timezone.localtime(at), timezone.localtime(clock.now())
    return date_format(local, "H.i" if local.date() == today.date() else "j M")
