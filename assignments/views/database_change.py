"""How far the work on a whole database is."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from accounts.access import Audience, MemberRequest, audience
from crm.kernel.hx import page_or_fragment, redirect_to, wants_fragment
from databases.models import Database, DatabaseChange

PAGE = "assignments/database_change.html"
STOP_POLLING = 286


@audience(Audience.ADMIN)
@require_safe
def database_change(request: MemberRequest, pk: int) -> HttpResponse:
    """Show the last change of all records of a database; asked again until it is over."""
    change = DatabaseChange.objects.visible_to(request.user).last_of(pk)
    if change is None:
        database = get_object_or_404(Database.objects.visible_to(request.user), pk=pk)
        return redirect_to(request, "database:detail", database.pk)
    polled = wants_fragment(request)
    response = page_or_fragment(
        request,
        PAGE,
        "assignments/_change_banner.html",
        {"change": change, "database": change.database},
        status=STOP_POLLING if polled and not change.is_busy else 200,
    )
    if polled and change.state == DatabaseChange.State.DONE:
        response.headers["HX-Refresh"] = "true"  # what stands around it is not so any more
    return response
