"""The rows of a database that need attention: found by reason, and repaired on the spot."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.middleware import HtmxDetails

from accounts import activity
from accounts.access import Audience, MemberRequest, audience
from assignments.errors import CustomerIsThere
from assignments.forms_repair import RepairForm
from assignments.reports.attention import attention_counts, attention_row
from assignments.services import repair as repairs
from crm.kernel.errors import DomainError
from crm.kernel.hx import announce, page_or_fragment, toast, wants_fragment
from crm.kernel.paging import keyset
from databases.models import Database, Import, Record
from databases.models.shelf import Attention

PAGE_SIZE = 50
PAGE = "assignments/database_attention.html"


@audience(Audience.ADMIN)
@require_safe
def attention(request: MemberRequest, pk: int) -> HttpResponse:
    """Show the rows of a database that need attention, all or those for one reason."""
    database = _database(request, pk)
    needing = Record.objects.visible_to(request.user).in_database(pk).needing_attention()
    reason = request.GET.get("reason", "")
    if reason in Attention.values:
        needing = needing.filter(attention=reason)
    else:
        reason = ""
    page = keyset(needing, order=["row_number"], after=request.GET.get("after"), size=PAGE_SIZE)
    for record in page.rows:
        record.database = database
    if page.rows:
        ids = [record.pk for record in page.rows]
        activity.write(by=request.user, kind="records.shown", subject=database, records=ids)
    context = {
        "database": database,
        "counts": attention_counts(database),
        "columns": list(zip(database.columns, database.roles, strict=True)),
        "rows": [attention_row(record) for record in page.rows],
        "page": page,
        "reason": reason,
        "source": Import.objects.visible_to(request.user).filter(database=database).first(),
    }
    return page_or_fragment(request, PAGE, f"{PAGE}#listing", context)


@audience(Audience.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def repair(request: MemberRequest, pk: int, row: int) -> HttpResponse:
    """Ask what a row should hold, then put it right."""
    record = _record(request, pk, row)
    if request.method != "POST":
        if record is None:
            raise Http404
        if record.attention is None or "close" in request.GET:
            return _answer(request, record)
        return _form(request, record, RepairForm(record=record))
    if record is None:
        return _gone(request, pk, row)
    form = RepairForm(request.POST, record=record)
    if not form.is_valid():
        return _form(request, record, form, status=422)
    try:
        repairs.repair_record(database_id=pk, row_number=row, cells=form.cells, by=request.user)
    except (Database.DoesNotExist, Record.DoesNotExist):  # deleted meanwhile
        raise Http404 from None
    except CustomerIsThere as error:
        form.add_error(form.wrong[0], error.message)
        return _form(request, record, form, status=error.status, same_as=error.same_as)
    except DomainError as error:
        if error.status == 422:
            form.add_error(form.wrong[0], error.message)
            return _form(request, record, form, status=422)
        return _refused(request, pk, row, error)
    return _answer(
        request, _record(request, pk, row), said=_("Row %(row)s is ready.") % {"row": row}
    )


@audience(Audience.ADMIN)
@require_POST
def skip(request: MemberRequest, pk: int, row: int) -> HttpResponse:
    """Skip a row that is the customer of another row, as the import would have."""
    record = _record(request, pk, row)
    if record is None:
        return _gone(request, pk, row)
    form = RepairForm(request.POST, record=record)
    if not form.is_valid():
        return _form(request, record, form, status=422)
    try:
        same_as = repairs.skip_duplicate(
            database_id=pk, row_number=row, cells=form.cells, by=request.user
        )
    except (Database.DoesNotExist, Record.DoesNotExist):  # deleted meanwhile
        raise Http404 from None
    except DomainError as error:
        if error.status == 422:
            form.add_error(form.wrong[0], error.message)
            return _form(request, record, form, status=422)
        return _refused(request, pk, row, error)
    said = _("Row %(row)s was skipped: it is the customer of row %(same_as)s.")
    return _answer(
        request, record, said=said % {"row": row, "same_as": same_as}, skipped_as=same_as
    )


def _database(request: MemberRequest, pk: int) -> Database:
    databases = Database.objects.visible_to(request.user)
    return get_object_or_404(databases.select_related("stat", "product"), pk=pk)


def _record(request: MemberRequest, pk: int, row: int) -> Record | None:
    database = _database(request, pk)
    records = Record.objects.visible_to(request.user).in_database(pk)
    record = records.filter(row_number=row).first()
    if record is not None:
        record.database = database
    return record


def _reason_of(request: MemberRequest) -> str:
    """Give the reason that the list is filtered by from which a row was repaired."""
    htmx: HtmxDetails | None = getattr(request, "htmx", None)
    query = urlsplit((htmx and htmx.current_url) or "").query
    return parse_qs(query).get("reason", [""])[0]


def _form(
    request: MemberRequest, record: Record, form: RepairForm, *, status: int = 200, same_as: int = 0
) -> HttpResponse:
    if status == 200:
        activity.write(
            by=request.user, kind="records.shown", subject=record.database, records=[record.pk]
        )
    context = {
        "database": record.database,
        "row": attention_row(record),
        "form": form,
        "same_as": same_as,
        "columns": record.database.columns,
    }
    return page_or_fragment(
        request,
        "assignments/database_repair.html",
        "assignments/_repair_row.html",
        context,
        status=status,
    )


def _gone(request: MemberRequest, pk: int, row: int) -> HttpResponse:
    """Say what became of a row that is no record any more, if it ever was one."""
    refusal = repairs.repaired_before(_database(request, pk), row, gone=True)
    if not isinstance(refusal, DomainError):
        raise Http404
    return _refused(request, pk, row, refusal)


def _refused(request: MemberRequest, pk: int, row: int, error: DomainError) -> HttpResponse:
    return _answer(
        request, _record(request, pk, row), number=row, refusal=error.message, status=error.status
    )


def _answer(
    request: MemberRequest,
    record: Record | None,
    *,
    said: str = "",
    refusal: str = "",
    skipped_as: int = 0,
    number: int = 0,
    status: int = 200,
) -> HttpResponse:
    """Show what a row is now, with the numbers of the list; without JavaScript: the list."""
    pk = request.resolver_match.kwargs["pk"] if request.resolver_match else 0
    if not wants_fragment(request):
        if said or refusal:
            (messages.error if refusal else messages.success)(request, refusal or said)
        return redirect("database:attention", pk)
    database = _database(request, pk)
    context: dict[str, Any] = {
        "database": database,
        "counts": attention_counts(database),
        "reason": _reason_of(request),
        "row": attention_row(record) if record else None,
        "number": record.row_number if record else number,
        "skipped_as": skipped_as,
        "refusal": refusal,
        "columns": database.columns,
        "said": said,
    }
    response = render(request, "assignments/_repair_answer.html", context, status=status)
    if said:
        toast(response, said)
        return announce(response, "row:repaired")
    return response
