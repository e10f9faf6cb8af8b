"""The page of one database: what is known of it, its rows, and a search in all their cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from accounts import activity
from accounts.access import Audience, MemberRequest, audience
from assignments import reports
from assignments.forms import RowFilterForm, ScanForm
from assignments.reports import RowFilters
from assignments.reports.removal import handed_out_ever
from crm.kernel.hx import page_or_fragment, wants_fragment
from databases.models import Database, DatabaseChange, Import, Record

PAGE = "assignments/database_detail.html"
SCAN = "assignments/scan_rows.html"
# How often one page goes on by itself where no script does.
STEPS_A_PAGE = 6


@audience(Audience.ADMIN)
@require_safe
def database_detail(request: MemberRequest, pk: int) -> HttpResponse:
    """Show what is known of one database, and those of its rows that the address asks for."""
    databases = Database.objects.visible_to(request.user)
    database = get_object_or_404(
        databases.select_related("stat", "product", "uploaded_by", "archived_by"), pk=pk
    )
    form = RowFilterForm(request.GET)
    filters, after = form.filters(), form.after_row()
    page = reports.page_of(request.user, database, filters, after=after)
    _note_shown(request, database, page.rows)
    source = Import.objects.visible_to(request.user).filter(database=database).first()
    context = _head(database, filters) | {
        "page": page,
        "after": after,
        "rows": reports.rows_of(database, page.rows, search=filters.search),
        "facets": reports.facets_of(database, staff_id=filters.staff_id),
        "identity": reports.identity_of(filters.search),
        "source": source,
        "can_be_undone": source is not None and not handed_out_ever(database),
        "change": DatabaseChange.objects.visible_to(request.user).last_of(database.pk),
        "scan": _scan_address(filters, after=0),
    }
    return page_or_fragment(request, PAGE, f"{PAGE}#rows", context)


@audience(Audience.ADMIN)
@require_safe
def scan_rows(request: MemberRequest, pk: int) -> HttpResponse:
    """Search all cells of a database, a bounded number of rows at a time."""
    database = get_object_or_404(
        Database.objects.visible_to(request.user).select_related("stat"), pk=pk
    )
    form = ScanForm(request.GET)
    filters, place = form.filters(), form.place()
    # Where a script asks for the next step by itself, one is an answer.
    steps = 0 if form.is_stopped() else 1 if wants_fragment(request) else STEPS_A_PAGE
    scan = reports.scan(request.user, database, filters, place, steps=steps)
    _note_shown(request, database, scan.records)
    place = scan.place
    context = _head(database, filters) | {
        "rows": reports.rows_of(database, scan.records, search=filters.search),
        "scanned": scan,
        "scan": _scan_address(filters, after=place.after, rows=place.rows, found=place.found),
        "stop": _scan_address(
            filters, after=place.after, rows=place.rows, found=place.found, stop=1
        ),
    }
    return page_or_fragment(request, SCAN, f"{SCAN}#step", context)


def _head(database: Database, filters: RowFilters) -> dict[str, Any]:
    return {
        "database": database,
        "columns": list(zip(database.columns, database.roles, strict=True)),
        "filters": filters,
    }


def _note_shown(request: MemberRequest, database: Database, records: Sequence[Record]) -> None:
    if records:
        ids = [record.pk for record in records]
        activity.write(by=request.user, kind="records.shown", subject=database, records=ids)


def _scan_address(filters: RowFilters, **place: int) -> str:
    """Give the query under which a scan goes on from a place, with the filters that are on."""
    asked = {
        "q": filters.search,
        "state": filters.state,
        "reason": filters.reason,
        "staff": filters.staff_id,
        "reach": filters.reach,
        "response": filters.response,
        **place,
    }
    return "?" + urlencode({name: value for name, value in asked.items() if value})
