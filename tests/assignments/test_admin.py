"""Requests, assignments and totals in the Django admin: to look up, not to change."""

import pytest
from django.test import Client

from accounts.models import User
from assignments.models import Assignment, BatchStat, RecordRequest, StaffDay
from tests.factories import make_batch

pytestmark = pytest.mark.django_db
MODELS = pytest.mark.parametrize("model", [Assignment, BatchStat, RecordRequest, StaffDay])


def url(model: type, rest: str = "") -> str:
    return f"/django-admin/assignments/{model.__name__.lower()}/{rest}"


@MODELS
def test_each_is_listed_found_and_shown(as_citra: Client, ani: User, model: type) -> None:
    make_batch(staff=ani)
    assert as_citra.get(url(model)).status_code == 200
    assert as_citra.get(url(model, "?q=Ani")).status_code == 200
    row = model.objects.first()  # type: ignore[attr-defined]
    shown = as_citra.get(url(model, f"{row.pk}/change/"))
    assert shown.status_code == 200
    assert 'name="_save"' not in shown.content.decode()


@MODELS
def test_nothing_is_added_changed_or_deleted(as_citra: Client, ani: User, model: type) -> None:
    make_batch(staff=ani)
    row = model.objects.first()  # type: ignore[attr-defined]
    assert as_citra.get(url(model, "add/")).status_code == 403
    assert as_citra.post(url(model, f"{row.pk}/change/"), {}).status_code == 403
    assert as_citra.post(url(model, f"{row.pk}/delete/"), {"post": "yes"}).status_code == 403


@MODELS
@pytest.mark.parametrize("rows", [1, 30])
def test_a_list_costs_the_same_for_any_number_of_rows(
    as_citra: Client, ani: User, django_assert_max_num_queries, model: type, rows: int
) -> None:
    for _ in range(rows):
        make_batch(staff=ani, records=1)
    as_citra.get(url(model))  # the session's first visit writes its time
    with django_assert_max_num_queries(8):
        as_citra.get(url(model))
