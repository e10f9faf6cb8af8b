"""Marking customers, one or several, and taking it back."""

from __future__ import annotations

import time
from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts.access import Audience, MemberRequest, audience
from assignments.errors import SomeNotYours
from assignments.services import marks
from batches import reports
from batches.forms import MarkManyForm, PlaceForm, ReachForm, ResponseForm, UndoForm
from batches.keys import BatchKey
from batches.reports.looks import CHOICES
from batches.views.places import (
    address,
    batch_or_404,
    customer_or_404,
    key_of,
    query,
    row,
    undo_query,
    undo_url,
)
from crm.kernel.errors import DomainError
from crm.kernel.hx import page_or_fragment, redirect_to, toast, wants_fragment
from crm.kernel.templatetags.formats import thousands

DETAIL, CONFIRM = "batches/detail.html", "batches/mark_many.html"
ASK_FROM = 21  # so many at once are asked about first


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
@require_POST
def mark_many(request: MemberRequest, key: BatchKey) -> HttpResponse:
    """Save one mark for several customers: the ticked ones, or all that are shown."""
    batch, place = batch_or_404(request, key), PlaceForm(request.GET).place()
    form = MarkManyForm(request.POST)
    if not form.is_valid():
        (refusal, *_more) = [str(error) for errors in form.errors.values() for error in errors]
        return _refused_many(request, batch, refusal, 422)
    given = form.cleaned_data
    field, value, ids = given["field"], given["value"], given["ids"]
    rows = batch.assignments()
    if given["all"]:
        rows = reports.shown(batch, show=place["show"], query=place["q"])
        ids = list(rows.values_list("pk", flat=True))
    else:
        rows = rows.filter(pk__in=ids)
        # Somebody else's, or of another batch: nothing of the call is done.
        if not reports.are_of(batch, ids):
            raise Http404
    if len(ids) >= ASK_FROM and not given["confirmed"]:
        context = {
            "batch": batch,
            "form": form,
            "ids": [] if given["all"] else ids,
            "number": len(ids),
            "label": reports.MARKS[given["mark"]],
            "overwritten": reports.overwritten(rows, field, value),
            "filters": query(place),
            "back": address(request, key),
        }
        return page_or_fragment(request, CONFIRM, f"{CONFIRM}#dialog", context)
    try:
        act = marks.mark_many(assignment_ids=ids, field=field, value=value, by=request.user)
    except SomeNotYours as error:
        return _refused_many(request, batch, error.message, error.status)
    said = ngettext("%(count)s customer marked.", "%(count)s customers marked.", act.changed)
    messages.success(request, said % {"count": thousands(act.changed)})
    first = None
    if not given["all"]:  # back to the first that was ticked, not to the beginning of the batch
        first = rows.order_by("record_id").values_list("record_id", flat=True).first()
    to = address(request, key, start=first)
    if act.changed:
        to += ("&" if "?" in to else "?") + undo_query(act)
    return redirect_to(request, to)


@audience(Audience.STAFF)
@require_POST
def undo(request: MemberRequest, key: BatchKey) -> HttpResponse:
    """Set back what one act of marking changed, where nobody marked since."""
    batch, form = batch_or_404(request, key), UndoForm(request.GET)
    if not form.is_valid():
        return HttpResponse(status=422)
    customer = form.cleaned_data["customer"]
    try:
        undone = marks.undo_marks(
            staff=request.user,
            database_id=batch.stat.database_id,
            request_id=batch.stat.request_id,
            field=form.cleaned_data["field"],
            at=form.moment(),
            assignment_id=customer,
        )
    except DomainError as error:
        return _say(request, key, error.message, tone="bad", status=error.status)
    said = _undone_words(undone)
    if not wants_fragment(request) or customer is None:
        messages.success(request, said)
        return redirect_to(request, address(request, key))
    assignment = customer_or_404(request, customer)
    counted_at = time.time_ns() // 1000
    segment = reports.segment(assignment, form.cleaned_data["field"])
    context = {"segment": segment, "batch": reports.batch_of(assignment), "oob": True}
    answer = render(request, f"{DETAIL}#undone", context)
    answer.headers["X-Counted-At"] = str(counted_at)
    return toast(answer, said)


def _mark(
    request: MemberRequest,
    pk: int,
    form: forms.Form,
    field: str,
    save: Callable[..., marks.Act],
) -> HttpResponse:
    """Save one mark and answer with its buttons, or go back to the row without JavaScript."""
    assignment = customer_or_404(request, pk)
    refusal, status, act = "", 200, None
    if not form.is_valid():
        refusal, status = str(form.errors[field][0]), 422
    else:
        try:
            act = save(assignment_id=pk, by=request.user, **form.cleaned_data)
            setattr(assignment, field, form.cleaned_data[field])
        except DomainError as error:
            refusal, status = error.message, error.status

    if not wants_fragment(request):
        if refusal:
            messages.error(request, refusal)
        to = row(request, assignment)
        if act is not None and act.changed:
            place, _hash, anchor = to.partition("#")
            to = f"{place}{'&' if '?' in place else '?'}{undo_query(act, pk)}#{anchor}"
        return redirect(to)
    segment = reports.segment(assignment, field, refusal=refusal)
    counted_at = time.time_ns() // 1000
    context = {"segment": segment, "batch": reports.batch_of(assignment), "oob": True}
    part = "gone" if status == 409 else "marked"
    response = render(request, f"{DETAIL}#{part}", context, status=status)
    # Answers to quick taps may overtake each other: older numbers must not replace newer ones.
    response.headers["X-Counted-At"] = str(counted_at)
    if act is not None and act.changed:
        said = dict(CHOICES[field]).get(getattr(assignment, field), _("Cleared"))
        back = undo_url(key_of(assignment), act, pk)
        toast(response, f"{segment.name}: {said}", undo_url=back)
    return response


def _undone_words(undone: marks.Undone) -> str:
    count = len(undone.assignment_ids)
    said = ngettext("Undone for %(count)s customer.", "Undone for %(count)s customers.", count)
    said = _("Undone.") if count == 1 and not undone.left else said % {"count": thousands(count)}
    if undone.left:
        said += " " + ngettext(
            "%(count)s was marked again since, or is no longer yours, and stays as it is.",
            "%(count)s were marked again since, or are no longer yours, and stay as they are.",
            undone.left,
        ) % {"count": thousands(undone.left)}
    return said


def _refused_many(
    request: MemberRequest, batch: reports.Batch, refusal: str, status: int
) -> HttpResponse:
    context = {"batch": batch, "refusal": refusal, "back": address(request, batch.key)}
    return page_or_fragment(request, CONFIRM, f"{CONFIRM}#dialog", context, status=status)


def _say(
    request: MemberRequest, key: BatchKey, text: str, *, tone: str, status: int
) -> HttpResponse:
    """Say something over the page it was asked from."""
    if wants_fragment(request):
        return toast(HttpResponse(status=status), text, tone=tone)
    messages.error(request, text)
    return redirect(address(request, key))
