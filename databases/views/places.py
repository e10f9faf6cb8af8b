"""Where an import stands, and the way there."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404

from accounts.access import MemberRequest
from crm.kernel.hx import redirect_to, wants_fragment
from databases.models import Import

STOP_POLLING = 286  # htmx swaps this answer and asks no more
S = Import.State


def place_of(source: Import) -> str:
    """Give the name of the page where an import stands now."""
    if source.state == S.DONE:
        return "databases:import_report"
    if source.state == S.UNDONE:
        return "databases:import_undone"
    if source.confirmed_at is not None and source.state != S.WAITING:
        return "databases:import_progress"
    return "databases:check"


def find_import(request: MemberRequest, pk: int) -> Import:
    mine = Import.objects.visible_to(request.user)
    return get_object_or_404(
        mine.select_related("product", "uploaded_by", "confirmed_by", "database"), pk=pk
    )


def moved_on(request: MemberRequest, source: Import) -> HttpResponse:
    """Send the reader to where the import stands; a poll ends with it."""
    response = redirect_to(request, place_of(source), source.pk)
    if wants_fragment(request) and request.method == "GET":
        response.status_code = STOP_POLLING
    return response
