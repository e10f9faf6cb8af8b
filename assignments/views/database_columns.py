"""Changing what the columns of a database are for, and changes of all its records on their way."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import activity
from accounts.access import Audience, MemberRequest, audience
from assignments.forms_columns import ColumnsForm
from assignments.reports import columns as reports
from assignments.services import changes as services
from assignments.services.columns import change_columns
from crm.kernel.errors import DomainError
from crm.kernel.hx import page_or_fragment, redirect_to, wants_fragment
from databases.errors import BeingChanged, ChangedMeanwhile
from databases.models import Database, DatabaseChange

PAGE = "assignments/database_columns.html"


@audience(Audience.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def columns(request: MemberRequest, pk: int) -> HttpResponse:
    """Choose what the columns of a database are for, and see what that makes of its rows."""
    database = get_object_or_404(
        Database.objects.visible_to(request.user).select_related("stat"), pk=pk
    )
    last = DatabaseChange.objects.visible_to(request.user).last_of(pk)
    if last is not None and last.is_busy:
        refusal = BeingChanged(database.name) if request.method == "POST" else None
        return _progress(request, database, last, refusal=refusal)
    if request.method != "POST":
        if request.headers.get("X-Poll"):
            return redirect_to(request, "database:columns", pk)
        return _choose(request, database, ColumnsForm(database=database), last=last)
    form = ColumnsForm(request.POST, database=database)
    if not form.is_valid():
        return _choose(request, database, form, last=last, status=422)
    if "show" in request.POST:
        return _choose(request, database, form, last=last)
    if form.is_new_to_reader:
        return _choose(request, database, form, last=last, status=422, look_again=True)
    try:
        change = change_columns(
            database_id=pk,
            version=form.cleaned_data["version"],
            roles=form.roles,
            by=request.user,
        )
    except ChangedMeanwhile as conflict:
        # What was chosen stays; sending it once more means that this reader has seen the other.
        typed = request.POST.copy()
        typed["version"] = str(conflict.current.version)
        database.roles, database.version = conflict.current.roles, conflict.current.version
        form = ColumnsForm(typed, database=database)
        form.is_valid()
        more: dict[str, Any] = {"conflict": conflict, "now": conflict.current.column_roles()}
        return _choose(request, database, form, status=conflict.status, **more)
    except Database.DoesNotExist:  # deleted meanwhile
        raise Http404 from None
    except BeingChanged:  # somebody was first
        return redirect_to(request, "database:columns", pk)
    except DomainError as error:
        form.add_error(None, error.message)
        return _choose(request, database, form, status=error.status)
    if change is not None:
        return redirect_to(request, "database:columns", pk)
    messages.success(request, _("Saved."))
    return redirect_to(request, "database:detail", pk)


@audience(Audience.ADMIN)
@require_POST
def retry_change(request: MemberRequest, pk: int) -> HttpResponse:
    """Have the last change of all records of a database, which failed or stopped, done again."""
    get_object_or_404(Database.objects.visible_to(request.user), pk=pk)
    try:
        services.retry_change(database_id=pk, by=request.user)
    except DomainError as error:
        messages.info(request, error.message)
    return redirect_to(request, "database:columns", pk)


@audience(Audience.ADMIN)
@require_POST
def drop_change(request: MemberRequest, pk: int) -> HttpResponse:
    """Leave the columns as they are, after a change of them failed."""
    get_object_or_404(Database.objects.visible_to(request.user), pk=pk)
    try:
        services.drop_change(database_id=pk, by=request.user)
    except DomainError as error:
        messages.info(request, error.message)
        return redirect_to(request, "database:columns", pk)
    return redirect_to(request, "database:detail", pk)


def _progress(
    request: MemberRequest,
    database: Database,
    change: DatabaseChange,
    *,
    refusal: DomainError | None,
) -> HttpResponse:
    context = {"database": database, "change": change, "busy": True, "refusal": refusal}
    status = refusal.status if refusal else 200
    return page_or_fragment(request, PAGE, f"{PAGE}#progress", context, status=status)


def _choose(
    request: MemberRequest,
    database: Database,
    form: ColumnsForm,
    *,
    last: DatabaseChange | None = None,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    roles = form.roles
    ids, lines = reports.first_rows(database, roles)
    if ids and not wants_fragment(request):
        activity.write(by=request.user, kind="records.shown", subject=database, records=ids)
    context = {
        "database": database,
        "form": form,
        "lines": lines,
        "effect": reports.columns_effect(database, roles) if form.moves else None,
        "last": last if last and last.kind == DatabaseChange.Kind.COLUMNS else None,
        "outcome": reports.outcome_of(last),
        **more,
    }
    return page_or_fragment(request, PAGE, f"{PAGE}#choose", context, status=status)
