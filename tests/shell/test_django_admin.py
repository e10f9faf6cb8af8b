"""Data fixes in the Django admin: admins only, quick, written down, and no way around the rules."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client

from accounts.models import Activity, User
from databases.models import Record
from tests import factories

pytestmark = pytest.mark.django_db
URL = "/django-admin/"
OUR_APPS = {"accounts", "databases", "assignments", "batches"}


def _form(user: User, **changes: object) -> dict[str, object]:
    form = {
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "is_active": "on",
        "language": "",
        "theme": "system",
    }
    return form | changes


def test_every_model_of_ours_is_there() -> None:
    ours = {model for model in apps.get_models() if model._meta.app_label in OUR_APPS}
    assert ours - set(admin.site._registry) == set()


def test_only_what_is_ours_is_there() -> None:
    assert {model._meta.app_label for model in admin.site._registry} <= OUR_APPS


def test_signing_in_and_out_and_passwords_are_our_own_pages(as_citra: Client) -> None:
    assert Client().get(URL)["Location"] == "/signin/?next=%2Fdjango-admin%2F"
    assert as_citra.get(URL + "login/")["Location"] == URL
    assert as_citra.get(URL + "password_change/")["Location"] == "/profile/password/"
    assert as_citra.post(URL + "logout/")["Location"] == "/signin/"
    assert as_citra.get(URL).status_code == 302


def test_a_fix_is_written_down(as_citra: Client, citra: User, ani: User) -> None:
    url = f"{URL}accounts/user/{ani.pk}/change/"
    assert as_citra.post(url, _form(ani, name="Ana")).status_code == 302
    act = Activity.objects.get()
    assert (act.kind, act.actor, act.subject_id) == ("admin.changed", citra, ani.pk)
    ani.refresh_from_db()
    assert (ani.name, ani.version) == ("Ana", 2)


def test_it_is_no_way_around_the_rules(as_citra: Client, citra: User) -> None:
    url = f"{URL}accounts/user/{citra.pk}/change/"
    assert as_citra.post(url, _form(citra, role="staff")).status_code == 302
    assert as_citra.post(url, _form(citra, is_active="")).status_code == 302
    citra.refresh_from_db()
    assert (citra.role, citra.is_active) == ("admin", True)


def test_nobody_is_shut_out_here_without_settling_what_they_hold(
    as_citra: Client, ani: User
) -> None:
    as_citra.post(f"{URL}accounts/user/{ani.pk}/change/", _form(ani, is_active=""))
    ani.refresh_from_db()
    assert ani.is_active


def test_nobody_is_deleted_or_added_here(as_citra: Client, ani: User) -> None:
    assert as_citra.get(f"{URL}accounts/user/add/").status_code == 403
    assert as_citra.get(f"{URL}accounts/user/{ani.pk}/delete/").status_code == 403
    assert as_citra.post(f"{URL}accounts/user/{ani.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_history_of_a_thing_is_its_activity(as_citra: Client, ani: User) -> None:
    answer = as_citra.get(f"{URL}accounts/user/{ani.pk}/history/")
    assert answer["Location"] == f"/manage/activity/?type=accounts.user&id={ani.pk}"


def test_looking_at_customers_is_written_down(as_citra: Client, citra: User) -> None:
    factories.make_database(records=2)
    record = Record.objects.earliest("pk")
    as_citra.get(f"{URL}databases/record/")
    as_citra.get(f"{URL}databases/record/{record.pk}/change/")
    as_citra.get(f"{URL}databases/product/")
    acts = Activity.objects.filter(kind="admin.shown", actor=citra).order_by("pk")
    both = sorted(Record.objects.values_list("pk", flat=True), reverse=True)
    assert [act.details["records"] for act in acts] == [both, [record.pk]]


@pytest.mark.parametrize("rows", [1, 30])
def test_lists_cost_the_same_for_any_number(
    rows: int, as_citra: Client, django_assert_max_num_queries
) -> None:  # type: ignore[no-untyped-def]
    factories.make_database(records=rows)
    for model in admin.site._registry:
        if model._meta.app_label in OUR_APPS:
            path = f"{URL}{model._meta.app_label}/{model._meta.model_name}/"
            with django_assert_max_num_queries(8):
                assert as_citra.get(path).status_code == 200
