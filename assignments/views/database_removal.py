"""Deleting a database, undoing the import that made it, and taking back what stands in the way."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.access import Audience, MemberRequest, audience
from assignments.errors import NothingToUndo
from assignments.forms_removal import DeleteForm
from assignments.reports import removal as reports
from assignments.services.recall import recall_database
from assignments.services.removal import Removed, delete_database, undo_import
from crm.kernel.errors import DomainError
from crm.kernel.hx import page_or_fragment, redirect_to
from crm.kernel.templatetags.formats import thousands
from databases.models import Database

DELETE = "assignments/database_delete.html"
UNDO = "assignments/database_undo.html"
RECALL = "assignments/database_recall.html"


@audience(Audience.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: MemberRequest, pk: int) -> HttpResponse:
    """Say exactly what deleting a database takes away, and delete it once its name is typed."""
    database = _find(request, pk)
    if request.method != "POST":
        return _delete(request, database, DeleteForm(database=database))
    form = DeleteForm(request.POST, database=database)
    if not form.is_valid():
        return _delete(request, database, form, status=422)
    try:
        removed = delete_database(database_id=pk, by=request.user)
    except Database.DoesNotExist:
        raise Http404 from None
    except DomainError as error:
        return _delete(request, database, form, refusal=error.message, status=error.status)
    messages.success(
        request,
        ngettext(
            "%(name)s is deleted. %(count)s record is being removed in the background.",
            "%(name)s is deleted. %(count)s records are being removed in the background.",
            removed.records,
        )
        % {"name": database.name, "count": thousands(removed.records)}
        + _rejected(removed),
    )
    return redirect_to(request, "databases:list")


def _delete(
    request: MemberRequest,
    database: Database,
    form: DeleteForm,
    *,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "database": database,
        "form": form,
        "removal": reports.removal_of(database, user=request.user),
        "refusal": refusal,
    }
    return page_or_fragment(request, DELETE, f"{DELETE}#confirm", context, status=status)


@audience(Audience.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: MemberRequest, pk: int) -> HttpResponse:
    """Say what undoing the import of a database takes away, then do it."""
    database = _find(request, pk)
    removal = reports.removal_of(database, user=request.user)
    source = removal.source
    if source is None:
        raise Http404
    status, refusal = 200, ""
    if request.method == "POST":
        try:
            removed = undo_import(import_id=source.pk, by=request.user)
        except NothingToUndo:
            # Somebody was first: the import's own page says who.
            return redirect_to(request, "databases:import_undone", source.pk)
        except DomainError as error:
            status, refusal = error.status, error.message
            removal = reports.removal_of(database, user=request.user)
        else:
            messages.success(
                request,
                ngettext(
                    "The import is undone. %(count)s record is being removed in the background.",
                    "The import is undone. %(count)s records are being removed in the background.",
                    removed.records,
                )
                % {"count": thousands(removed.records)}
                + _rejected(removed),
            )
            return redirect_to(request, "databases:import_undone", source.pk)
    context = {"database": database, "removal": removal, "refusal": refusal}
    return page_or_fragment(request, UNDO, f"{UNDO}#confirm", context, status=status)


@audience(Audience.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def recall(request: MemberRequest, pk: int) -> HttpResponse:
    """Say who would lose records of a database, and what they marked; then take all back."""
    database = _find(request, pk)
    status, refusal = 200, ""
    if request.method == "POST":
        try:
            records = recall_database(database_id=pk, by=request.user)
        except Database.DoesNotExist:
            raise Http404 from None
        except DomainError as error:
            status, refusal = error.status, error.message
        else:
            messages.success(
                request,
                ngettext(
                    "%(count)s record was taken back.",
                    "%(count)s records were taken back.",
                    records,
                )
                % {"count": thousands(records)},
            )
            return redirect_to(request, "database:delete", pk)
    context = {"database": database, "held": reports.held_of(database), "refusal": refusal}
    return page_or_fragment(request, RECALL, f"{RECALL}#confirm", context, status=status)


def _find(request: MemberRequest, pk: int) -> Database:
    databases = Database.objects.visible_to(request.user)
    return get_object_or_404(databases.select_related("stat", "product", "uploaded_by"), pk=pk)


def _rejected(removed: Removed) -> str:
    if not removed.requests:
        return ""
    return " " + ngettext(
        "%(count)s waiting request was rejected.",
        "%(count)s waiting requests were rejected.",
        removed.requests,
    ) % {"count": thousands(removed.requests)}
