"""The staff's work screen."""

from __future__ import annotations

import time
from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from accounts.access import Audience, MemberRequest, audience
from assignments.models import Assignment
from assignments.services import marks
from batches import reports, services
from batches.forms import Place, PlaceForm, ReachForm, ResponseForm
from batches.keys import BatchKey
from crm.kernel.errors import DomainError
from crm.kernel.hx import page_or_fragment, wants_fragment


@audience(Audience.STAFF)
@require_safe
def my_batches(request: MemberRequest) -> HttpResponse:
    """Show the batches of the one who asks."""
    finished = request.GET.get("show") == "finished"
    mine = reports.my_batches(user=request.user, after=request.GET.get("after"), finished=finished)
    return render(request, "batches/list.html", {"mine": mine, "finished": finished})


@audience(Audience.STAFF)
@require_safe
def detail(request: MemberRequest, key: BatchKey) -> HttpResponse:
    """Show the customers of one batch; without a place, around the next one to check."""
    batch = reports.find_batch(user=request.user, key=key)
    if batch is None:
        raise Http404
    place = PlaceForm(request.GET).place()
    page = reports.customers_of(batch, **place)
    services.note_shown(batch=batch, record_ids=page.record_ids, by=request.user)
    context = {"batch": batch, "page": page, "show": place["show"], "back": _back(page, place)}
    return render(request, "batches/detail.html", context)


@audience(Audience.STAFF)
@require_POST
def mark_reach(request: MemberRequest, pk: int) -> HttpResponse:
    """Save how far a customer was reached, from a button in their row."""
    return _mark(request, pk, ReachForm(request.POST), "reach", marks.mark_reach)


@audience(Audience.STAFF)
@require_POST
def mark_response(request: MemberRequest, pk: int) -> HttpResponse:
    """Save whether a customer answered, from a button in their row."""
    return _mark(request, pk, ResponseForm(request.POST), "response", marks.mark_response)


@audience(Audience.STAFF)
@require_safe
def history(request: MemberRequest, pk: int) -> HttpResponse:
    """Show who marked what and when for one customer."""
    mine = Assignment.objects.visible_to(request.user).select_related("record", "database")
    assignment = get_object_or_404(mine, pk=pk)
    context = {
        "assignment": assignment,
        "key": BatchKey(assignment.request_id, assignment.database_id),
        "changes": reports.changes_of(assignment),
    }
    return page_or_fragment(request, "batches/history.html", "batches/history.html#dialog", context)


def _mark(
    request: MemberRequest, pk: int, form: forms.Form, field: str, save: Callable[..., None]
) -> HttpResponse:
    """Save one mark and answer with its buttons, or go back to the row without JavaScript."""
    assignment = reports.find_customer(user=request.user, pk=pk)
    if assignment is None:
        raise Http404
    refusal, status = "", 200
    if not form.is_valid():
        refusal, status = str(form.errors[field][0]), 422
    else:
        try:
            save(assignment_id=pk, by=request.user, **form.cleaned_data)
            setattr(assignment, field, form.cleaned_data[field])
        except DomainError as error:
            refusal, status = error.message, error.status

    if not wants_fragment(request):
        if refusal:
            messages.error(request, refusal)
        return redirect(_row(request, assignment))
    name = assignment.record.name or str(assignment.record)
    segment = reports.segment(assignment, field, name=name, refusal=refusal)
    if status == 409:
        return render(request, "batches/detail.html#gone", {"segment": segment}, status=status)
    counted_at = time.time_ns() // 1000
    context = {"segment": segment, "batch": reports.batch_of(assignment), "oob": True}
    response = render(request, "batches/detail.html#marked", context, status=status)
    # Answers to quick taps may overtake each other: older numbers must not replace newer ones.
    response.headers["X-Counted-At"] = str(counted_at)
    return response


def _back(page: reports.CustomerPage, place: Place) -> str:
    """Give the query that leads back to this very page, for forms sent without JavaScript."""
    start = page.record_ids[0] if page.record_ids and page.previous_from is not None else 0
    return _query({"show": place["show"], "start": start})


def _row(request: MemberRequest, assignment: Assignment) -> str:
    """Give the address of a customer's row on the page that the form stood on."""
    key = BatchKey(assignment.request_id, assignment.database_id)
    query = _query(PlaceForm(request.GET).place())
    return f"{reverse('batches:detail', args=[key])}{query}#c-{assignment.pk}"


def _query(place: Place) -> str:
    said = {name: str(value) for name, value in place.items() if value not in ("", None)}
    return f"?{urlencode(said)}" if said else ""
