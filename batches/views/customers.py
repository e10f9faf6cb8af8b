"""The customers of one batch, and what happened to each."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import reswap, retarget

from accounts.access import Audience, MemberRequest, audience
from assignments.errors import NoteChanged
from assignments.models import Assignment
from assignments.services.notes import save_note
from batches import reports
from batches.forms import AttemptForm, NoteForm, Place, PlaceForm, UndoForm
from batches.keys import BatchKey
from batches.services.attempts import record_attempt
from batches.services.shown import note_shown
from batches.views.messages import offer_of
from batches.views.places import batch_or_404, customer_or_404, key_of, query, row
from crm.kernel.errors import DomainError
from crm.kernel.hx import page_or_fragment, redirect_to, toast, wants_fragment

DETAIL, HISTORY = "batches/detail.html", "batches/history.html"
TABLE = "batches/_table.html"


@audience(Audience.STAFF)
@require_safe
def detail(request: MemberRequest, key: BatchKey) -> HttpResponse:
    """Show the customers of one batch; without a place, around the next one to check.

    htmx is given the rows that follow, or all of the list for a search.
    """
    batch = batch_or_404(request, key)
    place = PlaceForm(request.GET).place()
    kept = {"show": place["show"], "query": place["q"]}
    offer = offer_of(request, batch)
    page = reports.customers_of(batch, **kept, start=place["start"], message=offer.message)
    note_shown(batch=batch, record_ids=page.record_ids, by=request.user)
    total = {show: count for show, _label, count in batch.counts()}[place["show"]]
    if place["select"] and place["q"]:
        total = reports.shown(batch, **kept).count()
    searched = request.headers.get("HX-Target") == "customers"
    part = f"{DETAIL}#listing" if searched else f"{TABLE}#rows"
    context = {
        "batch": batch,
        "page": page,
        "customers": page.customers,
        **place,
        "total": total,
        "back": _back(page, place),
        "filters": query({**place, "start": None}),
        "act": _act(request),
        "offer": offer,
    }
    return page_or_fragment(request, DETAIL, part, context)


@audience(Audience.STAFF)
@require_safe
def history(request: MemberRequest, pk: int) -> HttpResponse:
    """Show what was marked, written and tried for one customer, with the note to write on."""
    assignment = _held(request, pk)
    form = NoteForm(initial={"note": assignment.note, "version": assignment.note_version})
    return _history(request, assignment, form)


@audience(Audience.STAFF)
@require_http_methods(["GET", "HEAD", "POST"])
def note(request: MemberRequest, pk: int) -> HttpResponse:
    """Save what was written about a customer."""
    if request.method != "POST":
        return redirect_to(request, "batches:history", _held(request, pk).pk)
    assignment = customer_or_404(request, pk)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _history(request, _held(request, pk), form, status=422)
    typed, version = form.cleaned_data["note"], form.cleaned_data["version"]
    try:
        save_note(assignment_id=pk, note=typed, version=version, by=request.user)
    except NoteChanged as conflict:
        # What was typed stays; sending it once more means that this reader has seen the other.
        sent = request.POST.copy()
        sent["version"] = str(conflict.version)
        form = NoteForm(sent)
        return _history(
            request, _held(request, pk), form, status=conflict.status, conflict=conflict
        )
    except DomainError as error:
        return _gone(request, assignment, error)
    assignment.note = typed
    if not wants_fragment(request):
        return redirect_to(request, row(request, assignment))
    context = {"c": assignment, "oob": True}
    answer = render(request, f"{TABLE}#noted", context)
    return toast(answer, _("Note saved.") if typed else _("Note removed."))


@audience(Audience.STAFF)
@require_POST
def attempt(request: MemberRequest, pk: int) -> HttpResponse:
    """Write down that a customer's link was copied or opened; scripts send this beside the act."""
    assignment = customer_or_404(request, pk)
    form = AttemptForm(request.POST, product=assignment.database.product)
    if not form.is_valid():
        return HttpResponse(status=422)
    try:
        record_attempt(assignment_id=pk, by=request.user, **form.cleaned_data)
    except DomainError as error:
        return _gone(request, assignment, error)
    if not wants_fragment(request):
        return HttpResponse(status=204)
    tries = reports.tries_of([pk]).get(pk, "")
    return render(request, f"{TABLE}#tries", {"pk": pk, "tries": tries})


def _held(request: MemberRequest, pk: int) -> Assignment:
    mine = Assignment.objects.visible_to(request.user)
    return get_object_or_404(mine.select_related("record", "database", "staff"), pk=pk)


def _history(
    request: MemberRequest,
    assignment: Assignment,
    form: NoteForm,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    context = {
        "assignment": assignment,
        "key": key_of(assignment),
        "form": form,
        "changes": reports.changes_of(assignment),
        "in_dialog": wants_fragment(request),
        **more,
    }
    if request.method != "POST":
        return page_or_fragment(request, HISTORY, f"{HISTORY}#dialog", context)
    answer = page_or_fragment(request, HISTORY, f"{HISTORY}#form", context, status=status)
    if wants_fragment(request):  # only the form: a saved note closes all it stands in
        return reswap(retarget(answer, "#note-form"), "outerHTML")
    return answer


def _gone(request: MemberRequest, assignment: Assignment, error: DomainError) -> HttpResponse:
    """Say kindly that the customer is somebody else's now; their row empties."""
    if not wants_fragment(request):
        messages.error(request, error.message)
        return redirect("batches:list")
    segment = reports.segment(assignment, "reach", refusal=error.message)
    context = {"segment": segment, "batch": reports.batch_of(assignment), "oob": True}
    return render(request, f"{DETAIL}#gone", context, status=error.status)


def _back(page: reports.CustomerPage, place: Place) -> str:
    """Give the query that leads back to this very page, for forms sent without JavaScript."""
    start = page.record_ids[0] if page.record_ids and page.previous_from is not None else None
    if start is None and not place["show"] and not place["q"]:
        start = 0
    return query({**place, "start": start})


def _act(request: MemberRequest) -> UndoForm | None:
    """Read from the address what was just marked, so that it can be undone without JavaScript."""
    form = UndoForm(request.GET)
    return form if "at" in request.GET and form.is_valid() else None
