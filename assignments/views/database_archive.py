"""Putting a database away, and taking it out again."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import Audience, MemberRequest, audience
from assignments import reports
from assignments.services.archive import archive_database, unarchive_database
from crm.kernel.errors import DomainError
from crm.kernel.hx import page_or_fragment, redirect_to
from crm.kernel.templatetags.formats import thousands
from databases.models import Database

PAGE = "assignments/database_archive.html"


@audience(Audience.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def archive(request: MemberRequest, pk: int) -> HttpResponse:
    """Say what archiving a database does, then do it."""
    database = get_object_or_404(Database.objects.visible_to(request.user), pk=pk)
    if request.method != "POST":
        requests, records = reports.pending_of(database)
        context = {"database": database, "requests": requests, "records": records}
        return page_or_fragment(request, PAGE, f"{PAGE}#confirm", context)
    try:
        rejected = archive_database(database_id=pk, by=request.user)
    except Database.DoesNotExist:
        raise Http404 from None
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(
            request,
            ngettext(
                "Archived. %(count)s waiting request was rejected.",
                "Archived. %(count)s waiting requests were rejected.",
                rejected,
            )
            % {"count": thousands(rejected)}
            if rejected
            else _("Archived."),
        )
    return redirect_to(request, "database:detail", pk)


@audience(Audience.ADMIN)
@require_POST
def unarchive(request: MemberRequest, pk: int) -> HttpResponse:
    """Open an archived database for hand-outs again."""
    get_object_or_404(Database.objects.visible_to(request.user), pk=pk)
    try:
        unarchive_database(database_id=pk, by=request.user)
    except Database.DoesNotExist:
        raise Http404 from None
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("The database can be asked from again."))
    return redirect_to(request, "database:detail", pk)
