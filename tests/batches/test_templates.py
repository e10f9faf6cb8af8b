"""The admins' pages of message templates."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import Activity
from batches.models import MessageTemplate
from crm.kernel import clock
from databases.models import Database, Product
from tests.conftest import HX
from tests.factories import make_database, make_product, make_template

pytestmark = pytest.mark.django_db
URL = "/manage/templates/"


@pytest.fixture
def melati(db: None) -> Product:
    return make_product(name="Melati")


@pytest.fixture
def database(melati: Product) -> Database:
    return make_database(records=3, product=melati, name="Deposit Jan")


def new(product: Product) -> str:
    return f"{URL}create/?product={product.pk}"


class TestTheList:
    def test_it_shows_those_of_one_product_in_their_order(
        self, as_citra: Client, melati: Product
    ) -> None:
        for name in ("Salam", "Promo"):
            make_template(product=melati, name=name)
        make_template(name="Of another")
        context = as_citra.get(f"{URL}?product={melati.pk}").context
        assert [template.name for template in context["offered"]] == ["Salam", "Promo"]

    def test_without_a_product_it_shows_the_first_that_has_some(
        self, as_citra: Client, melati: Product
    ) -> None:
        make_product(name="Anggrek")
        make_template(product=melati)
        assert as_citra.get(URL).context["product"] == melati

    def test_without_any_product_it_says_what_to_do(self, as_citra: Client) -> None:
        assert "Create one first" in as_citra.get(URL).content.decode()

    def test_an_unknown_product_is_not_there(self, as_citra: Client, melati: Product) -> None:
        assert as_citra.get(f"{URL}?product=999999").status_code == 404
        assert as_citra.get(f"{URL}?product=x").status_code == 200

    @pytest.mark.parametrize("rows", [1, 30])
    def test_it_costs_the_same_whatever_it_shows(
        self,
        as_citra: Client,
        melati: Product,
        rows: int,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for _ in range(rows):
            make_template(product=melati)
            make_template()
        with django_assert_max_num_queries(8):
            as_citra.get(f"{URL}?product={melati.pk}")


class TestWritingOne:
    def test_it_is_offered_last(self, as_citra: Client, melati: Product) -> None:
        make_template(product=melati, name="Salam")
        answer = as_citra.post(new(melati), {"name": " Promo ", "body": "Halo {name|Kak}"})
        assert (answer.status_code, answer["Location"]) == (302, f"{URL}?product={melati.pk}")
        made = list(MessageTemplate.objects.of_product(melati))
        assert [template.name for template in made] == ["Salam", "Promo"]
        assert Activity.objects.get(kind="template.created").label == "Promo"

    def test_a_column_of_the_product_is_a_field(
        self, as_citra: Client, melati: Product, database: Database
    ) -> None:
        as_citra.post(new(melati), {"name": "Promo", "body": "Halo dari {kota}"})
        assert MessageTemplate.objects.count() == 1

    @pytest.mark.parametrize("field", ["Alamat", "No Rekening"])
    def test_a_field_that_is_not_there_is_named_and_so_are_those_that_are(
        self, as_citra: Client, melati: Product, database: Database, field: str
    ) -> None:
        answer = as_citra.post(new(melati), {"name": "Promo", "body": f"{{{field}|-}}"})
        assert answer.status_code == 422
        said = answer.content.decode()
        assert f"There is no field {{{field}}}. There are: {{name}}, {{username}}" in said
        assert "{Kota}" in said
        assert "{No Rekening}" not in said.replace(f"no field {{{field}}}", "").replace(
            f"{{{field}|-}}", ""
        )
        assert not MessageTemplate.objects.exists()

    @pytest.mark.parametrize(
        ("typed", "why"),
        [
            ({"name": "", "body": "Halo"}, "This field is required."),
            ({"name": "\u200b", "body": "Halo"}, "Write a name."),
            ({"name": "Salam", "body": " "}, "This field is required."),
            ({"name": "Salam", "body": "Halo {name"}, "A brace is left open"),
            ({"name": "Salam", "body": "{|Kak}"}, "A field has no name"),
            ({"name": "Salam", "body": "x" * 1001}, "at most 1000 characters"),
        ],
    )
    def test_what_is_typed_wrong_stays_and_is_said(
        self, as_citra: Client, melati: Product, typed: dict[str, str], why: str
    ) -> None:
        answer = as_citra.post(new(melati), typed)
        assert answer.status_code == 422
        assert why in answer.content.decode()
        assert not MessageTemplate.objects.exists()

    def test_a_line_break_is_one_character_as_it_is_for_who_types(
        self, as_citra: Client, melati: Product
    ) -> None:
        lines = ["x" * 99] * 10
        body = "\r\n".join(lines)  # 999 as they are typed
        assert as_citra.post(new(melati), {"name": "Salam", "body": body}).status_code == 302
        assert MessageTemplate.objects.get().body == "\n".join(lines)

    def test_a_name_is_once_in_a_product_whatever_its_case(
        self, as_citra: Client, melati: Product
    ) -> None:
        make_template(product=melati, name="Salam")
        answer = as_citra.post(new(melati), {"name": "SALAM", "body": "Halo"})
        assert answer.status_code == 409
        assert "There is a message called SALAM already." in answer.content.decode()
        other = make_product()
        assert as_citra.post(new(other), {"name": "Salam", "body": "Halo"}).status_code == 302


class TestThePreview:
    def test_it_is_filled_for_a_customer_of_the_product_while_typing(
        self, as_citra: Client, melati: Product, database: Database
    ) -> None:
        typed = {"body": "Halo {name} dari {Kota}, {alamat|sana}", "preview": "1"}
        answer = as_citra.post(new(melati), typed, headers=HX)
        said = answer.content.decode()
        assert answer.status_code == 200
        assert "<html" not in said
        assert "dari Bekasi, sana" in said
        assert "Deposit Jan" in said
        assert "There is no field {alamat}" in said
        assert not MessageTemplate.objects.exists()

    def test_without_customers_somebody_is_made_up(self, as_citra: Client, melati: Product) -> None:
        typed = {"body": "Halo {name}", "preview": "1"}
        assert "Halo Sari Dewi" in as_citra.post(new(melati), typed, headers=HX).content.decode()

    def test_a_sensitive_column_is_never_shown(
        self, as_citra: Client, melati: Product, database: Database
    ) -> None:
        typed = {"body": "x {No Rekening|kosong} y", "preview": "1"}
        said = as_citra.post(new(melati), typed, headers=HX).content.decode()
        assert "x kosong y" in said
        assert "RAHASIA" not in said

    def test_without_javascript_the_page_comes_back_with_it(
        self, as_citra: Client, melati: Product
    ) -> None:
        typed = {"name": "Salam", "body": "Halo {name}", "preview": "1"}
        said = as_citra.post(new(melati), typed).content.decode()
        assert "<html" in said
        assert "Halo Sari Dewi" in said
        assert 'value="Salam"' in said

    def test_what_a_customer_is_called_is_only_text(
        self, as_citra: Client, melati: Product
    ) -> None:
        typed = {"body": "<script>alert(1)</script>", "preview": "1"}
        assert "<script>alert" not in as_citra.post(new(melati), typed).content.decode()

    def test_whose_data_was_seen_is_in_the_book(
        self, as_citra: Client, melati: Product, database: Database
    ) -> None:
        as_citra.get(new(melati))
        seen = Activity.objects.get(kind="records.shown")
        assert seen.subject_id == database.pk
        assert len(seen.details["records"]) == 1


class TestChangingOne:
    def test_it_is_saved(self, as_citra: Client, melati: Product) -> None:
        template = make_template(product=melati)
        sent = {"name": "Salam", "body": "Hai\r\n{name}", "version": 1}
        assert as_citra.post(f"{URL}{template.pk}/", sent).status_code == 302
        template.refresh_from_db()
        assert (template.name, template.body, template.version) == ("Salam", "Hai\n{name}", 2)

    def test_a_stale_page_shows_both_texts(self, as_citra: Client, melati: Product) -> None:
        template = make_template(product=melati, name="Salam", body="Halo", version=2)
        sent = {"name": "Salam", "body": "Mine", "version": 1}
        answer = as_citra.post(f"{URL}{template.pk}/", sent)
        said = answer.content.decode()
        assert answer.status_code == 409
        assert "Somebody changed this message" in said
        assert "Halo</dd>" in said
        assert "Mine</dd>" in said
        assert 'name="version" value="2"' in said
        template.refresh_from_db()
        assert template.body == "Halo"

    def test_it_moves_up_and_down_and_not_off_the_end(
        self, as_citra: Client, melati: Product
    ) -> None:
        first, second, third = (make_template(product=melati) for _ in range(3))

        def order() -> list[int]:
            found = MessageTemplate.objects.of_product(melati)
            return list(found.values_list("pk", flat=True))

        as_citra.post(f"{URL}{third.pk}/move/", {"way": "up"})
        assert order() == [first.pk, third.pk, second.pk]
        as_citra.post(f"{URL}{first.pk}/move/", {"way": "up"})
        as_citra.post(f"{URL}{second.pk}/move/", {"way": "down"})
        assert order() == [first.pk, third.pk, second.pk]
        as_citra.post(f"{URL}{first.pk}/move/", {"way": "down"})
        assert order() == [third.pk, first.pk, second.pk]

    def test_it_is_archived_and_brought_back(self, as_citra: Client, melati: Product) -> None:
        template = make_template(product=melati, name="Salam")
        for _ in range(2):
            as_citra.post(f"{URL}{template.pk}/archive/")
        context = as_citra.get(f"{URL}?product={melati.pk}").context
        assert (context["offered"], context["archived"]) == ([], [template])
        for _ in range(2):
            as_citra.post(f"{URL}{template.pk}/restore/")
        assert as_citra.get(f"{URL}?product={melati.pk}").context["offered"] == [template]
        acts = Activity.objects.filter(kind__startswith="template.").order_by("pk")
        kinds = list(acts.values_list("kind", flat=True))
        assert kinds == ["template.archived", "template.restored"]

    def test_it_stays_away_when_its_name_is_taken(self, as_citra: Client, melati: Product) -> None:
        old = make_template(product=melati, name="Salam", archived_at=clock.now())
        make_template(product=melati, name="salam")
        answer = as_citra.post(f"{URL}{old.pk}/restore/", follow=True)
        assert "There is a message called Salam already." in answer.content.decode()
        old.refresh_from_db()
        assert old.archived_at is not None


def test_a_product_with_messages_is_not_deleted(as_citra: Client, melati: Product) -> None:
    make_template(product=melati)
    url = f"/manage/products/{melati.pk}/delete/"
    assert "it is in use" in as_citra.get(url).content.decode()
    answer = as_citra.post(url)
    assert answer.status_code == 409
    assert "1 message templates" in answer.content.decode()
    assert Product.objects.filter(pk=melati.pk).exists()
