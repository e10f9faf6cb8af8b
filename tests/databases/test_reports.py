"""What came of a file: the report, the rows to repair, the original."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Activity, User
from crm.kernel.csv_out import plain_cell, safe_cell
from databases.models import Import, RepairedRow, SkippedRow
from tests import factories
from tests.databases.helpers import READING, make_import


def url(source: Import, what: str) -> str:
    return f"/manage/databases/imports/{source.pk}/{what}"


@pytest.fixture
def done(citra: User) -> Import:
    """An import of 14 rows: 10 ready, 2 to repair, 1 duplicate, 1 blank."""
    database = factories.make_database(records=10, attention=2, by=citra)
    source = make_import(
        state="done",
        by=citra,
        database=database,
        ready=10,
        attention=2,
        duplicate=1,
        blank=1,
        rows_total=14,
        reading=READING
        | {
            "tally": READING["tally"]
            | {"total": 14, "ready": 10, "attention": {"invalid_phone": 2}},
        },
    )
    SkippedRow.objects.create(
        source=source,
        row_number=13,
        reason="duplicate_phone",
        same_as=2,
        cells=["=cmd|' /C calc'!A0", "  +62", "Budi", '"@x', "1"],
    )
    SkippedRow.objects.create(source=source, row_number=30, reason="blank", cells=[])
    return source


@pytest.mark.django_db
class TestImportReport:
    def test_the_outcomes_add_up_to_the_rows_read(self, as_citra: Client, done: Import) -> None:
        page = as_citra.get(url(done, "report/")).content.decode()
        assert done.read == done.rows_total == 14
        assert "12 records are in Pelanggan." in page
        assert "Download 4 rows" in page
        assert f"/manage/databases/{done.database_id}/" in page

    def test_it_is_not_there_before_the_end(self, as_citra: Client) -> None:
        source = make_import()
        answer = as_citra.get(url(source, "report/"))
        assert (answer.status_code, answer["Location"]) == (302, url(source, "check/"))


@pytest.mark.django_db
class TestNotReadyCsv:
    def rows(self, client: Client, source: Import) -> list[list[str]]:
        answer = client.get(url(source, "not-ready.csv"))
        assert answer["Content-Disposition"].startswith("attachment")
        content = b"".join(answer.streaming_content)
        assert content.startswith(b"\xef\xbb\xbf")
        return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))

    def test_it_has_every_row_that_is_not_ready_in_the_files_order(
        self, as_citra: Client, done: Import
    ) -> None:
        rows = self.rows(as_citra, done)
        assert rows[0][:3] == ["Row", "Reason", "Username"]
        assert [row[0] for row in rows[1:]] == ["12", "13", "13", "30"]
        assert [row[1] for row in rows[1:]] == [
            "Not a usable phone number",
            "Not a usable phone number",
            "Same phone as row 2",
            "Blank row",
        ]
        assert Activity.objects.filter(kind="export.not_ready").count() == 1

    def test_no_cell_is_a_formula(self, as_citra: Client, done: Import) -> None:
        duplicate = self.rows(as_citra, done)[3]
        assert duplicate[2:6] == ["'=cmd|' /C calc'!A0", "'  +62", "Budi", "'\"@x"]

    @pytest.mark.parametrize(
        "cell",
        [
            "=1",
            "+1",
            "-1",
            "@x",
            "\tx",
            "\rx",
            "\nx",
            " =1",
            '"=1',
            "'=1",
            "\u00a0=1",
            "a\n=1",
            "＝1",
        ],
    )
    def test_dangerous_beginnings_are_disarmed(self, cell: str) -> None:
        assert safe_cell(cell) == "'" + cell
        assert plain_cell(safe_cell(cell)) == cell

    @pytest.mark.parametrize("cell", ["", "Budi", "6281", "a=b", "Budi - Jaya", "x\ny"])
    def test_the_rest_stays_as_it_is(self, cell: str) -> None:
        assert safe_cell(cell) == cell
        assert plain_cell(cell) == cell

    @given(st.text("'\"=+-@ \t\r\n\ufeff\u00a0\uff1da1", max_size=6))
    def test_what_was_disarmed_comes_back_as_it_was(self, cell: str) -> None:
        assert plain_cell(safe_cell(cell)) == cell

    def test_staff_get_nothing(self, as_ani: Client, done: Import) -> None:
        assert as_ani.get(url(done, "not-ready.csv")).status_code == 403


@pytest.mark.django_db
class TestOriginalFile:
    def test_it_comes_as_an_attachment_that_no_browser_opens(
        self, as_citra: Client, done: Import
    ) -> None:
        Import.objects.filter(pk=done.pk).update(original_name='a"b\u202e<x>.html')
        answer = as_citra.get(url(done, "original/"))
        assert answer.status_code == 200
        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["Content-Disposition"].startswith("attachment;")
        assert "\n" not in answer["Content-Disposition"]
        assert answer["X-Content-Type-Options"] == "nosniff"
        b"".join(answer.streaming_content)

    def test_a_deleted_one_is_not_there(self, as_citra: Client, done: Import) -> None:
        Import.objects.filter(pk=done.pk).update(file="uploads/gone.csv")
        assert as_citra.get(url(done, "original/")).status_code == 404

    def test_no_address_leads_to_stored_files(self, as_citra: Client, done: Import) -> None:
        for path in (f"/media/{done.file.name}", f"/{done.file.name}"):
            assert as_citra.get(path).status_code == 404


@pytest.mark.django_db
class TestForgetOldUploads:
    def test_files_and_skipped_rows_go_after_thirty_days(
        self, done: Import, files: Any, django_capture_on_commit_callbacks: Any
    ) -> None:
        import datetime as dt

        from crm.kernel import clock
        from databases.tasks import forget_old_uploads

        recent = make_import()
        old = clock.now() - dt.timedelta(days=31)
        for at in (old, clock.now()):
            assert done.database is not None
            done.database.repaired_rows.create(
                row_number=12, was="invalid_phone", cells_before=["x"], by=done.uploaded_by, at=at
            )
        Import.objects.filter(pk=done.pk).update(uploaded_at=old, finished_at=old)
        with django_capture_on_commit_callbacks(execute=True):
            forget_old_uploads(timestamp=0)
        done.refresh_from_db()
        assert not done.file
        assert done.state == Import.State.DONE
        assert not SkippedRow.objects.exists()
        assert RepairedRow.objects.count() == 1
        assert files() == [recent.file.name]
