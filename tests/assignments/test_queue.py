"""The admins' queue: what waits, oldest first, decided in place or in numbers."""

import pytest
from django.test import Client

from accounts.models import User
from assignments.models import Assignment, RecordRequest
from assignments.services.requests import approve_request
from databases.models import Database, Pool
from tests.conftest import HX
from tests.factories import (
    make_assignment,
    make_batch,
    make_database,
    make_pending,
    make_product,
    make_user,
)

pytestmark = pytest.mark.django_db
URL = "/manage/requests/"


@pytest.fixture
def database(db: None) -> Database:
    return make_database(records=20, name="Deposit Jan", product=make_product(name="Melati"))


@pytest.fixture
def asked(ani: User, database: Database) -> RecordRequest:
    return make_pending(staff=ani, database=database, quantity=4)


def url(asked: RecordRequest, act: str) -> str:
    return f"{URL}{asked.pk}/{act}/"


class TestThePage:
    def test_the_oldest_is_first_with_what_there_is_to_weigh(
        self, as_citra: Client, ani: User, budi: User, database: Database
    ) -> None:
        make_pending(staff=budi, database=database, quantity=3)
        make_pending(staff=ani, database=database, quantity=5)
        make_batch(staff=ani, records=6)
        make_assignment(staff=ani, reach="ada")
        make_assignment(staff=ani, reach="tidak")
        rows = as_citra.get(URL).context["rows"]
        assert [row.request.staff.name for row in rows] == ["Budi", "Ani"]
        assert rows[0].work.quality is None
        assert (rows[1].work.unchecked, rows[1].work.quality, rows[1].available) == (6, 50, 12)

    def test_how_its_staff_is_doing_stands_beside_a_request(
        self, as_citra: Client, ani: User, asked: RecordRequest
    ) -> None:
        make_batch(staff=ani, records=5)
        make_assignment(staff=ani, reach="ada", response="ya")
        make_assignment(staff=ani, reach="ada")
        make_assignment(staff=ani, reach="ceklis1")
        answer = as_citra.get(URL)
        work = answer.context["rows"][0].work
        assert (work.held, work.unchecked, work.progress) == (8, 5, 37.5)
        assert (round(work.quality), round(work.answered)) == (67, 33)
        said = answer.content.decode()
        assert "of 8" in said
        assert "38% done" in said
        assert "Ya 33%" in said

    def test_search_and_product_narrow_it(
        self, as_citra: Client, asked: RecordRequest, budi: User
    ) -> None:
        make_pending(staff=budi, database=make_database(name="Other"), quantity=1)

        def names(query: str) -> list[str]:
            rows = as_citra.get(URL + query).context["rows"]
            return [row.request.staff.name for row in rows]

        assert names("?q=ani") == names(f"?product={asked.database.product_id}") == ["Ani"]
        assert names("?q=other") == ["Budi"]
        assert names("?q=nobody") == []

    def test_htmx_gets_the_queue_only(self, as_citra: Client, asked: RecordRequest) -> None:
        said = as_citra.get(URL, headers=HX).content.decode()
        assert "<html" not in said
        assert f'id="request-{asked.pk}"' in said

    def test_what_was_decided_today_is_counted(
        self, as_citra: Client, citra: User, asked: RecordRequest
    ) -> None:
        approve_request(request_id=asked.pk, by=citra)
        today = as_citra.get(URL).context["today"]
        assert (today.approved, today.rejected, today.cancelled) == (1, 0, 0)


class TestApprove:
    def test_the_row_says_what_was_given(self, as_citra: Client, asked: RecordRequest) -> None:
        response = as_citra.post(url(asked, "approve"), {"quantity": 3}, headers=HX)
        said = response.content.decode()
        assert response.status_code == 200
        assert said.strip().find("<tr") >= 0
        assert "<html" not in said
        assert "3 of 4" in said
        assert 'id="queue-sub"' in said
        assert "badges:changed" in response["HX-Trigger"]
        assert 'id="waiting-requests"' in response.content.decode()
        assert Assignment.objects.visible_to(asked.staff).count() == 3

    def test_it_works_without_javascript(self, as_citra: Client, asked: RecordRequest) -> None:
        response = as_citra.post(url(asked, "approve"), {"quantity": 4})
        assert (response.status_code, response["Location"]) == (302, URL)
        assert Assignment.objects.visible_to(asked.staff).count() == 4

    @pytest.mark.parametrize("quantity", ["", "0", "x"])
    def test_what_is_no_quantity_is_invalid(
        self, as_citra: Client, asked: RecordRequest, quantity: str
    ) -> None:
        response = as_citra.post(url(asked, "approve"), {"quantity": quantity}, headers=HX)
        assert response.status_code == 422
        assert 'role="alert"' in response.content.decode()

    def test_more_than_asked_is_refused(self, as_citra: Client, asked: RecordRequest) -> None:
        response = as_citra.post(url(asked, "approve"), {"quantity": 5}, headers=HX)
        assert response.status_code == 409
        assert "from 1 to 4" in response.content.decode()

    @pytest.mark.parametrize("act", ["approve", "reject"])
    def test_a_second_decision_shows_the_row_as_it_is_and_who_was_first(
        self, as_citra: Client, asked: RecordRequest, act: str
    ) -> None:
        dewi = make_user(name="Dewi", role="admin")
        approve_request(request_id=asked.pk, by=dewi)
        sent = {"quantity": 4, "reason": "no"}
        response = as_citra.post(url(asked, act), sent, headers=HX)
        said = response.content.decode()
        assert response.status_code == 409
        assert "Already processed: approved by Dewi." in said
        assert 'name="quantity"' not in said
        assert as_citra.post(url(asked, act), sent).status_code == 302

    @pytest.mark.parametrize("act", ["approve", "reject"])
    def test_one_that_is_not_there_is_a_404(self, as_citra: Client, act: str) -> None:
        sent = {"quantity": 1, "reason": "x"}
        assert as_citra.post(f"{URL}999999/{act}/", sent).status_code == 404

    def test_approving_takes_a_post(self, as_citra: Client, asked: RecordRequest) -> None:
        assert as_citra.get(url(asked, "approve")).status_code == 405


