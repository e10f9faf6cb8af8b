"""The list of one's batches, and how each is named and pinned."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import Audience, MemberRequest, audience
from batches import reports
from batches.errors import TitleChanged
from batches.forms import ListForm, PinForm, TitleForm
from batches.keys import BatchKey
from batches.services import settings
from crm.kernel.hx import page_or_fragment, redirect_to

TITLE = "batches/title.html"


@audience(Audience.STAFF)
@require_safe
def my_batches(request: MemberRequest) -> HttpResponse:
    """Show the batches of the one who asks."""
    filters = ListForm(request.GET).filters()
    mine = reports.my_batches(user=request.user, after=request.GET.get("after"), **filters)
    context = {"mine": mine, **filters, "back": _query(filters)}
    return render(request, "batches/list.html", context)


@audience(Audience.STAFF)
@require_http_methods(["GET", "HEAD", "POST"])
def title(request: MemberRequest, key: BatchKey) -> HttpResponse:
    """Let the owner of a batch call it what they want; blank gives it back its first name."""
    batch = _find(request, key)
    at_first = {"title": batch.own_title, "version": batch.title_version}
    form = TitleForm(request.POST) if request.method == "POST" else TitleForm(initial=at_first)
    context = {"batch": batch, "form": form}
    if request.method != "POST":
        return page_or_fragment(request, TITLE, f"{TITLE}#dialog", context)
    if not form.is_valid():
        return page_or_fragment(request, TITLE, f"{TITLE}#form", context, status=422)
    try:
        settings.rename_batch(batch=batch, by=request.user, **form.cleaned_data)
    except TitleChanged as conflict:
        # What was typed stays; sending it once more means that this reader has seen the other.
        typed = request.POST.copy()
        typed["version"] = str(conflict.current.title_version)
        context |= {"form": TitleForm(typed), "conflict": conflict}
        return page_or_fragment(request, TITLE, f"{TITLE}#form", context, status=conflict.status)
    messages.success(request, _("Saved."))
    return redirect_to(request, "batches:detail", key)


@audience(Audience.STAFF)
@require_POST
def pin(request: MemberRequest, key: BatchKey) -> HttpResponse:
    """Put a batch before the others, or back among them."""
    batch, form = _find(request, key), PinForm(request.POST)
    if not form.is_valid():
        return HttpResponse(status=422)
    settings.pin_batch(batch=batch, pinned=form.cleaned_data["pinned"], by=request.user)
    return redirect(reverse("batches:list") + _query(ListForm(request.GET).filters()))


def _find(request: MemberRequest, key: BatchKey) -> reports.Batch:
    batch = reports.find_batch(user=request.user, key=key)
    if batch is None:
        raise Http404
    return batch


def _query(filters: dict[str, object]) -> str:
    given = {"show": filters["show"], "product": filters["product_id"]}
    said = {name: str(value) for name, value in given.items() if value}
    return f"?{urlencode(said)}" if said else ""
