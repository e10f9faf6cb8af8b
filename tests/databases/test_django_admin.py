"""Products, databases and imports in the Django admin: for data fixes, quick, written down."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Activity, User
from databases.models import ColumnMapping, DatabaseChange, Product, SkippedRow
from tests import factories
from tests.databases.helpers import make_import

MODELS = [
    "product",
    "database",
    "record",
    "pool",
    "databasestat",
    "import",
    "skippedrow",
    "receivedfile",
    "repairedrow",
    "databasechange",
    "columnmapping",
]


@pytest.fixture
def something(citra: User) -> None:
    database = factories.make_database(records=2, attention=1, by=citra)
    source = make_import(state="done", by=citra, database=database)
    SkippedRow.objects.create(source=source, row_number=9, reason="blank", cells=[])
    ColumnMapping.objects.create(fingerprint="x", roles=["name"], used_by=citra)
    DatabaseChange.objects.create(database=database, kind="columns", state="done", created_by=citra)


@pytest.mark.django_db
@pytest.mark.usefixtures("something")
class TestDjangoAdmin:
    @pytest.mark.parametrize("model", MODELS)
    def test_admins_see_the_list(self, as_citra: Client, model: str) -> None:
        assert as_citra.get(f"/django-admin/databases/{model}/").status_code == 200

    @pytest.mark.parametrize("model", MODELS)
    def test_staff_see_nothing(self, as_ani: Client, model: str) -> None:
        assert as_ani.get(f"/django-admin/databases/{model}/").status_code == 403

    @pytest.mark.parametrize("model", sorted({*MODELS} - {"product", "database"}))
    def test_what_is_derived_can_only_be_read(self, as_citra: Client, model: str) -> None:
        assert as_citra.get(f"/django-admin/databases/{model}/add/").status_code == 403

    def test_a_fix_is_written_down(self, as_citra: Client, citra: User) -> None:
        product = Product.objects.get(databases__isnull=False)
        url = f"/django-admin/databases/product/{product.pk}/change/"
        sent = {"name": "Diperbaiki", "archived_at_0": "", "archived_at_1": ""}
        assert as_citra.post(url, sent).status_code == 302
        product.refresh_from_db()
        assert (product.name, product.version) == ("Diperbaiki", 2)
        assert Activity.objects.filter(kind="admin.changed", actor=citra).count() == 1

    def test_records_are_found_by_phone(self, as_citra: Client) -> None:
        from databases.models import Record

        phone = Record.objects.exclude(phone="")[0].phone
        page = as_citra.get("/django-admin/databases/record/", {"q": phone}).content.decode()
        assert "1 record" in page

    @pytest.mark.parametrize("rows", [1, 30])
    def test_the_list_of_records_counts_nothing_in_full(
        self, as_citra: Client, rows: int, django_assert_num_queries: Any
    ) -> None:
        factories.make_database(records=rows)
        with django_assert_num_queries(8):  # the same for any number of records
            as_citra.get("/django-admin/databases/record/")
