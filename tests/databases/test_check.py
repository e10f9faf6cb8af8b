"""The page between a file and its import: what was read, and what is done with it."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.models import Activity, User
from crm.kernel import clock
from databases.models import Import
from databases.models.imports import HEARTBEAT_LIMIT
from databases.views import uploads
from tests import factories
from tests.conftest import HX
from tests.databases.helpers import READING, check_form, make_import


def url(source: Import, what: str = "check") -> str:
    return f"/manage/databases/imports/{source.pk}/{what}/"


@pytest.mark.django_db
class TestCheck:
    def test_it_shows_what_was_read_and_marks_the_rows_that_are_not_ready(
        self, as_citra: Client
    ) -> None:
        page = as_citra.get(url(make_import())).content.decode()
        assert "3 rows become ready in Pelanggan." in page
        assert "1 stored for repair, 2 skipped: 6 in all." in page
        assert "Import 3 rows" in page
        assert 'class="att"' in page
        assert "Not a usable phone number" in page
        assert "Same as row 2, skipped" in page
        assert "Blank row, skipped" in page
        assert "6281234567801" in page
        assert "60%, check" in page

    def test_it_says_of_what_the_rows_are_duplicates(self, as_citra: Client) -> None:
        page = as_citra.get(url(make_import())).content.decode()
        assert "Same phone as an earlier row" in page

    def test_cells_are_shown_as_text(self, as_citra: Client) -> None:
        page = as_citra.get(url(make_import())).content.decode()
        assert "<b>Rahman</b>" not in page
        assert "&lt;b&gt;Rahman" in page

    def test_a_file_without_phones_is_warned_about(self, as_citra: Client) -> None:
        reading = copy.deepcopy(READING) | {"warnings": ["no_phone_column"]}
        assert "No phone column" in as_citra.get(url(make_import(reading=reading))).content.decode()

    def test_the_same_file_from_before_is_named(self, as_citra: Client) -> None:
        first = make_import(sha256="a" * 64, by=factories.make_admin(name="Rina"))
        second = make_import(sha256="a" * 64)
        page = as_citra.get(url(second)).content.decode()
        assert "Uploaded before" in page
        assert "Rina" in page
        assert url(first) in page
        assert "Uploaded before" not in as_citra.get(url(first)).content.decode()

    def test_it_says_that_it_reads_and_polls(self, as_citra: Client) -> None:
        source = make_import(state="reading", reading={})
        page = as_citra.get(url(source)).content.decode()
        assert 'hx-trigger="every 1s"' in page
        assert '<noscript><meta http-equiv="refresh"' in page
        answer = as_citra.get(url(source) + "?shown=0", headers=HX)
        assert answer.status_code == 200
        assert "<html" not in answer.content.decode()

    def test_a_poll_ends_when_there_is_more_to_see(self, as_citra: Client) -> None:
        source = make_import()
        answer = as_citra.get(url(source) + "?shown=0", headers=HX)
        assert (answer.status_code, answer["HX-Redirect"]) == (286, url(source))

    def test_the_rows_are_shown_while_they_are_still_counted(self, as_citra: Client) -> None:
        reading = {key: value for key, value in READING.items() if key != "tally"}
        source = make_import(state="reading", reading=reading)
        page = as_citra.get(url(source)).content.decode()
        assert "Budi Santoso" in page
        assert "The rows are being counted." in page
        answer = as_citra.post(url(source, "confirm"), check_form())
        assert answer.status_code == 302
        assert Import.objects.get().state == Import.State.READING

    def test_a_refused_file_gets_its_sentence(self, as_citra: Client) -> None:
        source = make_import(state="refused", reading={}, problem="encrypted")
        page = as_citra.get(url(source)).content.decode()
        assert 'role="alert"' in page
        assert "Upload another file" in page

    def test_a_dead_reader_is_recognised(self, as_citra: Client) -> None:
        source = make_import(
            state="reading", reading={}, heartbeat_at=clock.now() - 2 * HEARTBEAT_LIMIT
        )
        page = as_citra.get(url(source)).content.decode()
        assert "Reading was interrupted" in page
        assert as_citra.post(url(source, "read-again")).status_code == 302
        source.refresh_from_db()
        assert (source.attempt, source.state) == (2, Import.State.READING)
        assert not source.is_interrupted

    def test_a_page_costs_the_same_whatever_was_read(
        self, as_citra: Client, django_assert_num_queries: Any
    ) -> None:
        source = make_import()
        as_citra.get(url(source))
        with django_assert_num_queries(5):  # session, user, badge, import, twin
            as_citra.get(url(source))

    def test_staff_see_nothing_of_it(self, as_ani: Client) -> None:
        source = make_import()
        for what in ("check", "progress", "report", "original"):
            assert as_ani.get(url(source, what)).status_code == 403
        for what in ("confirm", "read-again", "cancel", "retry"):
            assert as_ani.post(url(source, what)).status_code == 403
        assert Import.objects.get().state == Import.State.WAITING

    def test_an_unknown_one_is_not_there(self, as_citra: Client) -> None:
        assert as_citra.get("/manage/databases/imports/999999/check/").status_code == 404


@pytest.mark.django_db
class TestReadAgain:
    def test_it_reads_with_what_was_chosen(self, as_citra: Client) -> None:
        source = make_import()
        answer = as_citra.post(url(source, "read-again"), check_form(delimiter=","))
        assert (answer.status_code, answer["Location"]) == (302, url(source))
        source.refresh_from_db()
        assert source.state == Import.State.READING
        assert source.choices["delimiter"] == ","
        assert source.choices["roles"] is None
        assert ProcrastinateJob.objects.get().args == {"import_id": source.pk, "attempt": 2}

    def test_roles_are_kept_when_the_columns_are_the_same(self, as_citra: Client) -> None:
        source = make_import()
        as_citra.post(url(source, "read-again"), check_form(role2="", role3="phone"))
        source.refresh_from_db()
        assert source.choices["roles"] == ["username", "name", "", "phone", "sensitive"]

    def test_another_sheet_has_its_header_row_where_it_has_it(self, as_citra: Client) -> None:
        workbook = {"encoding": "", "delimiter": "", "sheets": ["A", "B"], "sheet": "A"}
        source = make_import(reading=copy.deepcopy(READING) | workbook | {"header_row": 4})
        as_citra.post(url(source, "read-again"), check_form(sheet="B", header_row="4"))
        source.refresh_from_db()
        assert (source.choices["sheet"], source.choices["header_row"]) == ("B", None)

    def test_a_header_row_that_was_chosen_stays_chosen(self, as_citra: Client) -> None:
        source = make_import()
        as_citra.post(url(source, "read-again"), check_form(delimiter=",", header_row="3"))
        source.refresh_from_db()
        assert source.choices["header_row"] == 3

    def test_a_header_is_looked_for_where_none_was_found(self, as_citra: Client) -> None:
        source = make_import(reading=copy.deepcopy(READING) | {"header_row": 0})
        as_citra.post(url(source, "read-again"), check_form(delimiter=",", header_row="0"))
        source.refresh_from_db()
        assert source.choices["header_row"] is None

    def test_two_phone_columns_are_refused(self, as_citra: Client) -> None:
        source = make_import()
        answer = as_citra.post(url(source, "read-again"), check_form(role3="phone"))
        assert answer.status_code == 422
        assert "Only one column" in answer.content.decode()

    @pytest.mark.parametrize(
        "wrong", [{"encoding": "rot13"}, {"header_row": "-4"}, {"role0": "owner"}]
    )
    def test_what_is_not_offered_is_refused(self, as_citra: Client, wrong: dict[str, str]) -> None:
        source = make_import()
        assert as_citra.post(url(source, "read-again"), check_form(**wrong)).status_code == 422
        source.refresh_from_db()
        assert source.state == Import.State.WAITING


@pytest.mark.django_db
class TestConfirmImport:
    def test_it_queues_the_import(self, as_citra: Client, citra: User) -> None:
        source = make_import()
        answer = as_citra.post(url(source, "confirm"), check_form())
        assert (answer.status_code, answer["Location"]) == (302, url(source, "progress"))
        source.refresh_from_db()
        assert source.state == Import.State.QUEUED
        assert source.confirmed_by == citra
        job = ProcrastinateJob.objects.get()
        assert (job.queue_name, job.lock) == ("imports", "imports")
        assert Activity.objects.filter(kind="import.confirmed").count() == 1

    def test_what_staff_may_see_can_still_be_changed(self, as_citra: Client) -> None:
        source = make_import()
        as_citra.post(url(source, "confirm"), check_form(role3="sensitive", role4=""))
        source.refresh_from_db()
        assert source.state == Import.State.QUEUED
        assert source.choices["roles"] == ["username", "name", "phone", "sensitive", ""]

    def test_changed_numbers_are_shown_before_anything_is_imported(self, as_citra: Client) -> None:
        source = make_import()
        answer = as_citra.post(
            url(source, "confirm"), check_form(role2="", role3="phone"), follow=True
        )
        source.refresh_from_db()
        assert source.state == Import.State.READING
        assert "Read again with your changes" in answer.content.decode()

    def test_a_second_click_is_told_and_changes_nothing(self, as_citra: Client) -> None:
        source = make_import()
        as_citra.post(url(source, "confirm"), check_form())
        answer = as_citra.post(url(source, "confirm"), check_form(), follow=True)
        assert "Already done" in answer.content.decode()
        assert ProcrastinateJob.objects.count() == 1

    @pytest.mark.parametrize("state", ["reading", "waiting"])
    def test_a_reading_that_ends_meanwhile_is_not_imported_unseen(
        self, as_citra: Client, monkeypatch: pytest.MonkeyPatch, state: str
    ) -> None:
        """Between looking at the import and locking it, the reading ends or another one does."""
        source, find = make_import(state=state), uploads.find_import

        def then_it_is_read(request: Any, pk: int) -> Import:
            found = find(request, pk)
            Import.objects.filter(pk=pk).update(
                state="waiting", attempt=found.attempt + (state == "waiting")
            )
            return found

        monkeypatch.setattr(uploads, "find_import", then_it_is_read)
        as_citra.post(url(source, "confirm"), check_form())
        source.refresh_from_db()
        assert source.state == Import.State.WAITING
        assert not ProcrastinateJob.objects.exists()

    @pytest.mark.parametrize("state", ["refused", "cancelled", "failed"])
    def test_a_consumed_one_is_not_imported(self, as_citra: Client, state: str) -> None:
        source = make_import(state=state)
        as_citra.post(url(source, "confirm"), check_form())
        source.refresh_from_db()
        assert source.state == state

    def test_it_refuses_get(self, as_citra: Client) -> None:
        assert as_citra.get(url(make_import(), "confirm")).status_code == 405


@pytest.mark.django_db
class TestCancelImport:
    @pytest.mark.parametrize("state", ["reading", "waiting", "queued", "failed"])
    def test_it_is_given_up_at_once_when_no_import_runs(
        self, as_citra: Client, files: Any, state: str, django_capture_on_commit_callbacks: Any
    ) -> None:
        source = make_import(state=state)
        with django_capture_on_commit_callbacks(execute=True):
            answer = as_citra.post(url(source, "cancel"))
        assert (answer.status_code, answer["Location"]) == (302, "/manage/databases/")
        source.refresh_from_db()
        assert source.state == Import.State.CANCELLED
        assert files() == []

    def test_a_running_one_is_asked_to_stop(self, as_citra: Client) -> None:
        source = make_import(state="running", heartbeat_at=clock.now())
        as_citra.post(url(source, "cancel"))
        source.refresh_from_db()
        assert (source.state, source.cancel_requested) == (Import.State.RUNNING, True)

    def test_a_finished_one_stays(self, as_citra: Client) -> None:
        source = make_import(state="done")
        as_citra.post(url(source, "cancel"))
        source.refresh_from_db()
        assert source.state == Import.State.DONE


@pytest.mark.django_db(transaction=True)
def test_confirming_at_once_from_many_tabs_imports_once(citra: User) -> None:
    source = make_import()
    start, answers = threading.Barrier(4), []

    def click() -> None:
        try:
            client = Client()
            client.force_login(citra)
            start.wait()
            answers.append(client.post(url(source, "confirm"), check_form()).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert answers == [302] * 4
    assert ProcrastinateJob.objects.count() == 1
    assert Activity.objects.filter(kind="import.confirmed").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_choice_that_does_not_fit_the_file_costs_nothing(
    as_citra: Client, work: Callable[[], None], files: Callable[[], list[str]]
) -> None:
    source = make_import()
    kept = files()
    as_citra.post(url(source, "read-again"), check_form(encoding="utf-16"))
    work()
    source.refresh_from_db()
    assert (source.state, source.reading["encoding"]) == (Import.State.WAITING, "utf-8")
    assert set(kept) <= set(files())
    assert "cannot be read in the way you chose" in as_citra.get(url(source)).content.decode()
    as_citra.post(url(source, "confirm"), check_form())
    work()
    source.refresh_from_db()
    assert (source.state, source.read, source.problem) == (Import.State.DONE, 6, "")


@pytest.mark.django_db(transaction=True)
def test_a_file_that_fits_no_way_is_refused_after_all(
    as_citra: Client, work: Callable[[], None], files: Callable[[], list[str]]
) -> None:
    source = make_import(content=b"\0" * 50)
    as_citra.post(url(source, "read-again"), check_form(encoding="utf-16"))
    work()
    source.refresh_from_db()
    assert source.state == Import.State.REFUSED
    assert files() == []
