"""Customers of an uploaded file that the product has already, and whose they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from assignments.services import overlap
from crm.kernel import clock
from databases.importing.process import FileProblem
from databases.models import Database, Import, Product
from databases.reports_overlap import PATIENCE
from tests import factories
from tests.conftest import HX
from tests.databases.helpers import READING, make_import

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MEDIA_ROOT.mkdir()
    return settings.MEDIA_ROOT


@pytest.fixture
def product() -> Product:
    return factories.make_product(name="Melati")


def of_database(database: Database, *, count: int, by: str = "phone") -> list[str]:
    """Give rows of a file with the first customers of a database."""
    records = database.records.order_by("row_number")[:count]
    return [
        f"{r.username if by == 'username' else 'x' + str(r.pk)};{r.name};0{r.phone[2:]};Solo;1"
        for r in records
    ]


def read(rows: list[str], product: Product, *, phone: bool = True, **given: Any) -> Import:
    """Make an import of these rows, read and waiting."""
    columns = [dict(column) for column in READING["columns"]]
    if not phone:
        columns[2]["role"] = ""
    content = "\n".join(["Username;Nama;No HP;Kota;No Rekening", *rows, ""]).encode()
    return make_import(
        product=product, content=content, reading=READING | {"columns": columns}, **given
    )


def compared(source: Import) -> Any:
    overlap.compare_upload(import_id=source.pk, attempt=source.attempt)
    source.refresh_from_db()
    return source.overlap


def url(source: Import) -> str:
    return f"/manage/databases/imports/{source.pk}/check/"


class TestCompareUpload:
    def test_it_counts_by_phone_where_and_with_whom(
        self, product: Product, ani: User, budi: User
    ) -> None:
        first = factories.make_database(records=9, product=product, name="Januari")
        second = factories.make_database(records=4, product=product, name="Februari")
        factories.make_batch(staff=ani, records=3, database=first)
        factories.make_batch(staff=budi, records=1, database=first)
        factories.make_pending(staff=budi, database=first, quantity=2)
        rows = [*of_database(first, count=8), *of_database(second, count=2), "a;B;0899911122;C;1"]
        assert compared(read(rows, product)) == {
            "records": 10,
            "databases": [
                {
                    "id": first.pk,
                    "name": "Januari",
                    "records": 8,
                    "assigned": [
                        {"staff_id": ani.pk, "name": "Ani", "count": 3},
                        {"staff_id": budi.pk, "name": "Budi", "count": 1},
                    ],
                },
                {"id": second.pk, "name": "Februari", "records": 2, "assigned": []},
            ],
        }

    def test_a_customer_of_two_databases_is_one_customer(self, product: Product) -> None:
        first = factories.make_database(records=2, product=product)
        second = factories.make_database(records=1, product=product)
        phone = first.records.get(row_number=2).phone
        second.records.update(phone=phone)
        found = compared(read(of_database(first, count=2), product))
        assert found["records"] == 2
        assert sorted(d["records"] for d in found["databases"]) == [1, 2]

    def test_without_phones_it_compares_usernames(self, product: Product) -> None:
        other = factories.make_database(records=5, product=product)
        rows = of_database(other, count=3, by="username")
        found = compared(read([row.upper() for row in rows], product, phone=False))
        assert found["records"] == 3

    def test_usernames_do_not_count_where_there_are_phones(self, product: Product) -> None:
        other = factories.make_database(records=1, product=product)
        row = f"{other.records.get().username};Lain;081999888777;Solo;1"
        assert compared(read([row], product))["records"] == 0

    def test_an_archived_database_counts_and_a_deleted_one_does_not(self, product: Product) -> None:
        archived = factories.make_database(records=2, product=product, archived_at=clock.now())
        deleted = factories.make_database(
            records=2, product=product, archived_at=clock.now(), deleted_at=clock.now()
        )
        rows = [*of_database(archived, count=2), *of_database(deleted, count=2)]
        found = compared(read(rows, product))
        assert [d["id"] for d in found["databases"]] == [archived.pk]

    def test_other_products_are_not_looked_at(self, product: Product) -> None:
        elsewhere = factories.make_database(records=2)
        factories.make_database(records=2, product=product)
        assert compared(read(of_database(elsewhere, count=2), product))["records"] == 0

    def test_released_records_are_with_nobody(self, product: Product, ani: User) -> None:
        other = factories.make_database(records=2, product=product)
        batch = factories.make_batch(staff=ani, records=2, database=other)
        batch.assignments.update(
            state="released", released_at=clock.now(), released_by=other.uploaded_by
        )
        (found,) = compared(read(of_database(other, count=2), product))["databases"]
        assert (found["records"], found["assigned"]) == (2, [])

    def test_rows_that_need_attention_match_nobody(self, product: Product) -> None:
        factories.make_database(records=1, attention=3, product=product)
        assert compared(read(["a;B;-;C;1", "b;C;;D;1"], product))["records"] == 0

    def test_one_that_was_overtaken_writes_nothing(
        self, product: Product, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = factories.make_database(records=2, product=product)
        source = read(of_database(other, count=2), product)
        overlap.compare_upload(import_id=source.pk, attempt=source.attempt - 1)
        compare = overlap._compare

        def meanwhile(source: Import) -> Any:
            found = compare(source)
            Import.objects.filter(pk=source.pk).update(attempt=7)
            return found

        monkeypatch.setattr(overlap, "_compare", meanwhile)
        overlap.compare_upload(import_id=source.pk, attempt=source.attempt)
        source.refresh_from_db()
        assert source.overlap is None

    @pytest.mark.parametrize("problem", [FileProblem("damaged"), OSError(5, "gone")])
    def test_what_cannot_be_compared_is_said(
        self, as_citra: Client, product: Product, monkeypatch: pytest.MonkeyPatch, problem: Any
    ) -> None:
        def fails(_source: Import) -> None:
            raise problem

        monkeypatch.setattr(overlap, "_compare", fails)
        source = read([], product)
        assert compared(source) == {"problem": True}
        assert "could not be found out" in as_citra.get(url(source)).content.decode()

    def test_a_comparison_that_takes_too_long_is_ended_and_said(
        self, product: Product, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = factories.make_database(records=2, product=product)
        monkeypatch.setattr(overlap, "_MATCH", "SELECT pg_sleep(20), %s::bigint[] AS {column}")
        monkeypatch.setattr(overlap, "_LIMITS", "SET LOCAL statement_timeout = '100ms'")
        source = read(of_database(other, count=2), product)
        assert compared(source) == {"problem": True}

    def test_it_leaves_nothing_behind(self, product: Product) -> None:
        other = factories.make_database(records=2, product=product)
        source = read(of_database(other, count=2), product)
        assert compared(source) == compared(source)
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('upload_key'), to_regclass('upload_match')")
            assert cursor.fetchone() == (None, None)


FOUND = {
    "records": 1240,
    "databases": [
        {
            "id": 0,
            "name": "Januari",
            "records": 900,
            "assigned": [
                {"staff_id": 1, "name": "Citra", "count": 310},
                {"staff_id": 2, "name": "Budi", "count": 12},
            ],
        }
    ],
}


class TestTheWarning:
    def test_the_page_says_that_it_looks_and_asks_again(
        self, as_citra: Client, product: Product
    ) -> None:
        source = read([], product)
        page = as_citra.get(url(source)).content.decode()
        assert "Looking for these customers in other databases of Melati…" in page
        answer = as_citra.get(url(source) + "?overlap=1", headers=HX).content.decode()
        assert "Looking for" in answer
        assert "every 2s" in answer
        assert "<html" not in answer

    def test_it_fills_in_what_was_found(self, as_citra: Client, product: Product) -> None:
        database = factories.make_database(product=product, name="<b>Januari</b>")
        found = FOUND | {"databases": [FOUND["databases"][0] | {"id": database.pk}]}  # type: ignore[index,dict-item]
        source = read([], product, overlap=found)
        for path, headers in (("", {}), ("?overlap=1", HX)):
            page = as_citra.get(url(source) + path, headers=headers).content.decode()
            assert "1,240 of these customers are already in other databases of Melati" in page
            assert "310 with Citra, 12 with Budi" in page
            assert "&lt;b&gt;Januari" in page
            assert "<b>Januari" not in page
            assert f"/manage/databases/{database.pk}/" in page
            assert "every 2s" not in page

    def test_it_does_not_look_for_ever(self, as_citra: Client, product: Product) -> None:
        source = read([], product, heartbeat_at=clock.now() - 2 * PATIENCE)
        page = as_citra.get(url(source)).content.decode()
        assert "could not be found out" in page
        assert "every 2s" not in page

    def test_nothing_found_is_a_quiet_line(self, as_citra: Client, product: Product) -> None:
        source = read([], product, overlap={"records": 0, "databases": []})
        page = as_citra.get(url(source)).content.decode()
        assert "None of them is in another database of Melati." in page

    def test_a_database_that_is_gone_since_is_left_out(
        self, as_citra: Client, product: Product
    ) -> None:
        source = read([], product, overlap=FOUND)
        assert "1,240" not in as_citra.get(url(source)).content.decode()

    def test_a_poll_of_a_page_that_moved_on_leads_there(
        self, as_citra: Client, product: Product
    ) -> None:
        source = read([], product, state="reading")
        answer = as_citra.get(url(source) + "?overlap=1", headers=HX)
        assert (answer.status_code, answer["HX-Redirect"]) == (286, url(source))

    @pytest.mark.parametrize("databases", [1, 30])
    def test_a_page_costs_the_same_with_one_database_and_with_thirty(
        self,
        as_citra: Client,
        product: Product,
        databases: int,
        django_assert_num_queries: Any,
    ) -> None:
        entry = FOUND["databases"][0]  # type: ignore[index]
        there = [factories.make_database(records=1, product=product) for _ in range(databases)]
        found = {"records": 9, "databases": [entry | {"id": d.pk} for d in there]}  # type: ignore[operator]
        source = read([], product, overlap=found)
        as_citra.get(url(source))
        with django_assert_num_queries(6):  # session, user, badge, import, twin, databases
            page = as_citra.get(url(source)).content.decode()
        assert ("and 24 more databases" in page) == (databases == 30)
