"""Changing what a database is called, whose it is, and what staff see of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import Activity, User
from databases.models import Database
from tests import factories
from tests.conftest import HX


def url(database: Database, what: str = "") -> str:
    return f"/manage/databases/{database.pk}/{what}"


def edit_form(database: Database, **changes: Any) -> dict[str, Any]:
    return {
        "version": database.version,
        "name": database.name,
        "product": database.product_id or "",
        "description": database.description,
        "role3": database.roles[3],
        "role4": database.roles[4],
    } | changes


@pytest.mark.django_db
class TestEditDatabase:
    def test_staff_cannot(self, as_ani: Client) -> None:
        database = factories.make_database()
        assert as_ani.get(url(database, "edit/")).status_code == 403
        assert as_ani.post(url(database, "edit/"), edit_form(database)).status_code == 403

    def test_it_saves_and_writes_it_down(self, as_citra: Client, citra: User) -> None:
        database = factories.make_database(name="Lama")
        other = factories.make_product()
        sent = edit_form(database, name=" Baru  sekali ", product=other.pk, description="isi")
        answer = as_citra.post(url(database, "edit/"), sent)
        assert (answer.status_code, answer["Location"]) == (302, url(database))
        database.refresh_from_db()
        assert (database.name, database.product, database.description, database.version) == (
            "Baru sekali",
            other,
            "isi",
            2,
        )
        act = Activity.objects.get(kind="database.edited")
        assert (act.actor, act.details["changed"]) == (citra, ["name", "description", "product"])

    def test_a_column_made_sensitive_is_hidden_at_once(self, as_citra: Client) -> None:
        database = factories.make_database()
        assert "Kota" in database.shown_columns()
        as_citra.post(url(database, "edit/"), edit_form(database, role3="sensitive"))
        database.refresh_from_db()
        assert "Kota" not in database.shown_columns()

    def test_identity_columns_keep_their_role(self, as_citra: Client) -> None:
        database = factories.make_database()
        before = list(database.roles)
        as_citra.post(url(database, "edit/"), edit_form(database, role0="", role2="sensitive"))
        database.refresh_from_db()
        assert database.roles == before

    @pytest.mark.parametrize("wrong", [{"role3": "phone"}, {"name": ""}, {"product": 99999}])
    def test_invalid_input_keeps_what_was_typed(
        self, as_citra: Client, wrong: dict[str, Any]
    ) -> None:
        database = factories.make_database(name="Tetap")
        sent = edit_form(database, description="belum disimpan", **wrong)
        answer = as_citra.post(url(database, "edit/"), sent, headers=HX)
        assert answer.status_code == 422
        assert "belum disimpan" in answer.content.decode()
        database.refresh_from_db()
        assert (database.name, database.version) == ("Tetap", 1)

    def test_an_old_page_is_told_and_shown_both(self, as_citra: Client) -> None:
        database = factories.make_database(name="Semula")
        opened = edit_form(database, name="Punya saya")
        as_citra.post(url(database, "edit/"), edit_form(database, name="Punya Rina"))
        answer = as_citra.post(url(database, "edit/"), opened, headers=HX)
        page = answer.content.decode()
        assert answer.status_code == 409
        assert "Punya saya" in page
        assert "Punya Rina" in page
        assert 'role="alert"' in page
        database.refresh_from_db()
        assert database.name == "Punya Rina"
        # Sent again with both seen, it is saved.
        version = re.search(r'name="version" value="(\d+)"', page)
        assert version
        as_citra.post(url(database, "edit/"), opened | {"version": version[1]})
        database.refresh_from_db()
        assert database.name == "Punya saya"

    def test_fields_that_are_not_asked_for_are_ignored(self, as_citra: Client) -> None:
        database = factories.make_database()
        sent = edit_form(database, program="bonanza", uploaded_by=1, archived_at="2026-01-01")
        as_citra.post(url(database, "edit/"), sent)
        database.refresh_from_db()
        assert database.program == "standard"
        assert database.archived_at is None
