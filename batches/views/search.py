"""Looking for a customer among all that one holds."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from accounts.access import Audience, MemberRequest, audience
from batches.forms_search import SearchForm
from batches.reports import search as reports
from batches.services.shown import note_found
from crm.kernel.hx import page_or_fragment

SEARCH = "batches/search.html"


@audience(Audience.STAFF)
@require_safe
def search(request: MemberRequest) -> HttpResponse:
    """Show whom a phone, a username or a name means; htmx is given the results, or more of them."""
    form = SearchForm(request.GET)
    text = form.text()
    found = None
    if form.is_enough():
        found = reports.search_customers(user=request.user, text=text, after=form.page())
        note_found(record_ids=found.record_ids, by=request.user)
    part = "results" if request.headers.get("HX-Target") == "results" else "more"
    context = {"q": text, "found": found, "back": f"?{urlencode({'found': text})}"}
    return page_or_fragment(request, SEARCH, f"{SEARCH}#{part}", context)
