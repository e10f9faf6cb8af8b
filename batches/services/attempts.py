"""That somebody went after a customer: their link was copied or opened."""

from __future__ import annotations

import datetime as dt

from accounts.models import User
from assignments.errors import NotYoursAnyMore
from assignments.models import Assignment
from batches.models import ContactAttempt, MessageTemplate
from crm.kernel import clock
from crm.kernel.transactions import atomic_with_retry

# Far more than any hand does: what a stuck key or a script sends beyond it is no attempt.
MOST_AN_HOUR = 60


@atomic_with_retry
def record_attempt(
    *,
    assignment_id: int,
    kind: ContactAttempt.Kind,
    template: MessageTemplate | None,
    by: User,
) -> ContactAttempt | None:
    """Write down that `by` copied or opened the link of a customer, with which message.

    None, and nothing written, where there were MOST_AN_HOUR with this customer within the hour.
    Raises NotYoursAnyMore when `by` does not hold the record now.
    """
    if not Assignment.objects.active().filter(pk=assignment_id, staff=by).exists():
        raise NotYoursAnyMore
    hour_ago = clock.now() - dt.timedelta(hours=1)
    lately = ContactAttempt.objects.filter(assignment=assignment_id, at__gt=hour_ago)
    if lately.count() >= MOST_AN_HOUR:
        return None
    return ContactAttempt.objects.create(
        assignment_id=assignment_id,
        kind=kind,
        by=by,
        template=template,
        template_name=template.name if template is not None else "",
    )