class TestReject:
    def test_it_asks_why_in_the_row_or_on_a_page(
        self, as_citra: Client, asked: RecordRequest
    ) -> None:
        row = as_citra.get(url(asked, "reject"), headers=HX).content.decode()
        assert "<html" not in row
        assert 'name="reason"' in row
        page = as_citra.get(url(asked, "reject")).content.decode()
        assert "<html" in page
        assert 'name="reason"' in page
        back = as_citra.get(f"{URL}{asked.pk}/", headers=HX).content.decode()
        assert 'name="quantity"' in back
        assert as_citra.get(f"{URL}{asked.pk}/").status_code == 302

    def test_it_rejects_with_the_reason(self, as_citra: Client, asked: RecordRequest) -> None:
        sent = {"reason": "  Finish   batch 11  "}
        response = as_citra.post(url(asked, "reject"), sent, headers=HX)
        assert response.status_code == 200
        asked.refresh_from_db()
        assert (asked.status, asked.reason) == ("rejected", "Finish batch 11")
        assert Pool.objects.count() == 20

    @pytest.mark.parametrize("headers", [HX, {}])
    def test_a_reason_is_required(
        self, as_citra: Client, asked: RecordRequest, headers: dict[str, str]
    ) -> None:
        response = as_citra.post(url(asked, "reject"), {"reason": "  "}, headers=headers)
        assert response.status_code == 422
        assert 'role="alert"' in response.content.decode()
        asked.refresh_from_db()
        assert asked.status == "pending"


class TestBulk:
    def post(self, client: Client, do: str, *ids: object, **given: object):  # type: ignore[no-untyped-def]
        headers = given.pop("headers", HX)
        return client.post(f"{URL}bulk/", {"do": do, "id": ids} | given, headers=headers)

    def test_it_approves_all_selected(
        self, as_citra: Client, asked: RecordRequest, budi: User, database: Database
    ) -> None:
        second = make_pending(staff=budi, database=database, quantity=2)
        response = self.post(as_citra, "approve", asked.pk, second.pk)
        assert response.status_code == 200
        assert "2 requests approved: 6 records given." in response["HX-Trigger"]
        assert not RecordRequest.objects.pending().exists()

    def test_each_has_its_own_outcome(
        self, as_citra: Client, citra: User, asked: RecordRequest, budi: User, database: Database
    ) -> None:
        second = make_pending(staff=budi, database=database, quantity=2)
        approve_request(request_id=asked.pk, by=citra)
        response = self.post(as_citra, "reject", asked.pk, second.pk, reason="no")
        said = response.content.decode()
        assert "Already processed: approved by Citra." in said
        second.refresh_from_db()
        assert second.status == "rejected"

    def test_one_foreign_id_refuses_all(self, as_citra: Client, asked: RecordRequest) -> None:
        assert self.post(as_citra, "approve", asked.pk, 999999).status_code == 404
        asked.refresh_from_db()
        assert asked.status == "pending"

    @pytest.mark.parametrize(
        ("do", "ids", "reason"),
        [("approve", [], ""), ("reject", [1], " "), ("steal", [1], "x"), ("approve", ["x"], "")],
    )
    def test_half_a_decision_is_invalid(
        self, as_citra: Client, asked: RecordRequest, do: str, ids: list[object], reason: str
    ) -> None:
        ids = [asked.pk if pk == 1 else pk for pk in ids]
        assert self.post(as_citra, do, *ids, reason=reason).status_code == 422
        assert self.post(as_citra, do, *ids, reason=reason, headers={}).status_code == 302
        asked.refresh_from_db()
        assert asked.status == "pending"

    def test_it_works_without_javascript(self, as_citra: Client, asked: RecordRequest) -> None:
        response = self.post(as_citra, "reject", asked.pk, reason="no", headers={})
        assert (response.status_code, response["Location"]) == (302, URL)
        asked.refresh_from_db()
        assert asked.status == "rejected"


@pytest.mark.parametrize("rows", [1, 30])
def test_the_queue_costs_the_same_for_any_number_of_rows(
    rows: int, as_citra: Client, citra: User, django_assert_num_queries
) -> None:
    for _ in range(rows):
        staff = make_user()
        database = make_database(records=2)
        make_pending(staff=staff, database=database, quantity=1)
        approve_request(
            request_id=make_pending(staff=staff, database=database, quantity=1).pk, by=citra
        )
    as_citra.get(URL)  # the session's first visit writes its time
    with django_assert_num_queries(9):
        # session, user, requests, their unchecked, their quality, numbers of the queue,
        # numbers of today, the last of today; navigation
        as_citra.get(URL)


def test_a_refused_bulk_decision_is_said_once_not_in_every_row(
    as_citra: Client, asked: RecordRequest
) -> None:
    sent = {"do": "reject", "id": [asked.pk], "reason": ""}
    said = as_citra.post(f"{URL}bulk/", sent, headers=HX).content.decode()
    assert said.count('role="alert"') == 1
