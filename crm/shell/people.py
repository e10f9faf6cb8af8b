"""People: who may sign in, what they hold, and letting them in or out."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import services
from accounts.access import Audience, MemberRequest, audience
from accounts.errors import ChangedMeanwhile, EmailTaken
from accounts.forms import EditPersonForm, PersonForm
from accounts.models import User
from crm.kernel.errors import DomainError
from crm.kernel.hx import page_or_fragment, redirect_to
from crm.kernel.paging import keyset
from crm.kernel.templatetags.formats import thousands
from crm.shell import workload
from crm.shell.people_forms import LeavingForm

PAGE_SIZE = 50
# The chips above the list, and whom each shows.
SHOWN = {
    "": Q(is_active=True),
    "admin": Q(is_active=True, role=User.Role.ADMIN),
    "staff": Q(is_active=True, role=User.Role.STAFF),
    "inactive": Q(is_active=False),
}


@audience(Audience.ADMIN)
@require_safe
def people(request: MemberRequest) -> HttpResponse:
    """List people with what they hold and when they last did something."""
    everybody = User.objects.visible_to(request.user)
    shown = request.GET.get("show", "")
    shown = shown if shown in SHOWN else ""
    query = request.GET.get("q", "").replace("\x00", "").strip()
    rows = workload.with_workload(everybody.filter(SHOWN[shown]))
    if query:
        rows = rows.filter(Q(name__icontains=query) | Q(email__icontains=query))
    page = keyset(rows, order=["name", "pk"], after=request.GET.get("after"), size=PAGE_SIZE)
    counts = everybody.aggregate(
        everybody=Count("pk", filter=SHOWN[""]),
        admins=Count("pk", filter=SHOWN["admin"]),
        staff=Count("pk", filter=SHOWN["staff"]),
        inactive=Count("pk", filter=SHOWN["inactive"]),
    )
    context = {"page": page, "shown": shown, "query": query, "counts": counts}
    return page_or_fragment(request, "people/list.html", "people/list.html#listing", context)


@audience(Audience.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def create_person(request: MemberRequest) -> HttpResponse:
    """Let somebody in; the answer shows their password, once."""
    form = PersonForm(request.POST if request.method == "POST" else None)
    status = 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        try:
            given = services.create_user(**form.cleaned_data, by=request.user)
        except DomainError as error:
            form.add_error("email", error.message)
            status = error.status
        else:
            return render(request, "people/password.html", {"given": given, "is_new": True})
    return render(request, "people/create.html", {"form": form}, status=status)


@audience(Audience.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def edit_person(request: MemberRequest, pk: int) -> HttpResponse:
    """Show one person, and change their name, e-mail or role."""
    person = _person(request, pk)
    start = {field: getattr(person, field) for field in ("name", "email", "role", "version")}
    form = EditPersonForm(request.POST if request.method == "POST" else None, initial=start)
    status = 422 if form.is_bound else 200
    theirs: User | None = None
    if form.is_bound and form.is_valid():
        try:
            saved = workload.edit_person(user_id=pk, **form.cleaned_data, by=request.user)
        except ChangedMeanwhile as error:
            form.add_error(None, error.message)
            status, theirs = error.status, error.current
            # Both stand on the page now; saving again is a decision about the newer one.
            data = request.POST.copy()
            data["version"] = str(error.current.version)
            form.data = data
        except DomainError as error:
            form.add_error("email" if isinstance(error, EmailTaken) else None, error.message)
            status = error.status
        else:
            messages.success(request, _("%(name)s saved.") % {"name": saved.name})
            return redirect_to(request, "people:list")
    context = {
        "form": form,
        "person": person,
        "theirs": theirs,
        "holding": workload.holding_of(person),
        "is_self": person.pk == request.user.pk,
    }
    return render(request, "people/edit.html", context, status=status)


@audience(Audience.ADMIN)
@require_POST
def reset_password(request: MemberRequest, pk: int) -> HttpResponse:
    """Give somebody a new password; the answer shows it, once."""
    _person(request, pk)
    try:
        given = services.reset_password(user_id=pk, by=request.user)
    except DomainError as error:
        messages.error(request, error.message)
        return redirect_to(request, "people:edit", pk)
    return render(request, "people/password.html", {"given": given, "is_new": False})


@audience(Audience.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def deactivate_person(request: MemberRequest, pk: int) -> HttpResponse:
    """Shut somebody out, and settle what they hold in the same step."""
    person = _person(request, pk)
    holding = workload.holding_of(person)
    form = LeavingForm(request.POST if request.method == "POST" else None, person=person)
    status, refusal = 200, ""
    if request.method == "POST":
        if holding and not form.is_valid():
            status = 422
        else:
            chosen = form.cleaned_data if holding else {"holdings": "recall", "to": None}
            try:
                moved = workload.let_go(
                    user_id=pk,
                    holdings=chosen["holdings"],
                    to_id=chosen["to"].pk if chosen["to"] else None,
                    by=request.user,
                )
            except DomainError as error:
                status, refusal = error.status, error.message
            else:
                messages.success(request, _said(person, moved.records, moved.requests))
                return redirect_to(request, "people:list")
    context = {"person": person, "holding": holding, "form": form, "refusal": refusal}
    return render(request, "people/deactivate.html", context, status=status)


def _said(person: User, records: int, requests: int) -> str:
    said = _("%(name)s is deactivated.") % {"name": person.name}
    if records or requests:
        said += " " + _("Records moved: %(records)s. Requests rejected: %(requests)s.") % {
            "records": thousands(records),
            "requests": thousands(requests),
        }
    return said


@audience(Audience.ADMIN)
@require_POST
def reactivate_person(request: MemberRequest, pk: int) -> HttpResponse:
    """Let somebody in again."""
    _person(request, pk)
    person = services.reactivate_user(user_id=pk, by=request.user)
    messages.success(request, _("%(name)s can sign in again.") % {"name": person.name})
    return redirect_to(request, "people:edit", pk)


@audience(Audience.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def delete_person(request: MemberRequest, pk: int) -> HttpResponse:
    """Remove an account that was made by mistake: nothing may depend on it."""
    person = _person(request, pk)
    status, refusal = 200, ""
    if request.method == "POST":
        try:
            services.delete_user(user_id=pk, by=request.user)
        except DomainError as error:
            status, refusal = error.status, error.message
        else:
            messages.success(request, _("%(name)s deleted.") % {"name": person.name})
            return redirect_to(request, "people:list")
    context = {"person": person, "refusal": refusal}
    return render(request, "people/delete.html", context, status=status)


def _person(request: MemberRequest, pk: int) -> User:
    person: User = get_object_or_404(User.objects.visible_to(request.user), pk=pk)
    return person
