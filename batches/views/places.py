"""Where in a batch somebody is, as an address: what views of the work screen share."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.urls import reverse
from django.utils.http import urlencode

from accounts.access import MemberRequest
from assignments.models import Assignment
from assignments.services.marks import Act
from batches import reports
from batches.forms import Place, PlaceForm
from batches.keys import BatchKey


def batch_or_404(request: MemberRequest, key: BatchKey) -> reports.Batch:
    batch = reports.find_batch(user=request.user, key=key)
    if batch is None:
        raise Http404
    return batch


def customer_or_404(request: MemberRequest, pk: int) -> Assignment:
    assignment = reports.find_customer(user=request.user, pk=pk)
    if assignment is None:
        raise Http404
    return assignment


def key_of(assignment: Assignment) -> BatchKey:
    return BatchKey(assignment.request_id, assignment.database_id)


def query(place: Place, **more: Any) -> str:
    """Give the query that leads to a place."""
    said: dict[str, Any] = {**place, "select": "1" if place["select"] else ""} | more
    said = {name: str(value) for name, value in said.items() if value not in ("", None)}
    return f"?{urlencode(said)}" if said else ""


def address(request: MemberRequest, key: BatchKey, **more: Any) -> str:
    """Give the address of the page that a form stood on."""
    return reverse("batches:detail", args=[key]) + query(PlaceForm(request.GET).place(), **more)


def row(request: MemberRequest, assignment: Assignment, **more: Any) -> str:
    """Give the address of a customer's row on the page that the form stood on."""
    if found := request.GET.get("found"):
        return f"{reverse('batches:search')}?{urlencode({'q': found})}#row-{assignment.pk}"
    return f"{address(request, key_of(assignment), **more)}#row-{assignment.pk}"


def undo_query(act: Act, customer: int | None = None) -> str:
    """Give the query that names an act of marking."""
    micros = int(act.at.timestamp()) * 1_000_000 + act.at.microsecond
    said: dict[str, Any] = {"field": act.field, "at": micros}
    if customer:
        said["customer"] = customer
    return urlencode(said)


def undo_url(key: BatchKey, act: Act, customer: int | None = None) -> str:
    """Give the address that undoes an act of marking."""
    return f"{reverse('batches:undo', args=[key])}?{undo_query(act, customer)}"
