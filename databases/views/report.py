"""What became of a file: its report, its rows, and the corrected rows that come back."""

from __future__ import annotations

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import activity
from accounts.access import Audience, MemberRequest, audience
from crm.kernel.address import id_in
from crm.kernel.csv_out import csv_lines
from crm.kernel.errors import DomainError
from crm.kernel.hx import page_or_fragment, redirect_to
from crm.kernel.paging import keyset
from databases import reports
from databases.errors import CannotStore
from databases.forms_correction import CorrectionForm
from databases.models import Import
from databases.reports_correction import correction_view, file_row, skipped_row, skipped_rows
from databases.services import corrections, imports, uploads
from databases.views.places import find_import, moved_on

ROWS_SIZE = 50
S = Import.State


@audience(Audience.ADMIN)
@require_safe
def import_report(request: MemberRequest, pk: int) -> HttpResponse:
    """Show what became of every row of a file."""
    source = find_import(request, pk)
    if source.state != S.DONE:
        return moved_on(request, source)
    if source.corrects is not None:
        context = {"source": source, "original": source.corrects, "view": correction_view(source)}
        page = "databases/correction_report.html"
        return page_or_fragment(request, page, page, context)
    return _report(request, source, CorrectionForm())


def _report(
    request: MemberRequest, source: Import, form: CorrectionForm, *, status: int = 200
) -> HttpResponse:
    mine = Import.objects.visible_to(request.user)
    files = mine.filter(corrects=source).exclude(state__in=[S.REFUSED, S.CANCELLED])
    if source.confirmed_at is not None:
        # An import that was undone and came again: what corrected the rows before is gone.
        files = files.filter(uploaded_at__gte=source.confirmed_at)
    context = {
        "source": source,
        "report": reports.import_report(source),
        "form": form,
        "corrections": files.select_related("uploaded_by").order_by("-uploaded_at")[:10],
    }
    page = "databases/import_report.html"
    return page_or_fragment(request, page, page, context, status=status)


@audience(Audience.ADMIN)
@require_POST
def upload_correction(request: MemberRequest, pk: int) -> HttpResponse:
    """Take a file of corrected rows; what it would change is shown before anything is changed."""
    source = find_import(request, pk)
    sent, files = request.POST, request.FILES  # reading them is what may fail
    failed = getattr(request, "upload_failed", "")
    form = CorrectionForm(sent, files, failed=failed)
    if source.state != S.DONE or source.corrects_id is not None:
        return moved_on(request, source)
    try:
        if failed == "not_stored":
            raise CannotStore
        if not form.is_valid():
            return _report(request, source, form, status=422)
        correction = corrections.start_correction(
            original=source,
            received=uploads.receive_file(upload=form.cleaned_data["file"], by=request.user),
            token=form.cleaned_data["token"],
            by=request.user,
        )
    except DomainError as error:
        form.add_error("file", error.message)
        return _report(request, source, form, status=error.status)
    return redirect_to(request, "databases:check", correction.pk)


def check_correction(request: MemberRequest, source: Import) -> HttpResponse:
    """Show what a file of corrected rows would change."""
    context = {"source": source, "original": source.corrects, "view": correction_view(source)}
    page = "databases/check_correction.html"
    return page_or_fragment(request, page, page, context)


@audience(Audience.ADMIN)
@require_POST
def confirm_correction(request: MemberRequest, pk: int) -> HttpResponse:
    """Put the corrected rows that were checked in place."""
    source = find_import(request, pk)
    if source.corrects_id is None:
        raise Http404
    try:
        source = imports.confirm_import(
            import_id=pk,
            attempt=source.attempt,
            roles=[column["role"] for column in source.reading.get("columns", [])],
            by=request.user,
        )
    except DomainError as error:
        messages.info(request, error.message)
        source = find_import(request, pk)
    return moved_on(request, source)


@audience(Audience.ADMIN)
@require_safe
def import_rows(request: MemberRequest, pk: int) -> HttpResponse:
    """Show the rows of a file that became no record, or one row of it by its number."""
    source = find_import(request, pk)
    if source.database is None or source.database.deleted_at is not None:
        raise Http404
    asked = request.GET.get("row", "").strip()
    number = id_in(asked)
    only = request.GET.get("only", "")
    only = only if only in ("duplicate", "blank") else ""
    page = None
    if asked:
        found = file_row(source, number, user=request.user) if number is not None else None
        rows = [found] if found else []
    else:
        skipped = skipped_rows(source, only=only)
        page = keyset(skipped, order=["row_number"], after=request.GET.get("after"), size=ROWS_SIZE)
        rows = [skipped_row(row) for row in page.rows]
    if rows:
        shown = [row.number for row in rows]
        activity.write(by=request.user, kind="rows.shown", subject=source, rows=shown)
    context = {
        "source": source,
        "columns": list(zip(source.database.columns, source.database.roles, strict=True)),
        "rows": rows,
        "page": page,
        "only": only,
        "asked": asked[:10],
    }
    return page_or_fragment(
        request, "databases/import_rows.html", "databases/import_rows.html#listing", context
    )


@audience(Audience.ADMIN)
@require_safe
def not_ready_csv(request: MemberRequest, pk: int) -> StreamingHttpResponse:
    """Send every row that is not ready, with its number and reason."""
    source = find_import(request, pk)
    if source.database is None or source.database.deleted_at is not None:
        raise Http404
    activity.write(by=request.user, kind="export.not_ready", subject=source)
    lines = csv_lines(
        [_("Row"), _("Reason"), *source.database.columns], reports.not_ready_rows(source)
    )
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="import-{pk}-not-ready.csv"'
    return response


@audience(Audience.ADMIN)
@require_safe
def original_file(request: MemberRequest, pk: int) -> FileResponse:
    """Send the uploaded file as it came, never to be shown inside a page."""
    source = find_import(request, pk)
    if not source.file:
        raise Http404
    try:
        stored = source.file.open("rb")
    except OSError as error:
        raise Http404 from error
    activity.write(by=request.user, kind="export.original", subject=source)
    return FileResponse(
        stored,
        as_attachment=True,
        filename=source.original_name,
        content_type="application/octet-stream",
    )
