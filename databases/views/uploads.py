"""Uploading a file, checking what was read, and watching it become a database."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import activity
from accounts.access import Audience, MemberRequest, audience
from crm.kernel.csv_out import csv_lines
from crm.kernel.errors import DomainError
from crm.kernel.hx import page_or_fragment, redirect_to, wants_fragment
from databases import reports
from databases.errors import AlreadyConfirmed, CannotStore, StillCounting
from databases.forms import CheckForm, UploadForm
from databases.models import Import
from databases.services import imports, reading, uploads

STOP_POLLING = 286  # htmx swaps this answer and asks no more
S = Import.State


@audience(Audience.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: MemberRequest) -> HttpResponse:
    """Take a file and what it is; a file that arrived is kept even if the rest is refused."""
    if request.method != "POST":
        return _upload_form(request, UploadForm(by=request.user))
    sent, files = request.POST, request.FILES  # reading them is what may fail
    failed = getattr(request, "upload_failed", "")
    form = UploadForm(sent, files, by=request.user, failed=failed)
    valid = form.is_valid()
    try:
        if failed == "not_stored":
            raise CannotStore
        file = form.cleaned_data.get("file")
        received = uploads.receive_file(upload=file, by=request.user) if file else form.kept
        if received is not None and file:
            form.keep(received)
        if not valid or received is None:
            return _upload_form(request, form, status=422)
        source = uploads.start_import(
            received=received,
            product=form.cleaned_data["product"],
            name=form.cleaned_data["name"],
            description=form.cleaned_data["description"],
            token=form.cleaned_data["token"],
            by=request.user,
        )
    except DomainError as error:
        form.add_error("file", error.message)
        return _upload_form(request, form, status=error.status)
    return redirect_to(request, "databases:check", source.pk)


def _upload_form(request: MemberRequest, form: UploadForm, *, status: int = 200) -> HttpResponse:
    return page_or_fragment(
        request,
        "databases/upload.html",
        "databases/_upload_form.html",
        {"form": form},
        status=status,
    )


def _place_of(source: Import) -> str:
    """Give the name of the page where an import stands now."""
    if source.state == S.DONE:
        return "databases:import_report"
    if source.confirmed_at is not None and source.state != S.WAITING:
        return "databases:import_progress"
    return "databases:check"


def _find(request: MemberRequest, pk: int) -> Import:
    mine = Import.objects.visible_to(request.user)
    return get_object_or_404(
        mine.select_related("product", "uploaded_by", "confirmed_by", "database"), pk=pk
    )


def _moved_on(request: MemberRequest, source: Import) -> HttpResponse:
    """Send the reader to where the import stands; a poll ends with it."""
    response = redirect_to(request, _place_of(source), source.pk)
    if wants_fragment(request) and request.method == "GET":
        response.status_code = STOP_POLLING
    return response


@audience(Audience.ADMIN)
@require_safe
def check(request: MemberRequest, pk: int) -> HttpResponse:
    """Show what was read of a file before anything is imported; polled while it is being read."""
    source = _find(request, pk)
    if _place_of(source) != "databases:check":
        return _moved_on(request, source)
    busy = source.state == S.READING and not source.is_interrupted
    if wants_fragment(request):
        was_shown = request.GET.get("shown") == "1"
        if busy and bool(source.reading) == was_shown:
            return page_or_fragment(request, "", "databases/check.html#reading", {"source": source})
        # There is more to show than a line of progress: the page itself.
        return _moved_on(request, source)
    return _check_page(request, source)


def _check_page(
    request: MemberRequest, source: Import, form: CheckForm | None = None, *, status: int = 200
) -> HttpResponse:
    shown = bool(source.reading) and source.state in (S.READING, S.WAITING)
    context: dict[str, Any] = {
        "source": source,
        "shown": shown,
        "busy": source.state == S.READING and not source.is_interrupted,
        "problem": reports.problem_of(source),
    }
    if shown:
        context["form"] = form or CheckForm(source=source)
        context["check"] = reports.check_view(source, user=request.user)
    return page_or_fragment(
        request, "databases/check.html", "databases/check.html", context, status=status
    )


@audience(Audience.ADMIN)
@require_POST
def read_again(request: MemberRequest, pk: int) -> HttpResponse:
    """Read the file once more, in the way that was chosen."""
    source = _find(request, pk)
    choices: dict[str, Any] = {}
    if source.reading:
        form = CheckForm(request.POST, source=source)
        if not form.is_valid():
            return _check_page(request, source, form, status=422)
        choices = form.choices_to_read
    try:
        source = reading.read_again(
            import_id=pk, attempt=source.attempt, choices=choices, by=request.user
        )
    except DomainError as error:
        messages.error(request, error.message)
        source = _find(request, pk)
    return _moved_on(request, source)


@audience(Audience.ADMIN)
@require_POST
def confirm_import(request: MemberRequest, pk: int) -> HttpResponse:
    """Import what was checked; if the choices were changed, read it again and show that first."""
    source = _find(request, pk)
    if source.state != S.WAITING:
        return _refused_twice(request, source)
    form = CheckForm(request.POST, source=source)
    if not form.is_valid():
        return _check_page(request, source, form, status=422)
    try:
        if form.counts_otherwise:
            source = reading.read_again(
                import_id=pk,
                attempt=source.attempt,
                choices=form.choices_to_read,
                by=request.user,
            )
            messages.warning(request, _("Read again with your changes. Check the numbers."))
        else:
            source = imports.confirm_import(
                import_id=pk,
                attempt=source.attempt,
                roles=form.cleaned_data["roles"],
                by=request.user,
            )
    except DomainError as error:
        messages.error(request, error.message)
        source = _find(request, pk)
    return _moved_on(request, source)


def _refused_twice(request: MemberRequest, source: Import) -> HttpResponse:
    # Not asked of the service: since we looked, the reading may have ended, and it would go ahead.
    refusal = StillCounting() if source.state == S.READING else AlreadyConfirmed(source)
    messages.info(request, refusal.message)
    return _moved_on(request, source)


@audience(Audience.ADMIN)
@require_POST
def cancel_import(request: MemberRequest, pk: int) -> HttpResponse:
    """Give an import up, wherever it stands before its end."""
    source = _find(request, pk)
    try:
        source = imports.cancel_import(import_id=pk, by=request.user)
    except DomainError as error:
        messages.info(request, error.message)
        return _moved_on(request, source)
    if source.state == S.CANCELLED:
        messages.success(request, _("Cancelled. Nothing was imported."))
        return redirect_to(request, "databases:list")
    return _moved_on(request, source)


@audience(Audience.ADMIN)
@require_POST
def retry_import(request: MemberRequest, pk: int) -> HttpResponse:
    """Run an import again that failed or was interrupted."""
    source = _find(request, pk)
    try:
        source = imports.retry_import(import_id=pk, by=request.user)
    except DomainError as error:
        messages.info(request, error.message)
        source = _find(request, pk)
    return _moved_on(request, source)


@audience(Audience.ADMIN)
@require_safe
def import_progress(request: MemberRequest, pk: int) -> HttpResponse:
    """Show how far an import is; polled every second until it is over."""
    source = _find(request, pk)
    if _place_of(source) != "databases:import_progress":
        return _moved_on(request, source)
    busy = source.state in (S.QUEUED, S.RUNNING) and not source.is_interrupted
    return page_or_fragment(
        request,
        "databases/import_progress.html",
        "databases/import_progress.html#progress",
        {"source": source, "busy": busy, "problem": reports.problem_of(source)},
        status=STOP_POLLING if wants_fragment(request) and not busy else 200,
    )


@audience(Audience.ADMIN)
@require_safe
def import_report(request: MemberRequest, pk: int) -> HttpResponse:
    """Show what became of every row of a file."""
    source = _find(request, pk)
    if source.state != S.DONE:
        return _moved_on(request, source)
    context = {"source": source, "report": reports.import_report(source)}
    return page_or_fragment(
        request, "databases/import_report.html", "databases/import_report.html", context
    )


@audience(Audience.ADMIN)
@require_safe
def not_ready_csv(request: MemberRequest, pk: int) -> StreamingHttpResponse:
    """Send every row that is not ready, with its number and reason."""
    source = _find(request, pk)
    if source.database is None:
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
    source = _find(request, pk)
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
