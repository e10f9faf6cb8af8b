"""The admins' pages of requests: the queue, and what was decided."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import Audience, MemberRequest, audience
from assignments import reports
from assignments.forms import ApproveForm, BulkForm, HistoryFilterForm, RejectForm
from assignments.models import RecordRequest
from assignments.services.requests import (
    Outcome,
    approve_request,
    approve_requests,
    reject_request,
    reject_requests,
)
from crm.kernel.address import id_in
from crm.kernel.errors import DomainError
from crm.kernel.hx import announce, page_or_fragment, toast, wants_fragment
from crm.kernel.templatetags.formats import thousands
from crm.kernel.text import clean_text

QUEUE = "assignments/queue.html"


@audience(Audience.ADMIN)
@require_safe
def queue(request: MemberRequest) -> HttpResponse:
    """Show what waits, oldest first, with what there is to weigh."""
    return page_or_fragment(request, QUEUE, f"{QUEUE}#queue", _queue(request))


@audience(Audience.ADMIN)
@require_safe
def row(request: MemberRequest, pk: int) -> HttpResponse:
    """Show one request of the queue as it is now."""
    get_object_or_404(RecordRequest.objects.visible_to(request.user), pk=pk)
    if not wants_fragment(request):
        return redirect("manage_requests:queue")
    return render(request, "assignments/_queue_row.html", _row(request, pk))


@audience(Audience.ADMIN)
@require_POST
def approve(request: MemberRequest, pk: int) -> HttpResponse:
    """Give the asked records, or as many of them as the row says."""
    get_object_or_404(RecordRequest.objects.visible_to(request.user), pk=pk)
    form = ApproveForm(request.POST)
    if not form.is_valid():
        return _answer(request, pk, refusal=str(form.errors["quantity"][0]), status=422)
    try:
        approved = approve_request(
            request_id=pk, quantity=form.cleaned_data["quantity"], by=request.user
        )
    except DomainError as error:
        return _answer(request, pk, refusal=error.message, status=error.status)
    said = ngettext(
        "%(count)s record given to %(name)s.",
        "%(count)s records given to %(name)s.",
        approved.granted or 0,
    ) % {"count": thousands(approved.granted), "name": approved.staff.name}
    return _answer(request, pk, said=said)


@audience(Audience.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def reject(request: MemberRequest, pk: int) -> HttpResponse:
    """Ask for the reason, then reject."""
    asked = get_object_or_404(RecordRequest.objects.visible_to(request.user), pk=pk)
    if request.method != "POST":
        return _reject_form(request, pk, RejectForm(), status=200)
    form = RejectForm(request.POST)
    if not form.is_valid():
        return _reject_form(request, pk, form, status=422)
    try:
        reason = clean_text(form.cleaned_data["reason"])
        reject_request(request_id=pk, reason=reason, by=request.user)
    except DomainError as error:
        return _answer(request, pk, refusal=error.message, status=error.status)
    said = ngettext(
        "The request was rejected; %(count)s record is available again.",
        "The request was rejected; %(count)s records are available again.",
        asked.quantity,
    ) % {"count": thousands(asked.quantity)}
    return _answer(request, pk, said=said)


@audience(Audience.ADMIN)
@require_POST
def bulk(request: MemberRequest) -> HttpResponse:
    """Decide several requests at once; each has its own outcome, and all must exist."""
    form = BulkForm(request.POST)
    if not form.is_valid():
        wrong = " ".join(str(error) for errors in form.errors.values() for error in errors)
        return _after_bulk(request, [], refusal=wrong, status=422)
    ids = form.cleaned_data["id"]
    if RecordRequest.objects.visible_to(request.user).filter(pk__in=ids).count() != len(set(ids)):
        raise Http404
    if form.cleaned_data["do"] == BulkForm.APPROVE:
        outcomes = approve_requests(request_ids=ids, by=request.user)
    else:
        reason = clean_text(form.cleaned_data["reason"])
        outcomes = reject_requests(request_ids=ids, reason=reason, by=request.user)
    return _after_bulk(request, outcomes)


@audience(Audience.ADMIN)
@require_safe
def history(request: MemberRequest) -> HttpResponse:
    """Show what was decided, filtered as the address says."""
    form = HistoryFilterForm(request.GET, user=request.user)
    chosen = form.chosen()
    page = reports.history(request.user, after=request.GET.get("after"), **chosen)
    context = {"form": form, "page": page, "is_filtered": any(chosen.values())}
    return page_or_fragment(
        request, "assignments/history.html", "assignments/history.html#list", context
    )


def _queue(request: MemberRequest) -> dict[str, Any]:
    product_id = id_in(request.GET.get("product", ""))
    search = clean_text(request.GET.get("q", ""))
    page, rows = reports.queue(
        request.user, product_id=product_id, search=search, after=request.GET.get("after")
    )
    return {
        "page": page,
        "rows": rows,
        "waiting": reports.waiting(),
        "today": reports.decided_today(request.user),
        "product_id": product_id,
        "search": search,
    }


def _row(request: MemberRequest, pk: int) -> dict[str, Any]:
    return {"row": reports.row_of(request.user, pk)}


def _answer(
    request: MemberRequest, pk: int, *, said: str = "", refusal: str = "", status: int = 200
) -> HttpResponse:
    """Show what became of one request: its row anew with the queue's numbers, or the queue."""
    if not wants_fragment(request):
        (messages.error if refusal else messages.success)(request, refusal or said)
        return redirect("manage_requests:queue")
    context = _row(request, pk) | {
        "refusal": refusal,
        "waiting": reports.waiting(),
        "typed": request.POST.get("quantity", "")[:12] if status == 422 else "",
    }
    response = render(request, "assignments/_queue_answer.html", context, status=status)
    if said:
        toast(response, said)
    return announce(response, "badges:changed")


def _reject_form(request: MemberRequest, pk: int, form: RejectForm, *, status: int) -> HttpResponse:
    context = _row(request, pk) | {"form": form}
    return page_or_fragment(
        request, "assignments/reject.html", "assignments/_reject_row.html", context, status=status
    )


def _after_bulk(
    request: MemberRequest, outcomes: list[Outcome], *, refusal: str = "", status: int = 200
) -> HttpResponse:
    """Show the queue anew, with how many were decided and which were not and why."""
    done = [outcome.request for outcome in outcomes if not outcome.refusal]
    refused = [outcome for outcome in outcomes if outcome.refusal]
    said = ""
    if done and done[0].status == RecordRequest.Status.APPROVED:
        records = sum(approved.granted or 0 for approved in done)
        said = ngettext(
            "%(count)s request approved: %(records)s records given.",
            "%(count)s requests approved: %(records)s records given.",
            len(done),
        ) % {"count": len(done), "records": thousands(records)}
    elif done:
        said = ngettext(
            "%(count)s request rejected.", "%(count)s requests rejected.", len(done)
        ) % {"count": len(done)}
    if not wants_fragment(request):
        if said:
            messages.success(request, said)
        for why in [refusal, *[f"{no.request.staff.name}: {no.refusal}" for no in refused]]:
            if why:
                messages.error(request, why)
        return redirect("manage_requests:queue")
    context = _queue(request) | {"refused": refused, "refusal": refusal}
    response = render(request, "assignments/_bulk_answer.html", context, status=status)
    if said:
        toast(response, said)
    return announce(response, "badges:changed")
