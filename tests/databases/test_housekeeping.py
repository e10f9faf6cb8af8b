"""What is kept for a while only, and what nobody can reach any more."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client

from accounts.models import Activity, User
from crm.kernel import clock
from databases.models import Import, ReceivedFile
from databases.models.imports import HEARTBEAT_LIMIT
from databases.services import housekeeping, reading
from tests.databases.helpers import make_import

pytestmark = pytest.mark.django_db
S = Import.State


@pytest.fixture
def in_days(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Give a function that moves the clock of everything that is asked for the time."""
    begun = clock.now()

    def move(days: float) -> None:
        monkeypatch.setattr(clock, "now", lambda: begun + dt.timedelta(days=days))

    return move


class TestOrphans:
    def test_a_file_that_no_row_names_is_deleted_after_a_day(
        self, files: Callable[[], list[str]], in_days: Callable[[float], None]
    ) -> None:
        default_storage.save("uploads/left.csv", ContentFile(b"a"))
        default_storage.save("uploads/deeper/left.csv", ContentFile(b"a"))
        in_days(0.9)  # whoever stored it may still be about to write its row
        housekeeping.forget_orphans()
        assert files() == ["uploads/deeper/left.csv", "uploads/left.csv"]
        in_days(1.1)
        housekeeping.forget_orphans()
        assert files() == []

    def test_a_file_of_an_import_or_of_a_form_stays_but_not_the_rows_prepared_beside_it(
        self, citra: User, files: Callable[[], list[str]], in_days: Callable[[float], None]
    ) -> None:
        source = make_import(state=S.DONE, by=citra)
        stored = default_storage.save("uploads/held.csv", ContentFile(b"a"))
        ReceivedFile.objects.create(
            file=stored,
            original_name="a.csv",
            size=1,
            arrived=1,
            sha256="0" * 64,
            received_by=citra,
        )
        beside = default_storage.save(f"{source.file.name}.1.records", ContentFile(b"a"))
        in_days(0.9)
        housekeeping.forget_orphans()
        assert files() == sorted([stored, beside, source.file.name])
        in_days(20)
        housekeeping.forget_orphans()
        assert files() == sorted([stored, source.file.name])

    def test_what_a_killed_server_was_receiving_is_deleted_after_a_day(
        self, settings: Any, tmp_path: Path, in_days: Callable[[float], None]
    ) -> None:
        settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "arriving"
        settings.FILE_UPLOAD_TEMP_DIR.mkdir()
        old, new = (settings.FILE_UPLOAD_TEMP_DIR / f"{n}.upload.csv" for n in ("old", "new"))
        other = settings.FILE_UPLOAD_TEMP_DIR / "not-ours"
        for path in (old, new, other):
            path.write_bytes(b"a")
        before = (clock.now() - dt.timedelta(days=2)).timestamp()
        for path in (old, other):
            os.utime(path, (before, before))
        housekeeping.forget_orphans()
        assert not old.exists()
        assert new.exists()
        assert other.exists()

    def test_a_folder_that_is_not_there_yet_is_no_fault(self, media: Path) -> None:
        housekeeping.forget_orphans()


def jobs_end(status: str) -> None:
    """Let every waiting job end without having done anything."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing'")
        cursor.execute("UPDATE procrastinate_jobs SET status = %s", [status])


class TestStranded:
    @pytest.mark.parametrize("status", ["failed", "succeeded", "cancelled"])
    def test_a_reading_whose_job_is_gone_fails_and_can_be_read_again(
        self, as_citra: Client, citra: User, status: str
    ) -> None:
        source = make_import(state=S.WAITING, by=citra)
        source = reading.read_again(
            import_id=source.pk, attempt=source.attempt, choices={}, by=citra
        )
        housekeeping.fail_stranded()
        source.refresh_from_db()
        assert source.state == S.READING  # its job waits for its turn
        jobs_end(status)
        housekeeping.fail_stranded()
        source.refresh_from_db()
        assert source.state == S.FAILED
        page = as_citra.get(f"/manage/databases/imports/{source.pk}/check/").content.decode()
        assert "Something went wrong on the server" in page
        assert "Read again" in page
        as_citra.post(f"/manage/databases/imports/{source.pk}/read-again/")
        source.refresh_from_db()
        assert source.state == S.READING
        assert Activity.objects.filter(kind="import.failed", actor=None).count() == 1

    def test_an_import_whose_job_is_gone_fails_and_can_be_tried_again(
        self, as_citra: Client, citra: User
    ) -> None:
        source = make_import(state=S.QUEUED, by=citra)
        housekeeping.fail_stranded()
        source.refresh_from_db()
        assert source.state == S.FAILED
        page = as_citra.get(f"/manage/databases/imports/{source.pk}/progress/").content.decode()
        assert "Try again" in page
        as_citra.post(f"/manage/databases/imports/{source.pk}/retry/")
        housekeeping.fail_stranded()
        source.refresh_from_db()
        assert source.state == S.QUEUED

    def test_a_job_of_an_older_attempt_is_no_job(self, citra: User) -> None:
        source = make_import(state=S.WAITING, by=citra)
        reading.read_again(import_id=source.pk, attempt=source.attempt, choices={}, by=citra)
        Import.objects.update(attempt=99)
        housekeeping.fail_stranded()
        source.refresh_from_db()
        assert source.state == S.FAILED


class TestInterruptedReading:
    def test_it_is_said_and_can_be_read_again_even_when_the_columns_were_found(
        self, as_citra: Client, citra: User
    ) -> None:
        source = make_import(
            state=S.READING, by=citra, heartbeat_at=clock.now() - 2 * HEARTBEAT_LIMIT
        )
        # It had not come so far.
        source.reading = {key: found for key, found in source.reading.items() if key != "tally"}
        source.choices = {"delimiter": ";"}
        source.save()
        page = as_citra.get(f"/manage/databases/imports/{source.pk}/check/").content.decode()
        assert "Reading was interrupted" in page
        answer = as_citra.post(f"/manage/databases/imports/{source.pk}/read-again/")
        assert answer.status_code == 302
        source.refresh_from_db()
        assert (source.state, source.attempt) == (S.READING, 2)
        assert source.choices == {"delimiter": ";"}  # as it was read before
        assert not source.is_interrupted


class TestKeptForAWhile:
    def test_the_file_of_an_import_that_died_long_ago_is_not_kept_for_ever(
        self,
        citra: User,
        files: Callable[[], list[str]],
        in_days: Callable[[float], None],
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        died = make_import(state=S.RUNNING, by=citra, heartbeat_at=clock.now())
        in_days(31)
        alive = make_import(
            state=S.RUNNING, by=citra, heartbeat_at=clock.now(), uploaded_at=died.uploaded_at
        )
        with django_capture_on_commit_callbacks(execute=True):
            housekeeping.forget_old_uploads()
        died.refresh_from_db()
        assert died.state == S.CANCELLED
        assert files() == [alive.file.name]
