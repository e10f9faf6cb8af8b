"""What people hold, for the People page; and letting somebody go with what they hold."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import BigIntegerField, Count, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from accounts import services
from accounts.models import Activity, User
from assignments.models import BatchStat, RecordRequest
from assignments.services import recall
from assignments.services.locks import lock_person
from crm.kernel.errors import DomainError
from crm.kernel.transactions import atomic_with_retry
from crm.shell.people_forms import Holdings


def with_workload(people: QuerySet[User]) -> QuerySet[User]:
    """Add `assigned`, `unchecked` and `last_seen` to each person: one query for a whole page."""
    totals = (
        BatchStat.objects.filter(staff=OuterRef("pk"))
        .order_by()
        .values("staff")
        .annotate(
            held=Sum("records"),
            open=Sum(F("records") - F("ada") - F("ceklis1") - F("tidak")),
        )
    )
    latest = Activity.objects.filter(actor=OuterRef("pk")).order_by("-pk").values("at")[:1]
    return people.annotate(
        assigned=Coalesce(Subquery(totals.values("held")), 0, output_field=BigIntegerField()),
        unchecked=Coalesce(Subquery(totals.values("open")), 0, output_field=BigIntegerField()),
        last_seen=Subquery(latest),
    )


@dataclass(frozen=True, slots=True)
class Holding:
    """What one person holds and waits for."""

    records: int
    databases: int
    requests: int
    requested: int

    def __bool__(self) -> bool:
        return bool(self.records or self.requests)


def holding_of(person: User) -> Holding:
    """Count what `person` holds and waits for."""
    held = BatchStat.objects.filter(staff=person, records__gt=0).aggregate(
        records=Sum("records"), databases=Count("database", distinct=True)
    )
    waiting = RecordRequest.objects.pending().filter(staff=person)
    asked = waiting.aggregate(requests=Count("pk"), requested=Sum("quantity"))
    return Holding(
        records=held["records"] or 0,
        databases=held["databases"],
        requests=asked["requests"],
        requested=asked["requested"] or 0,
    )


class StillHolds(DomainError):
    """Somebody who holds customers cannot stop being staff."""

    def __init__(self, name: str) -> None:
        super().__init__(
            _(
                "%(name)s holds records or waits for some, so they stay staff. "
                "Take the records back first: deactivate them, then let them in again."
            )
            % {"name": name}
        )


@atomic_with_retry
def edit_person(*, user_id: int, version: int, email: str, name: str, role: str, by: User) -> User:
    """Change who somebody is; who holds or waits for records stays staff.

    Raises StillHolds and what `edit_user` raises.
    """
    # First the locks of the admins, then the person's, which every hand-out to them takes too:
    # nothing can come in between.
    services.refuse_losing_admin(user_id=user_id, role=role, is_active=None, by=by)
    person = lock_person(user_id)
    if role != User.Role.STAFF and holding_of(person):
        raise StillHolds(person.name)
    return services.edit_user(
        user_id=user_id, version=version, email=email, name=name, role=role, by=by
    )


@atomic_with_retry
def let_go(*, user_id: int, holdings: str, to_id: int | None, by: User) -> recall.Moved:
    """Deactivate somebody and settle what they hold, all or nothing; give what moved.

    Raises what `deactivate_user` and `hand_over_all` raise.
    """
    # First the locks of the admins, as whatever may take one away does, then the person's.
    services.refuse_losing_admin(user_id=user_id, role=None, is_active=False, by=by)
    moved = recall.Moved(records=0)
    person = User.objects.get(pk=user_id)
    reason = _("%(name)s was deactivated.") % {"name": person.name}
    if holdings == Holdings.RECALL:
        moved = recall.recall_all(staff_id=user_id, by=by, reason=reason)
    elif holdings == Holdings.HAND_OVER and to_id is not None:
        moved = recall.hand_over_all(from_staff_id=user_id, to_staff_id=to_id, by=by, reason=reason)
    services.deactivate_user(user_id=user_id, by=by)
    return moved
