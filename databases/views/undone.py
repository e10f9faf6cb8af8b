"""An import that was undone: how far its records are gone, and the way back to its check."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST, require_safe

from accounts.access import Audience, MemberRequest, audience
from crm.kernel.errors import DomainError
from crm.kernel.hx import page_or_fragment, redirect_to, wants_fragment
from databases.models import DatabaseChange, Import
from databases.services import undone

PAGE = "databases/import_undone.html"
STOP_POLLING = 286  # htmx swaps this answer and asks no more


@audience(Audience.ADMIN)
@require_safe
def import_undone(request: MemberRequest, pk: int) -> HttpResponse:
    """Show that an import was undone, when and by whom; polled while its records are removed."""
    source = _find(request, pk)
    if source.state != Import.State.UNDONE:
        return redirect_to(request, "databases:check", pk)
    changes = DatabaseChange.objects.visible_to(request.user).unfinished()
    change = changes.filter(database=source.database_id).first()
    return page_or_fragment(
        request,
        PAGE,
        f"{PAGE}#undone",
        {"source": source, "change": change},
        status=STOP_POLLING if wants_fragment(request) and change is None else 200,
    )


@audience(Audience.ADMIN)
@require_POST
def check_again(request: MemberRequest, pk: int) -> HttpResponse:
    """Read the kept file of an undone import again, back to its check."""
    _find(request, pk)
    try:
        undone.check_again(import_id=pk, by=request.user)
    except DomainError as error:
        messages.error(request, error.message)
        return redirect_to(request, "databases:import_undone", pk)
    return redirect_to(request, "databases:check", pk)


def _find(request: MemberRequest, pk: int) -> Import:
    imports = Import.objects.visible_to(request.user)
    return get_object_or_404(
        imports.select_related("product", "uploaded_by", "database__deleted_by"), pk=pk
    )
