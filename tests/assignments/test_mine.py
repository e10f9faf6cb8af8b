"""The staff's request page: what can be asked, what waits, what was decided; never a record."""

import uuid

import pytest
from django.test import Client, override_settings

from accounts.models import User
from assignments.models import Assignment, RecordRequest
from assignments.services.requests import approve_request, reject_request
from crm.kernel import clock
from databases.models import Database, Program, Record
from tests.conftest import HX
from tests.factories import make_database, make_pending, make_product

pytestmark = pytest.mark.django_db
URL = "/request/"


@pytest.fixture
def database(db: None) -> Database:
    return make_database(
        records=12, attention=3, name="Deposit Jan", product=make_product(name="Melati")
    )


def page(client: Client, url: str = URL, **given: object) -> str:
    response = client.get(url, **given)  # type: ignore[arg-type]
    assert response.status_code == 200
    return str(response.content.decode())


class TestTheDatabases:
    def test_each_shows_its_product_counts_and_column_names(
        self, as_ani: Client, database: Database
    ) -> None:
        said = page(as_ani)
        for text in ("Deposit Jan", "Melati", "Username, Nama, No HP, Kota"):
            assert text in said
        assert "No Rekening" not in said  # a sensitive column is not even named
        assert 'data-max="12"' in said

    def test_it_never_shows_a_record_not_even_one_held_for_them(
        self, as_ani: Client, ani: User, database: Database
    ) -> None:
        make_pending(staff=ani, database=database, quantity=5)
        said = page(as_ani)
        for record in Record.objects.in_database(database.pk):
            assert record.username not in said
            assert record.phone == "" or record.phone not in said
        assert not Assignment.objects.visible_to(ani).exists()

    def test_only_standard_ones_that_are_not_archived_are_there(self, as_ani: Client) -> None:
        make_database(name="Bonanza list", program=Program.BONANZA)
        make_database(name="Old list", archived_at=clock.now())
        make_database(name="Open list")
        said = page(as_ani)
        assert "Open list" in said
        assert "Bonanza list" not in said
        assert "Old list" not in said

    def test_search_and_product_narrow_them(self, as_ani: Client, database: Database) -> None:
        make_database(name="Member lama")
        assert "Member lama" not in page(as_ani, f"{URL}?q=deposit")
        assert "Deposit Jan" not in page(as_ani, f"{URL}?q=lama")
        assert "Member lama" not in page(as_ani, f"{URL}?product={database.product_id}")
        assert page(as_ani, f"{URL}?product=x&after=%00bad&before=zz")

    def test_htmx_gets_the_list_only(self, as_ani: Client, database: Database) -> None:
        said = page(as_ani, f"{URL}?q=deposit", headers=HX)
        assert "<html" not in said
        assert "Deposit Jan" in said

    def test_an_empty_one_cannot_be_asked_from(self, as_ani: Client, ani: User) -> None:
        database = make_database(records=2)
        make_pending(staff=ani, database=database, quantity=2)
        assert f"/request/databases/{database.pk}/" not in page(as_ani)


class TestAsk:
    def ask(self, client: Client, database: Database, **given: object):  # type: ignore[no-untyped-def]
        headers = given.pop("headers", {})
        return client.post(
            f"/request/databases/{database.pk}/",
            {"quantity": 4, "note": "Promo", "token": str(uuid.uuid4())} | given,
            headers=headers,
        )

    def test_it_asks_and_the_answer_is_the_card_and_what_waits(
        self, as_ani: Client, database: Database
    ) -> None:
        response = self.ask(as_ani, database, headers=HX)
        said = response.content.decode()
        assert response.status_code == 200
        assert "<html" not in said
        assert 'id="waiting" data-hx-swap-oob="true"' in said
        assert f'id="db-{database.pk}"' in said
        assert "badges:changed" in response["HX-Trigger"]
        assert RecordRequest.objects.get().quantity == 4

    def test_it_works_without_javascript(self, as_ani: Client, database: Database) -> None:
        response = self.ask(as_ani, database)
        assert (response.status_code, response["Location"]) == (302, URL)
        assert "“Promo”" in page(as_ani)

    @pytest.mark.parametrize("headers", [HX, {}])
    def test_too_many_offers_what_there_is_and_keeps_what_was_typed(
        self, as_ani: Client, database: Database, headers: dict[str, str]
    ) -> None:
        response = self.ask(as_ani, database, quantity=50, headers=headers)
        said = response.content.decode()
        assert response.status_code == 409
        assert 'name="offer" value="12"' in said
        assert 'value="50"' in said
        assert 'value="Promo"' in said
        assert 'role="alert"' in said
        assert not RecordRequest.objects.exists()

    def test_the_offer_is_taken_whatever_the_field_says(
        self, as_ani: Client, database: Database
    ) -> None:
        self.ask(as_ani, database, quantity=50, offer=12)
        assert RecordRequest.objects.get().quantity == 12

    @override_settings(PENDING_RECORDS_CAP=3)
    def test_over_the_cap_offers_what_fits(self, as_ani: Client, database: Database) -> None:
        response = self.ask(as_ani, database, headers=HX)
        assert response.status_code == 409
        assert 'name="offer" value="3"' in response.content.decode()

    @pytest.mark.parametrize("quantity", ["", "0", "-3", "abc", "9" * 30])
    @pytest.mark.parametrize("headers", [HX, {}])
    def test_what_is_no_quantity_is_invalid(
        self, as_ani: Client, database: Database, quantity: str, headers: dict[str, str]
    ) -> None:
        response = self.ask(as_ani, database, quantity=quantity, headers=headers)
        assert response.status_code == 422
        assert "aria-invalid" in response.content.decode()

    def test_the_same_form_twice_asks_once(self, as_ani: Client, database: Database) -> None:
        token = str(uuid.uuid4())
        self.ask(as_ani, database, token=token)
        self.ask(as_ani, database, token=token, headers=HX)
        assert RecordRequest.objects.count() == 1

    @pytest.mark.parametrize("headers", [HX, {}])
    def test_one_archived_meanwhile_is_refused_with_a_sentence(
        self, as_ani: Client, database: Database, headers: dict[str, str]
    ) -> None:
        Database.objects.update(archived_at=clock.now())
        response = self.ask(as_ani, database, headers=headers)
        assert response.status_code == 409
        assert 'role="alert"' in response.content.decode()
        assert "Deposit Jan" not in response.content.decode()

    def test_one_that_is_not_there_is_a_404(self, as_ani: Client) -> None:
        assert as_ani.post("/request/databases/999999/", {"quantity": 1}).status_code == 404
        assert as_ani.post("/request/databases/999999/", {"quantity": ""}).status_code == 404

    def test_asking_takes_a_post(self, as_ani: Client, database: Database) -> None:
        assert as_ani.get(f"/request/databases/{database.pk}/").status_code == 405


