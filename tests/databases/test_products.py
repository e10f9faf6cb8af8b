"""Products: the list, and what an admin does with one."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import Activity, User
from databases.models import Product
from tests import factories

pytestmark = pytest.mark.django_db
URL = "/manage/products/"


def _kinds() -> list[str]:
    return list(Activity.objects.order_by("pk").values_list("kind", flat=True))


class TestList:
    def test_it_shows_what_belongs_to_each(self, as_citra: Client) -> None:
        melati = factories.make_product(name="Melati")
        factories.make_database(records=1, product=melati)
        Product.objects.create(name="Anggrek")
        rows = as_citra.get(URL).context["page"].rows
        assert [(p.name, p.databases_count) for p in rows] == [("Anggrek", 0), ("Melati", 1)]
        assert [p.name for p in as_citra.get(URL + "?q=MEL").context["page"].rows] == ["Melati"]

    @pytest.mark.parametrize("rows", [1, 30])
    def test_it_costs_the_same_for_any_number(
        self, rows: int, as_citra: Client, django_assert_num_queries
    ) -> None:  # type: ignore[no-untyped-def]
        for _n in range(rows):
            factories.make_product()
        as_citra.get(URL)  # stamps the session
        with django_assert_num_queries(5):  # session, reader, rows, counts, waiting requests
            as_citra.get(URL)


class TestCreate:
    def test_it_makes_one_and_writes_it_down(self, as_citra: Client, citra: User) -> None:
        assert as_citra.post(URL + "create/", {"name": "  Melati   Putih "}).status_code == 302
        assert Product.objects.get().name == "Melati Putih"
        assert Activity.objects.get().actor == citra
        assert _kinds() == ["product.created"]

    def test_a_name_is_one_whatever_its_case(self, as_citra: Client) -> None:
        factories.make_product(name="Melati")
        answer = as_citra.post(URL + "create/", {"name": "MELATI"})
        assert answer.status_code == 409
        assert "Melati" in str(answer.context["form"].errors["name"])
        assert Product.objects.count() == 1
        assert _kinds() == []

    def test_the_name_of_an_archived_one_says_so(self, as_citra: Client) -> None:
        melati = factories.make_product(name="Melati")
        as_citra.post(f"{URL}{melati.pk}/archive/")
        answer = as_citra.post(URL + "create/", {"name": "melati"})
        assert "archived" in str(answer.context["form"].errors["name"])

    @pytest.mark.parametrize("name", ["", "   ", "\u200b", "x" * 81])
    def test_it_needs_a_name(self, as_citra: Client, name: str) -> None:
        assert as_citra.post(URL + "create/", {"name": name}).status_code == 422
        assert not Product.objects.exists()

    def test_nothing_else_can_be_set(self, as_citra: Client) -> None:
        extra = {
            "archived_at": "2020-01-01",
            "version": "9",
            "id": "77",
            "created_at": "2020-01-01",
        }
        as_citra.post(URL + "create/", {"name": "Melati", **extra})
        product = Product.objects.get()
        assert (product.archived_at, product.version) == (None, 1)
        assert product.pk != 77
        assert product.created_at.year > 2020


class TestRename:
    def test_what_belongs_to_it_follows(self, as_citra: Client) -> None:
        database = factories.make_database(records=1)
        url = f"{URL}{database.product_id}/rename/"
        before = database.product.name
        assert as_citra.post(url, {"name": "Kenanga", "version": 1}).status_code == 302
        database.refresh_from_db()
        assert database.product.name == "Kenanga"
        assert Activity.objects.get().details == {"changes": {"name": [before, "Kenanga"]}}

    def test_only_the_case_may_change(self, as_citra: Client) -> None:
        product = factories.make_product(name="melati")
        url = f"{URL}{product.pk}/rename/"
        assert as_citra.post(url, {"name": "Melati", "version": 1}).status_code == 302

    def test_an_old_page_is_told_and_shows_both(self, as_citra: Client) -> None:
        product = factories.make_product(name="Melati")
        url = f"{URL}{product.pk}/rename/"
        as_citra.post(url, {"name": "Kenanga", "version": 1})
        answer = as_citra.post(url, {"name": "Mawar", "version": 1})
        assert answer.status_code == 409
        page = answer.content.decode()
        assert "Kenanga" in page
        assert 'value="Mawar"' in page
        assert as_citra.post(url, answer.context["form"].data).status_code == 302
        product.refresh_from_db()
        assert product.name == "Mawar"

    def test_a_taken_name_is_refused(self, as_citra: Client) -> None:
        factories.make_product(name="Melati")
        product = factories.make_product(name="Mawar")
        url = f"{URL}{product.pk}/rename/"
        assert as_citra.post(url, {"name": "MELATI", "version": 1}).status_code == 409


class TestArchive:
    def test_twice_is_once_and_back_again(self, as_citra: Client) -> None:
        product = factories.make_product(name="Melati")
        for act in ("archive", "archive", "unarchive", "unarchive"):
            assert as_citra.post(f"{URL}{product.pk}/{act}/").status_code == 302
        assert _kinds() == ["product.archived", "product.unarchived"]

    def test_it_leaves_the_list(self, as_citra: Client) -> None:
        product = factories.make_product(name="Melati")
        as_citra.post(f"{URL}{product.pk}/archive/")
        assert as_citra.get(URL).context["page"].rows == []
        assert as_citra.get(URL + "?show=archived").context["page"].rows == [product]


class TestDelete:
    def test_one_without_anything_goes(self, as_citra: Client) -> None:
        product = factories.make_product()
        assert as_citra.post(f"{URL}{product.pk}/delete/").status_code == 302
        assert not Product.objects.exists()
        assert _kinds() == ["product.deleted"]

    def test_one_in_use_is_kept_and_says_by_what(self, as_citra: Client) -> None:
        product = factories.make_product(name="Melati")
        for _n in range(2):
            factories.make_database(records=1, product=product)
        answer = as_citra.post(f"{URL}{product.pk}/delete/")
        assert answer.status_code == 409
        assert "2 databases" in answer.context["refusal"]
        assert answer.context["dependents"].databases == 2
        assert Product.objects.filter(pk=product.pk).exists()
        assert _kinds() == []

    def test_one_that_is_gone_is_not_there(self, as_citra: Client) -> None:
        assert as_citra.post(f"{URL}999999/delete/").status_code == 404
