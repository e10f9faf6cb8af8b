"""Who did what, when: the book of acts for admins."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_safe

from accounts.access import Audience, MemberRequest, audience
from accounts.models import Activity, User
from crm.kernel import clock
from crm.kernel.address import id_in
from crm.kernel.hx import page_or_fragment
from crm.kernel.paging import keyset
from crm.shell.activity_sentences import GROUPS, SENTENCES, tell

PAGE_SIZE = 50
EVERYTHING = "all"
# Each page of customers that somebody opens is a line: too many to read the others between them.
VIEWS = [kind for kind, sentence in SENTENCES.items() if sentence.group == "shown"]


@dataclass(frozen=True, slots=True)
class Filters:
    """What the address asks for; what means nothing is left out."""

    person: int | None
    kind: str
    day: dt.date | None
    thing: tuple[str, int] | None

    def __bool__(self) -> bool:
        return bool(self.person or self.kind or self.day or self.thing)


@audience(Audience.ADMIN)
@require_safe
def activity(request: MemberRequest) -> HttpResponse:
    """Show the newest acts first, filtered by person, kind, day or thing."""
    filters = _filters(request)
    acts = _filtered(Activity.objects.visible_to(request.user), filters)
    # A day is found by its time, everything else by the order of writing: each has its index.
    order = ["-at", "-pk"] if filters.day else ["-pk"]
    page = keyset(
        acts.select_related("actor"), order=order, after=request.GET.get("after"), size=PAGE_SIZE
    )
    context: dict[str, Any] = {
        "page": page,
        "lines": [tell(act) for act in page.rows],
        "filters": filters,
        "people": User.objects.visible_to(request.user).only("pk", "name").order_by("name"),
        "groups": GROUPS,
        "label": page.rows[0].label if filters.thing and page.rows else "",
    }
    return page_or_fragment(request, "activity/list.html", "activity/list.html#listing", context)


def _filters(request: HttpRequest) -> Filters:
    asked = request.GET
    kind, subject = asked.get("kind", ""), asked.get("type", "")
    try:
        day = parse_date(asked.get("day", ""))
    except ValueError:  # like a date, but none: 31 February
        day = None
    thing_id = id_in(asked.get("id", ""))
    known = kind in GROUPS or kind == EVERYTHING
    return Filters(
        person=id_in(asked.get("person", "")),
        kind=kind if known else "",
        day=day,
        thing=(subject[:40], thing_id) if subject.isprintable() and subject and thing_id else None,
    )


def _filtered(acts: QuerySet[Activity], filters: Filters) -> QuerySet[Activity]:
    if filters.person:
        acts = acts.filter(actor_id=filters.person)
    if filters.thing:
        acts = acts.filter(subject_type=filters.thing[0], subject_id=filters.thing[1])
    if filters.day:
        start, end = clock.bounds_of(filters.day)
        acts = acts.filter(at__gte=start, at__lt=end)
    if filters.kind in GROUPS:
        kinds = [kind for kind, sentence in SENTENCES.items() if sentence.group == filters.kind]
        return acts.filter(kind__in=kinds)
    if filters.kind == EVERYTHING or filters.thing:
        return acts
    return acts.exclude(kind__in=VIEWS)
