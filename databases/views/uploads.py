"""Uploading a file, checking what was read, and watching it become a database."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import Audience, MemberRequest, audience
from crm.kernel.errors import DomainError
from crm.kernel.hx import page_or_fragment, redirect_to, wants_fragment
from databases import reports
from databases.errors import AlreadyConfirmed, CannotStore, StillCounting
from databases.forms import CheckForm
from databases.forms_upload import UploadForm
from databases.models import Import
from databases.reports_check import check_view
from databases.reports_overlap import overlap_of
from databases.reports_queue import imports_before
from databases.services import imports, reading, uploads
from databases.views.places import STOP_POLLING, find_import, moved_on, place_of
from databases.views.report import check_correction

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
        if form.made is not None:
            return redirect_to(request, "databases:check", form.made.pk)
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


@audience(Audience.ADMIN)
@require_safe
def check(request: MemberRequest, pk: int) -> HttpResponse:
    """Show what was read of a file before anything is imported; polled while it is being read."""
    source = find_import(request, pk)
    if place_of(source) != "databases:check":
        return moved_on(request, source)
    busy = source.state == S.READING and not source.is_interrupted
    if wants_fragment(request) and "overlap" in request.GET:
        return _overlap(request, source)
    if wants_fragment(request):
        was_shown = request.GET.get("shown") == "1"
        if busy and bool(source.reading) == was_shown:
            return page_or_fragment(request, "", "databases/check.html#reading", {"source": source})
        # There is more to show than a line of progress: the page itself.
        return moved_on(request, source)
    return _check_page(request, source)


def _overlap(request: MemberRequest, source: Import) -> HttpResponse:
    """Answer the poll for what other databases have of this file; what is known asks no more."""
    if source.state != S.WAITING:
        return moved_on(request, source)
    overlap = overlap_of(source, user=request.user)
    context = {"source": source, "overlap": overlap}
    return page_or_fragment(request, "", "databases/check.html#overlap", context)


def _is_shown(source: Import) -> bool:
    """Say whether there is something to check; a reading that broke off counted to nowhere."""
    reading = source.state == S.READING and not source.is_interrupted
    return bool(source.reading) and (reading or source.state == S.WAITING)


def _check_page(
    request: MemberRequest, source: Import, form: CheckForm | None = None, *, status: int = 200
) -> HttpResponse:
    shown = _is_shown(source)
    if source.corrects_id is not None and shown:
        return check_correction(request, source)
    context: dict[str, Any] = {
        "source": source,
        "shown": shown,
        "busy": source.state == S.READING and not source.is_interrupted,
        "problem": reports.problem_of(source),
    }
    if shown:
        context["form"] = form or CheckForm(source=source)
        context["check"] = check_view(source, user=request.user)
        context["overlap"] = overlap_of(source, user=request.user)
    return page_or_fragment(
        request, "databases/check.html", "databases/check.html", context, status=status
    )


@audience(Audience.ADMIN)
@require_POST
def read_again(request: MemberRequest, pk: int) -> HttpResponse:
    """Read the file once more, in the way that was chosen."""
    source = find_import(request, pk)
    choices: dict[str, Any] = source.choices
    if "guess" in request.POST and source.reading.get("as_last_time"):
        choices = imports.as_read(source) | {"roles": source.reading["as_last_time"]["guess"]}
    elif source.corrects_id is not None:
        pass  # its columns are those of its database
    elif _is_shown(source) or (source.reading and "role0" in request.POST):
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
        source = find_import(request, pk)
    return moved_on(request, source)


@audience(Audience.ADMIN)
@require_POST
def confirm_import(request: MemberRequest, pk: int) -> HttpResponse:
    """Import what was checked; if the choices were changed, read it again and show that first."""
    source = find_import(request, pk)
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
        source = find_import(request, pk)
    return moved_on(request, source)


def _refused_twice(request: MemberRequest, source: Import) -> HttpResponse:
    # Not asked of the service: since we looked, the reading may have ended, and it would go ahead.
    refusal = StillCounting() if source.state == S.READING else AlreadyConfirmed(source)
    messages.info(request, refusal.message)
    return moved_on(request, source)


@audience(Audience.ADMIN)
@require_POST
def cancel_import(request: MemberRequest, pk: int) -> HttpResponse:
    """Give an import up, wherever it stands before its end."""
    source = find_import(request, pk)
    try:
        source = imports.cancel_import(import_id=pk, by=request.user)
    except DomainError as error:
        messages.info(request, error.message)
        return moved_on(request, source)
    if source.state == S.CANCELLED and source.corrects_id is not None:
        messages.success(request, _("Cancelled. Nothing was changed."))
        return redirect_to(request, "databases:import_report", source.corrects_id)
    if source.state == S.CANCELLED:
        messages.success(request, _("Cancelled. Nothing was imported."))
        return redirect_to(request, "databases:list")
    return moved_on(request, source)


@audience(Audience.ADMIN)
@require_POST
def retry_import(request: MemberRequest, pk: int) -> HttpResponse:
    """Run an import again that failed or was interrupted."""
    source = find_import(request, pk)
    try:
        source = imports.retry_import(import_id=pk, by=request.user)
    except DomainError as error:
        messages.info(request, error.message)
        source = find_import(request, pk)
    return moved_on(request, source)


@audience(Audience.ADMIN)
@require_safe
def import_progress(request: MemberRequest, pk: int) -> HttpResponse:
    """Show how far an import is; polled every second until it is over."""
    source = find_import(request, pk)
    if place_of(source) != "databases:import_progress":
        return moved_on(request, source)
    busy = source.state in (S.QUEUED, S.RUNNING) and not source.is_interrupted
    return page_or_fragment(
        request,
        "databases/import_progress.html",
        "databases/import_progress.html#progress",
        {
            "source": source,
            "busy": busy,
            "before": imports_before(source) if source.state == S.QUEUED else 0,
            "problem": reports.problem_of(source),
        },
        status=STOP_POLLING if wants_fragment(request) and not busy else 200,
    )
