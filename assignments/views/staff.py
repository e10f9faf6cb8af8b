"""The staff's request page: what can be asked, what waits, what was decided. Never a record."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.access import Audience, MemberRequest, audience
from assignments import reports
from assignments.errors import NotEnoughRecords, OverCap
from assignments.forms import AskForm
from assignments.models import RecordRequest
from assignments.services.requests import cancel_request, request_records
from crm.kernel.address import id_in
from crm.kernel.errors import DomainError
from crm.kernel.hx import announce, page_or_fragment, toast, wants_fragment
from crm.kernel.templatetags.formats import thousands
from crm.kernel.text import clean_text
from databases.models import Database

PAGE = "assignments/mine.html"


@audience(Audience.STAFF)
@require_safe
def mine(request: MemberRequest) -> HttpResponse:
    """Show what can be asked from, what waits, and what was decided."""
    return page_or_fragment(request, PAGE, f"{PAGE}#shelf", _page(request))


@audience(Audience.STAFF)
@require_POST
def ask(request: MemberRequest, pk: int) -> HttpResponse:
    """Ask for records of one database, from the form in its card."""
    form = AskForm(request.POST)
    if not form.is_valid():
        return _refused(request, pk, form, status=422)
    wanted = form.cleaned_data
    try:
        asked = request_records(
            database_id=pk,
            quantity=wanted["quantity"],
            note=clean_text(wanted["note"]),
            token=wanted["token"],
            by=request.user,
        )
    except Database.DoesNotExist:
        raise Http404 from None
    except DomainError as error:
        return _refused(request, pk, form, refusal=error, status=error.status)
    said = ngettext(
        "Asked for %(count)s record. It appears in your batches when approved.",
        "Asked for %(count)s records. They appear in your batches when approved.",
        asked.quantity,
    ) % {"count": thousands(asked.quantity)}
    return _changed(request, said, card=pk)


@audience(Audience.STAFF)
@require_POST
def cancel(request: MemberRequest, pk: int) -> HttpResponse:
    """Take back one's own request that still waits."""
    try:
        cancel_request(request_id=pk, by=request.user)
    except RecordRequest.DoesNotExist:
        raise Http404 from None
    except DomainError as error:
        return _changed(request, error.message, status=error.status)
    return _changed(request, _("The request was cancelled."))


def _page(request: MemberRequest) -> dict[str, Any]:
    """Read the whole page, filtered as its address says."""
    product_id = id_in(request.GET.get("product", ""))
    search = clean_text(request.GET.get("q", ""))
    after = request.GET.get("after")
    page = reports.shelf(request.user, product_id=product_id, search=search, after=after)
    products = reports.shelf_products(request.user)
    return _lists(request) | {
        "page": page,
        "cards": [_card(database) for database in page.rows],
        "products": products,
        "database_count": sum(product.count for product in products),
        "product_id": product_id,
        "search": search,
    }


def _lists(request: MemberRequest) -> dict[str, Any]:
    return {
        "mine": reports.mine(request.user),
        "history": reports.my_history(request.user, after=request.GET.get("before")),
    }


def _card(database: Database, **given: Any) -> dict[str, Any]:
    form = given.pop("form", None) or AskForm(
        initial={"quantity": min(50, database.stat.available) or 1}
    )
    return {
        "database": database,
        "form": form,
        "token": form.data.get("token") or str(uuid.uuid4()),
        "quick": [n for n in (25, 50, 100, 200) if n <= database.stat.available],
        **given,
    }


def _refused(
    request: MemberRequest,
    pk: int,
    form: AskForm,
    *,
    refusal: DomainError | None = None,
    status: int,
) -> HttpResponse:
    """Show the card again with what was typed, why not, and the number that would do."""
    database = reports.shelf_database(request.user, pk)
    if database is None and refusal is None:
        raise Http404
    offer = 0
    if isinstance(refusal, NotEnoughRecords):
        offer = refusal.available
    elif isinstance(refusal, OverCap):
        offer = min(refusal.room, database.stat.available) if database else 0
    given = {
        "form": form,
        "refusal": refusal.message if refusal else "",
        "asked": form.cleaned_data.get("quantity"),
        "offer": offer,
        "is_open": True,
    }
    if wants_fragment(request):
        context: dict[str, Any] = {"card": _card(database, **given) if database else given}
        return render(request, "assignments/_ask_card.html", context, status=status)
    context = _page(request)
    if database is None:
        messages.error(request, refusal.message if refusal else "")
    else:
        card = _card(database, **given)
        others = [other for other in context["cards"] if other["database"] != database]
        context["cards"] = [card, *others]
    return render(request, PAGE, context, status=status)


def _changed(
    request: MemberRequest, said: str, *, card: int | None = None, status: int = 200
) -> HttpResponse:
    """Answer a change: the lists (and the card asked from) anew, or the whole page again."""
    if not wants_fragment(request):
        (messages.success if status == 200 else messages.error)(request, said)
        return redirect("requests:mine")
    context = _lists(request)
    database = reports.shelf_database(request.user, card) if card else None
    if database is not None:
        context["card"] = _card(database)
    response = render(request, "assignments/_ask_done.html", context, status=status)
    toast(response, said, tone="ok" if status == 200 else "bad")
    return announce(response, "badges:changed")
