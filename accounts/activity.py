"""The one writer of the book of acts.

Services call `write` inside their transaction, so that an act and its line stand or fall together.
Where the act came from (address, request id) is put into `current` by the middleware.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.db import models

from accounts.models import Activity, User


@dataclass(frozen=True, slots=True)
class Source:
    """Where an act came from."""

    address: str | None = None
    request_id: str = ""


current: ContextVar[Source] = ContextVar("activity_source", default=Source())  # noqa: B039 -- frozen


def write(
    *,
    by: User | None,
    kind: str,
    subject: models.Model | None = None,
    label: str = "",
    **details: Any,
) -> Activity:
    """Write one act by `by` (None: nobody signed in, or the system) and give its line.

    `label` names the subject as people knew it then (default: its text); `details` is JSON.
    """
    source = current.get()
    return Activity.objects.create(
        actor=by,
        kind=kind,
        subject_type=subject._meta.label_lower if subject is not None else "",
        subject_id=subject.pk if subject is not None else None,
        label=(label or (str(subject) if subject is not None else ""))[:200],
        details=details,
        address=source.address,
        request_id=source.request_id,
    )
