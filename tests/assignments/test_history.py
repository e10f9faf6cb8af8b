"""What was decided, found again by status, staff, product, database and days."""

import datetime as dt

import pytest
from django.test import Client

from accounts.models import User
from assignments.models import RecordRequest
from assignments.services.requests import approve_request, reject_request
from crm.kernel import clock
from tests.conftest import HX
from tests.factories import make_database, make_pending, make_user

pytestmark = pytest.mark.django_db
URL = "/manage/requests/history/"


def decided(staff: User, citra: User, *, approve: bool = True) -> RecordRequest:
    asked = make_pending(staff=staff, database=make_database(records=2), quantity=1)
    if approve:
        return approve_request(request_id=asked.pk, by=citra)
    return reject_request(request_id=asked.pk, by=citra, reason="Not today")


def shown(client: Client, query: str = "") -> list[int]:
    return [asked.pk for asked in client.get(URL + query).context["page"].rows]


def test_the_last_decided_is_first_and_what_waits_is_not_there(
    as_citra: Client, citra: User, ani: User
) -> None:
    first, second = decided(ani, citra), decided(ani, citra, approve=False)
    make_pending(staff=ani, database=make_database(), quantity=1)
    assert shown(as_citra) == [second.pk, first.pk]
    assert "Not today" in as_citra.get(URL).content.decode()


def test_it_filters_by_status_staff_product_database_and_days(
    as_citra: Client, citra: User, ani: User, budi: User
) -> None:
    old = decided(ani, citra)
    midnight = clock.start_of_day(dt.date(2026, 1, 12))
    RecordRequest.objects.filter(pk=old.pk).update(decided_at=midnight)
    new = decided(budi, citra, approve=False)
    assert shown(as_citra, "?status=approved") == [old.pk]
    assert shown(as_citra, f"?staff={budi.pk}") == [new.pk]
    assert shown(as_citra, f"?database={new.database_id}") == [new.pk]
    assert shown(as_citra, f"?product={new.database.product_id}") == [new.pk]
    assert shown(as_citra, "?since=2026-01-12&until=2026-01-12") == [old.pk]
    assert shown(as_citra, "?until=2026-01-11") == []
    assert shown(as_citra, "?since=2026-01-13") == [new.pk]
    assert shown(as_citra, "?since=2026-01-12&until=9999-12-31") == [new.pk, old.pk]
    assert shown(as_citra, "?since=2026-01-13&until=2026-01-12") == []
    assert shown(as_citra, f"?status=rejected&staff={ani.pk}") == []


def test_a_filter_that_means_nothing_filters_nothing(
    as_citra: Client, citra: User, ani: User
) -> None:
    asked = decided(ani, citra)
    assert shown(
        as_citra, "?status=x&staff=abc&database=-1&product=x&since=never&until=0&after=zz"
    ) == [asked.pk]


def test_htmx_gets_the_list_only(as_citra: Client, citra: User, ani: User) -> None:
    decided(ani, citra)
    said = as_citra.get(URL, headers=HX).content.decode()
    assert "<html" not in said
    assert 'id="list"' in said


@pytest.mark.parametrize("rows", [1, 30])
def test_it_costs_the_same_for_any_number_of_rows(
    rows: int, as_citra: Client, citra: User, django_assert_num_queries
) -> None:
    for _ in range(rows):
        decided(make_user(), citra)
    as_citra.get(URL)  # the session's first visit writes its time
    with django_assert_num_queries(7):
        # session, user, requests, the filters' staff and databases; navigation
        as_citra.get(URL)


def test_long_lists_go_on_on_further_pages(
    as_citra: Client, citra: User, ani: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assignments.reports import requests as report

    monkeypatch.setattr(report, "HISTORY_SIZE", 2)
    made = [decided(ani, citra).pk for _ in range(3)]
    first = as_citra.get(URL).context["page"]
    assert [asked.pk for asked in first.rows] == made[:0:-1]
    assert shown(as_citra, f"?after={first.next}") == made[:1]
