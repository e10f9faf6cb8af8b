"""Undoing an import: only while nothing of it was worked, and its file can be checked again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Activity, User
from assignments.errors import NothingToUndo, WorkedOn
from assignments.models import Assignment
from assignments.reports.totals import differences
from assignments.services.recall import recall_database
from assignments.services.removal import undo_import
from databases.models import Database, DatabaseChange, Import, Pool, Record, SkippedRow
from tests.conftest import HX
from tests.databases.helpers import check_form, make_import
from tests.factories import make_batch, make_database, make_pending

Files = Callable[[], list[str]]
Work = Callable[[], None]


@pytest.fixture
def source(citra: User) -> Import:
    """An import of three ready rows and one that needs attention."""
    database = make_database(records=3, attention=1, name="Pelanggan")
    return make_import(
        state=Import.State.DONE, database=database, product=database.product, by=citra
    )


def undo_url(source: Import) -> str:
    return f"/manage/databases/{source.database_id}/undo/"


def url(source: Import, what: str) -> str:
    return f"/manage/databases/imports/{source.pk}/{what}/"


@pytest.mark.django_db
class TestThePage:
    def test_it_counts_what_goes_and_says_that_the_file_stays(
        self, source: Import, as_citra: Client, ani: User
    ) -> None:
        assert source.database is not None
        make_pending(staff=ani, database=source.database, quantity=2)
        page = as_citra.get(undo_url(source)).content.decode()
        assert "Undo: remove 4 records" in page
        assert "(2 records held)" in page
        assert "pelanggan.csv" in page

    def test_it_undoes_and_shows_the_import_as_undone(
        self, source: Import, as_citra: Client, ani: User
    ) -> None:
        assert source.database is not None
        pending = make_pending(staff=ani, database=source.database, quantity=2)
        response = as_citra.post(undo_url(source))
        assert (response.status_code, response["Location"]) == (302, url(source, "undone"))
        page = as_citra.get(url(source, "undone")).content.decode()
        assert "4 records are being removed in the background" in page
        assert "1 waiting request was rejected" in page
        assert "by Citra" in page
        assert "0 of 4 records" in page
        assert "check-again" not in page
        pending.refresh_from_db()
        assert (pending.status, pending.reason) == ("rejected", "The import was undone.")
        for what in ("check", "progress", "report"):
            assert as_citra.get(url(source, what))["Location"] == url(source, "undone")
        assert as_citra.get(f"/manage/databases/{source.database_id}/").status_code == 404

    def test_it_is_refused_once_something_was_handed_out(
        self, source: Import, as_citra: Client, ani: User, citra: User
    ) -> None:
        assert source.database is not None
        of_database = f"/manage/databases/{source.database.pk}/"
        assert undo_url(source) in as_citra.get(of_database).content.decode()
        make_batch(staff=ani, database=source.database, records=2)
        recall_database(database_id=source.database.pk, by=citra)
        assert undo_url(source) not in as_citra.get(of_database).content.decode()
        page = as_citra.get(undo_url(source)).content.decode()
        assert "2 records of this import were handed out already" in page
        assert f'action="{undo_url(source)}"' not in page
        response = as_citra.post(undo_url(source), headers=HX)
        assert response.status_code == 409
        assert "handed out already" in response.content.decode()
        source.refresh_from_db()
        assert source.state == Import.State.DONE
        with pytest.raises(WorkedOn):
            undo_import(import_id=source.pk, by=citra)

    def test_a_database_without_an_import_has_nothing_to_undo(self, as_citra: Client) -> None:
        assert as_citra.get(f"/manage/databases/{make_database().pk}/undo/").status_code == 404

    def test_a_second_time_there_is_nothing_to_undo(self, source: Import, citra: User) -> None:
        undo_import(import_id=source.pk, by=citra)
        with pytest.raises(NothingToUndo):
            undo_import(import_id=source.pk, by=citra)
        assert DatabaseChange.objects.count() == 1
        line = Activity.objects.get(kind="import.undone")
        assert line.details == {"records": 4, "requests_rejected": 0}

    def test_it_is_not_checked_again_while_its_records_are_being_removed(
        self, source: Import, as_citra: Client, citra: User
    ) -> None:
        undo_import(import_id=source.pk, by=citra)
        page = as_citra.post(url(source, "check-again"), follow=True).content.decode()
        assert "still being removed" in page
        source.refresh_from_db()
        assert source.state == Import.State.UNDONE

    def test_without_its_file_it_offers_to_upload_another(
        self, source: Import, as_citra: Client, citra: User
    ) -> None:
        undo_import(import_id=source.pk, by=citra)
        DatabaseChange.objects.update(state="done")
        Import.objects.update(file="")
        page = as_citra.get(url(source, "undone")).content.decode()
        assert "no longer kept" in page
        assert "check-again" not in page
        page = as_citra.post(url(source, "check-again"), follow=True).content.decode()
        assert "Upload it again" in page

    def test_an_undone_import_is_not_cancelled_from_an_old_page(
        self, source: Import, as_citra: Client, citra: User
    ) -> None:
        undo_import(import_id=source.pk, by=citra)
        as_citra.post(url(source, "cancel"))
        source.refresh_from_db()
        assert source.state == Import.State.UNDONE
        assert source.file

    def test_what_is_not_undone_is_not_checked_again(
        self, source: Import, as_citra: Client
    ) -> None:
        response = as_citra.post(url(source, "check-again"))
        assert response.status_code == 302
        source.refresh_from_db()
        assert source.state == Import.State.DONE

    def test_the_poll_ends_when_the_records_are_gone(
        self, source: Import, as_citra: Client, citra: User
    ) -> None:
        undo_import(import_id=source.pk, by=citra)
        assert as_citra.get(url(source, "undone"), headers=HX).status_code == 200
        DatabaseChange.objects.update(state="done")
        last = as_citra.get(url(source, "undone"), headers=HX)
        assert last.status_code == 286
        assert "check-again" in last.content.decode()
        assert "data-hx-trigger" not in last.content.decode()


@pytest.mark.django_db(transaction=True)
def test_the_file_is_checked_and_imported_again_without_a_trace_of_the_first_time(
    as_citra: Client, work: Work, files: Files, citra: User, ani: User
) -> None:
    source = make_import(by=citra)

    def run(path: str, **form: Any) -> None:
        assert as_citra.post(url(source, path), form).status_code == 302
        work()
        source.refresh_from_db()

    run("confirm", **check_form())
    first = source.database
    assert first is not None
    assert source.state == Import.State.DONE
    assert SkippedRow.objects.count() == 2
    make_import(state="done", corrects=source, original_name="koreksi.csv")
    kept = files()
    assert "koreksi.csv" in as_citra.get(url(source, "report")).content.decode()
    as_citra.post(undo_url(source))
    work()
    assert not Record.objects.exists()
    assert not Pool.objects.exists()
    assert not SkippedRow.objects.exists()
    assert files() == kept
    run("check-again")
    assert (source.state, source.database, source.confirmed_at) == ("waiting", None, None)
    run("confirm", **check_form())
    assert source.state == Import.State.DONE
    assert "koreksi.csv" not in as_citra.get(url(source, "report")).content.decode()
    assert source.database is not None
    assert source.database != first
    assert list(Database.objects.visible_to(citra)) == [source.database]
    assert (Record.objects.count(), Pool.objects.count(), SkippedRow.objects.count()) == (4, 3, 2)
    assert not Assignment.objects.exists()
    assert differences() == []
