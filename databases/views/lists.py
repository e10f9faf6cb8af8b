"""The list of databases, and changing what one is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import Audience, MemberRequest, audience
from crm.kernel.errors import DomainError
from crm.kernel.hx import page_or_fragment, redirect_to
from crm.kernel.paging import keyset
from crm.kernel.text import clean_text
from databases import reports
from databases.errors import ChangedMeanwhile
from databases.forms import DatabaseForm
from databases.forms_upload import UploadForm
from databases.models import Database, Import, Program
from databases.services import catalog

PAGE_SIZE = 30
# Sort keys of the address, and the columns they stand for; the first is what comes unasked.
SORTS = {
    "newest": ["-created_at", "-pk"],
    "oldest": ["created_at", "pk"],
    "name": ["name", "pk"],
    "-name": ["-name", "-pk"],
    "records": ["stat__total", "pk"],
    "-records": ["-stat__total", "-pk"],
    "available": ["stat__available", "pk"],
    "-available": ["-stat__available", "-pk"],
    "requested": ["stat__requested", "pk"],
    "-requested": ["-stat__requested", "-pk"],
    "assigned": ["stat__assigned", "pk"],
    "-assigned": ["-stat__assigned", "-pk"],
}


@audience(Audience.ADMIN)
@require_safe
def database_list(request: MemberRequest) -> HttpResponse:
    """Show the databases of the standard program, what they hold, and imports on their way."""
    everything = Database.objects.visible_to(request.user).in_program(Program.STANDARD)
    archived = request.GET.get("show") == "archived"
    shown = everything.exclude(archived_at=None) if archived else everything.current()
    product, query = request.GET.get("product", ""), clean_text(request.GET.get("q", ""))
    products = reports.by_product(shown)
    rows = reports.search(shown, query)
    if product == "none":
        rows = rows.filter(product=None)
    elif product.isdecimal() and len(product) < 19:
        rows = rows.filter(product=int(product))
    else:
        product = ""
    sort = request.GET.get("sort", "")
    page = keyset(
        rows.select_related("stat", "product", "uploaded_by"),
        order=SORTS.get(sort, SORTS["newest"]),
        after=request.GET.get("after"),
        size=PAGE_SIZE,
    )
    imports: list[Import] = []
    if page.is_first and not archived:
        imports = list(
            Import.objects.visible_to(request.user)
            .to_be_listed()
            .select_related("product", "uploaded_by")[:20]
        )
    context = {
        "page": page,
        "imports": imports,
        "running": [one for one in imports if one.state == Import.State.RUNNING],
        "totals": reports.totals(everything.current()),
        "products": products,
        "shown_count": sum(one.count for one in products),
        "archived_count": everything.exclude(archived_at=None).count(),
        "archived": archived,
        "product": product,
        "query": query,
        "sort": sort if sort in SORTS else "newest",
        "headings": _headings(sort),
        "form": UploadForm(by=request.user),
    }
    return page_or_fragment(
        request, "databases/database_list.html", "databases/database_list.html#listing", context
    )


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of the list; `next` is the sort key that a click on it asks for."""

    label: str
    next: str = ""
    sorted: str = ""
    is_number: bool = False


def _headings(sort: str) -> list[Heading]:
    def number(key: str, label: str) -> Heading:
        # Numbers are first asked for from the largest down.
        up, down = sort == key, sort == f"-{key}"
        direction = "ascending" if up else "descending" if down else ""
        return Heading(label, key if down else f"-{key}", direction, is_number=True)

    by_name = {"name": "ascending", "-name": "descending"}.get(sort, "")
    return [
        Heading(_("Database"), "-name" if sort == "name" else "name", by_name),
        Heading(_("Status")),
        number("records", _("Records")),
        number("available", _("Available")),
        number("requested", _("Requested")),
        number("assigned", _("Assigned")),
    ]


@audience(Audience.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def edit_database(request: MemberRequest, pk: int) -> HttpResponse:
    """Change the name, product and description of a database, and what staff see of it."""
    database = get_object_or_404(Database.objects.visible_to(request.user), pk=pk)
    if request.method != "POST":
        return _edit(request, database, DatabaseForm(instance=database))
    form = DatabaseForm(request.POST, instance=database)
    if not form.is_valid():
        return _edit(request, database, form, status=422)
    try:
        catalog.edit_database(
            database_id=pk,
            version=form.cleaned_data["version"],
            name=form.cleaned_data["name"],
            description=form.cleaned_data["description"],
            product=form.cleaned_data["product"],
            roles=form.roles,
            by=request.user,
        )
    except ChangedMeanwhile as conflict:
        # What was typed stays; sending it once more means that this reader has seen the other.
        typed = request.POST.copy()
        typed["version"] = str(conflict.current.version)
        again = DatabaseForm(typed, instance=conflict.current)
        context = {"conflict": conflict}
        return _edit(request, database, again, status=conflict.status, **context)
    except DomainError as error:
        form.add_error(None, error.message)
        return _edit(request, database, form, status=error.status)
    messages.success(request, _("Saved."))
    return redirect_to(request, "database:detail", pk)


def _edit(
    request: MemberRequest,
    database: Database,
    form: DatabaseForm,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    context = {"database": database, "form": form, **more}
    return page_or_fragment(
        request,
        "databases/edit_database.html",
        "databases/edit_database.html#form",
        context,
        status=status,
    )
