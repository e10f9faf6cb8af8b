"""That somebody went after a customer: their link was copied or opened."""

from __future__ import annotations

from accounts.models import User
from assignments.errors import NotYoursAnyMore
from assignments.models import Assignment
from batches.models import ContactAttempt, MessageTemplate
from crm.kernel.transactions import atomic_with_retry


@atomic_with_retry
def record_attempt(
    *,
    assignment_id: int,
    kind: ContactAttempt.Kind,
    template: MessageTemplate | None,
    by: User,
) -> ContactAttempt:
    """Write down that `by` copied or opened the link of a customer, with which message.

    Raises NotYoursAnyMore when `by` does not hold the record now.
    """
    if not Assignment.objects.active().filter(pk=assignment_id, staff=by).exists():
        raise NotYoursAnyMore
    return ContactAttempt.objects.create(
        assignment_id=assignment_id,
        kind=kind,
        by=by,
        template=template,
        template_name=template.name if template is not None else "",
    )