class TestCancel:
    def test_it_cancels_ones_own(self, as_ani: Client, ani: User, database: Database) -> None:
        asked = make_pending(staff=ani, database=database)
        response = as_ani.post(f"/request/{asked.pk}/cancel/", headers=HX)
        assert response.status_code == 200
        asked.refresh_from_db()
        assert asked.status == "cancelled"

    def test_it_works_without_javascript(
        self, as_ani: Client, ani: User, database: Database
    ) -> None:
        asked = make_pending(staff=ani, database=database)
        response = as_ani.post(f"/request/{asked.pk}/cancel/")
        assert (response.status_code, response["Location"]) == (302, URL)

    @pytest.mark.parametrize("headers", [HX, {}])
    def test_somebody_elses_is_as_one_that_is_not_there(
        self, as_budi: Client, ani: User, database: Database, headers: dict[str, str]
    ) -> None:
        asked = make_pending(staff=ani, database=database)
        theirs = as_budi.post(f"/request/{asked.pk}/cancel/", headers=headers)
        missing = as_budi.post("/request/999999/cancel/", headers=headers)
        assert theirs.status_code == missing.status_code == 404
        asked.refresh_from_db()
        assert asked.status == "pending"

    def test_one_decided_meanwhile_says_by_whom(
        self, as_ani: Client, ani: User, citra: User, database: Database
    ) -> None:
        asked = make_pending(staff=ani, database=database)
        approve_request(request_id=asked.pk, by=citra)
        response = as_ani.post(f"/request/{asked.pk}/cancel/", headers=HX)
        assert response.status_code == 409
        assert "Citra" in response["HX-Trigger"]


class TestWhatWasDecided:
    def test_it_shows_the_reason_and_how_many_of_how_many(
        self, as_ani: Client, ani: User, citra: User, database: Database
    ) -> None:
        first = make_pending(staff=ani, database=database, quantity=3)
        second = make_pending(staff=ani, database=database, quantity=5)
        reject_request(request_id=first.pk, by=citra, reason="Finish batch 11")
        approve_request(request_id=second.pk, by=citra, quantity=2)
        said = page(as_ani)
        assert "Finish batch 11" in said
        assert "Citra" in said

    def test_it_shows_nobody_elses(self, as_budi: Client, ani: User, database: Database) -> None:
        asked = make_pending(staff=ani, database=database)
        RecordRequest.objects.filter(pk=asked.pk).update(note="secret note")
        assert "secret note" not in page(as_budi)

    def test_it_goes_on_on_further_pages(self, as_ani: Client, ani: User, citra: User) -> None:
        database = make_database(records=25)
        for _ in range(25):
            asked = make_pending(staff=ani, database=database, quantity=1)
            reject_request(request_id=asked.pk, by=citra, reason=f"no{asked.pk}x")
        first = as_ani.get(URL)
        assert first.content.decode().count("x</span>") == 20
        cursor = first.context["history"].next
        assert page(as_ani, f"{URL}?before={cursor}").count("x</span>") == 5


@pytest.mark.parametrize("rows", [1, 30])
def test_the_page_costs_the_same_for_any_number_of_rows(
    rows: int, as_ani: Client, ani: User, citra: User, django_assert_num_queries
) -> None:
    for _ in range(rows):
        database = make_database(records=2)
        make_pending(staff=ani, database=database, quantity=1)
        decided = make_pending(staff=ani, database=database, quantity=1)
        reject_request(request_id=decided.pk, by=citra, reason="no")
    as_ani.get(URL)  # the session's first visit writes its time
    with django_assert_num_queries(6):
        # session, user, databases, products, what waits, history
        as_ani.get(URL)


def test_every_form_works_without_javascript_csrf_token_included(
    as_ani: Client, ani: User, as_citra: Client, database: Database
) -> None:
    make_pending(staff=ani, database=database)
    archive = f"/manage/databases/{database.pk}/archive/"
    reject = f"/manage/requests/{RecordRequest.objects.get().pk}/reject/"
    for client, url in [
        (as_ani, URL),
        (as_citra, "/manage/requests/"),
        (as_citra, archive),
        (as_citra, reject),
    ]:
        said = page(client, url)
        forms = [part.split("</form>")[0] for part in said.split("<form")[1:]]
        posts = [form for form in forms if 'method="post"' in form.split(">")[0]]
        assert posts
        assert all('name="csrfmiddlewaretoken"' in form for form in posts)
