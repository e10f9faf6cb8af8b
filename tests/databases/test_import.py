"""From a file to records: wholly or not at all, once, and every row accounted for."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project
from django.db import connection
from django.test import Client

from accounts.models import Activity, User
from crm.kernel import clock
from databases.models import Database, DatabaseStat, Import, Pool, Record, SkippedRow
from databases.models.imports import HEARTBEAT_LIMIT
from databases.services import imports, storing
from databases.services.reading import read_file
from tests import factories
from tests.conftest import HX
from tests.databases.helpers import MIXED, csv_file, form

Work = Callable[[], None]
pytestmark = pytest.mark.django_db(transaction=True)

UPLOAD = "/manage/databases/upload/"


def url(source: Import, what: str) -> str:
    return f"/manage/databases/imports/{source.pk}/{what}/"


def uploaded(client: Client, work: Work, content: bytes = MIXED, **fields: Any) -> Import:
    """Upload a file and let it be read."""
    sent = form(factories.make_product(), file=csv_file(content=content), **fields)
    assert client.post(UPLOAD, sent).status_code == 302
    work()
    source = Import.objects.latest("pk")
    assert source.state == Import.State.WAITING, source.problem
    return source


def as_shown(source: Import) -> dict[str, Any]:
    """Give what the check page of `source` sends when nothing is changed on it."""
    reading = source.reading
    roles = {f"role{i}": column["role"] for i, column in enumerate(reading["columns"])}
    return {
        "encoding": reading["encoding"],
        "delimiter": reading["delimiter"],
        "header_row": reading["header_row"],
    } | roles


def confirmed(client: Client, source: Import) -> Import:
    assert client.post(url(source, "confirm"), as_shown(source)).status_code == 302
    source.refresh_from_db()
    assert source.state == Import.State.QUEUED
    return source


def many_rows(rows: int) -> bytes:
    lines = (
        f"user{i};Nama {i};0812{i:08};Kota {i % 50};{i:010}\n"
        for i in range(1_000_000, rows + 1_000_000)
    )
    return ("Username;Nama;No HP;Kota;No Rekening\n" + "".join(lines)).encode()


def nothing_is_left() -> bool:
    return not any(
        model.objects.exists() for model in (Database, DatabaseStat, Record, Pool, SkippedRow)
    )


class TestImporting:
    def test_what_the_check_showed_is_what_is_stored(
        self, as_citra: Client, citra: User, work: Work
    ) -> None:
        source = uploaded(as_citra, work, name="Deposit Jan", description="dari Rina")
        shown = source.reading["tally"]
        assert (shown["ready"], shown["blank"], shown["total"]) == (3, 1, 6)
        confirmed(as_citra, source)
        work()

        source.refresh_from_db()
        assert source.state == Import.State.DONE
        outcomes = (source.ready, source.attention, source.duplicate, source.blank, source.read)
        assert outcomes == (3, 1, 1, 1, 6)
        database = Database.objects.get()
        assert (database.name, database.description) == ("Deposit Jan", "dari Rina")
        assert (database.product, database.uploaded_by) == (source.product, citra)
        assert database.columns == ["Username", "Nama", "No HP", "Kota", "No Rekening"]
        assert database.roles == ["username", "name", "phone", "", "sensitive"]
        rows = Record.objects.order_by("row_number").values_list(
            "row_number", "username", "name", "phone", "attention"
        )
        assert list(rows) == [
            (2, "budi01", "Budi Santoso", "6281234567801", None),
            (3, "sari02", "Sari Dewi", "6281234567802", None),
            (4, "agus03", "Agus Rahman", "", "invalid_phone"),
            (7, "rina04", "Rina Putri", "6281234567804", None),
        ]
        assert Record.objects.get(row_number=2).cells[4] == "0012345"
        skipped = SkippedRow.objects.order_by("row_number")
        assert [(row.row_number, row.reason, row.same_as) for row in skipped] == [
            (5, "duplicate_phone", 2),
            (6, "blank", None),
        ]
        assert Activity.objects.filter(kind="import.finished", actor=citra).count() == 1

    def test_ready_records_are_on_the_shelf_and_the_totals_say_so(
        self, as_citra: Client, work: Work
    ) -> None:
        confirmed(as_citra, uploaded(as_citra, work))
        work()
        ready = Record.objects.filter(attention=None)
        assert set(Pool.objects.values_list("record", flat=True)) == {r.pk for r in ready}
        shelf = list(Pool.objects.values_list("record__username_key", "username_key"))
        assert all(left == right for left, right in shelf)
        stat = DatabaseStat.objects.get()
        assert (stat.total, stat.attention, stat.available, stat.assigned) == (4, 1, 3, 0)

    def test_the_pages_follow_it_to_the_report(self, as_citra: Client, work: Work) -> None:
        source = confirmed(as_citra, uploaded(as_citra, work))
        page = as_citra.get(url(source, "progress"))
        assert "Waiting for its turn" in page.content.decode()
        assert as_citra.get(url(source, "progress"), headers=HX).status_code == 200
        assert as_citra.get(url(source, "check"))["Location"] == url(source, "progress")
        work()
        poll = as_citra.get(url(source, "progress"), headers=HX)
        assert (poll.status_code, poll["HX-Redirect"]) == (286, url(source, "report"))
        report = as_citra.get(url(source, "report")).content.decode()
        assert "Download 3 rows" in report
        assert "Not a usable phone number" in report

    def test_a_repeated_job_of_the_same_attempt_imports_nothing_more(
        self, as_citra: Client, work: Work
    ) -> None:
        source = confirmed(as_citra, uploaded(as_citra, work))
        imports.run_import(import_id=source.pk, attempt=source.attempt)
        imports.run_import(import_id=source.pk, attempt=source.attempt)
        work()
        assert Database.objects.count() == 1
        assert Record.objects.count() == 4

    def test_imports_queue_one_after_another(self, as_citra: Client, work: Work) -> None:
        first, second = uploaded(as_citra, work), uploaded(as_citra, work)
        confirmed(as_citra, first)
        confirmed(as_citra, second)
        work()
        assert Database.objects.count() == 2
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT lock FROM procrastinate_jobs WHERE queue_name = 'imports'"
            )
            assert cursor.fetchall() == [("imports",)]

    def test_a_file_without_phones_imports_by_username(self, as_citra: Client, work: Work) -> None:
        content = b"username;nama\nbudi01;Budi\nsari02;Sari\nBUDI01;Budi lagi\n"
        source = uploaded(as_citra, work, content)
        assert "no_phone_column" in source.reading["warnings"]
        confirmed(as_citra, source)
        work()
        source.refresh_from_db()
        assert (source.ready, source.duplicate) == (2, 1)


class TestRefused:
    def test_nothing_of_a_refused_file_is_kept(
        self, as_citra: Client, work: Work, files: Any
    ) -> None:
        sent = form(factories.make_product(), file=csv_file("gambar.xlsx", b"\x89PNG\r\n" * 50))
        as_citra.post(UPLOAD, sent)
        work()
        source = Import.objects.get()
        assert source.state == Import.State.REFUSED
        assert files() == []
        assert nothing_is_left()
        assert Activity.objects.filter(kind="upload.refused").count() == 1
        page = as_citra.get(url(source, "check")).content.decode()
        assert "Nothing of this file was kept." in page
        assert as_citra.get(url(source, "original")).status_code == 404

    def test_a_killed_reader_is_no_fault_of_the_file(
        self, as_citra: Client, files: Any, work: Work
    ) -> None:
        """The child that reads is killed: the job says so at once, and it can be tried again."""
        sent = form(factories.make_product(), file=csv_file(content=many_rows(100_000)))
        as_citra.post(UPLOAD, sent)
        source = Import.objects.get()
        stop = threading.Event()

        def kill_children() -> None:
            while not stop.is_set():
                for pid in children():
                    os.kill(pid, signal.SIGKILL)
                    return
                time.sleep(0.02)

        killer = threading.Thread(target=kill_children)
        killer.start()
        read_file(import_id=source.pk, attempt=1)
        stop.set()
        killer.join(10)
        source.refresh_from_db()
        assert (source.state, source.problem) == (Import.State.FAILED, "interrupted")
        page = as_citra.get(url(source, "check")).content.decode()
        assert "Nothing is wrong with the file" in page
        assert nothing_is_left()
        assert files() == [source.file.name]

        again = url(source, "read-again")
        assert f'action="{again}"' in page
        assert as_citra.post(again).status_code == 302
        work()
        source.refresh_from_db()
        assert (source.state, source.problem) == (Import.State.WAITING, "")


def children() -> list[int]:
    """Give the processes that this one has started and that still run."""
    found = subprocess.run(
        ["ps", "-o", "pid=,comm=", "--ppid", str(os.getpid())],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line.split() for line in found.stdout.splitlines()]
    return [int(pid) for pid, command in lines if command.startswith("python")]


class TestCancelling:
    def test_a_cancel_while_it_runs_leaves_nothing(
        self, as_citra: Client, work: Work, files: Any
    ) -> None:
        source = confirmed(as_citra, uploaded(as_citra, work, many_rows(60_000)))
        job = threading.Thread(target=run_and_close, args=[source.pk, source.attempt])
        job.start()
        wait_until(lambda: Import.objects.filter(pk=source.pk, state="running").exists())
        as_citra.post(url(source, "cancel"))
        job.join(600)
        source.refresh_from_db()
        assert source.state == Import.State.CANCELLED
        assert nothing_is_left()
        assert files() == []
        assert Activity.objects.filter(kind="import.cancelled").count() == 1

    def test_a_cancel_before_its_turn_takes_it_off_the_queue(
        self, as_citra: Client, work: Work
    ) -> None:
        source = confirmed(as_citra, uploaded(as_citra, work))
        as_citra.post(url(source, "cancel"))
        work()
        source.refresh_from_db()
        assert source.state == Import.State.CANCELLED
        assert nothing_is_left()


def run_and_close(import_id: int, attempt: int) -> None:
    try:
        imports.run_import(import_id=import_id, attempt=attempt)
    finally:
        connection.close()


def wait_until(true: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


JOB = """
import django
django.setup()
from databases.services.imports import run_import
run_import(import_id={import_id}, attempt={attempt})
"""


def start_job(source: Import, media: Path) -> subprocess.Popen[bytes]:
    """Run the import as a worker process of its own would, against this test's database."""
    test = connection.settings_dict
    address = f"postgres://{test['USER']}@{test['HOST'].replace('/', '%2F')}/{test['NAME']}"
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "crm.settings",
        "DATABASE_URL": address,
        "CRM_MODE": "demo",
    }
    code = "from django.conf import settings\n" + JOB.format(
        import_id=source.pk, attempt=source.attempt
    ).replace("django.setup()\n", f"django.setup()\nsettings.MEDIA_ROOT = {str(media)!r}\n", 1)
    return subprocess.Popen([sys.executable, "-c", code], env=environment, cwd=project.BASE_DIR)


class TestKilled:
    @pytest.mark.parametrize("after", [0.0, 0.3])
    def test_a_killed_worker_leaves_nothing_and_a_retry_makes_one_database(
        self, as_citra: Client, work: Work, media: Path, after: float
    ) -> None:
        source = confirmed(as_citra, uploaded(as_citra, work, many_rows(60_000)))
        job = start_job(source, media)
        wait_until(lambda: Import.objects.filter(pk=source.pk, state="running").exists())
        time.sleep(after)
        job.send_signal(signal.SIGKILL)
        job.wait(10)
        wait_until(nothing_is_left)
        source.refresh_from_db()
        assert source.state == Import.State.RUNNING

        # Twenty seconds without a sign of life later.
        Import.objects.update(heartbeat_at=clock.now() - 2 * HEARTBEAT_LIMIT)
        page = as_citra.get(url(source, "progress")).content.decode()
        assert "The import was interrupted" in page
        assert "Try again" in page
        assert "Interrupted" in as_citra.get("/manage/databases/").content.decode()

        assert as_citra.post(url(source, "retry")).status_code == 302
        assert as_citra.post(url(source, "retry")).status_code == 302
        work()
        source.refresh_from_db()
        assert source.state == Import.State.DONE
        assert Database.objects.count() == 1
        assert Record.objects.count() == 60_000

    def test_a_job_thought_dead_that_wakes_up_leaves_nothing_behind(
        self, as_citra: Client, work: Work, media: Path
    ) -> None:
        source = confirmed(as_citra, uploaded(as_citra, work, many_rows(60_000)))
        job = start_job(source, media)
        wait_until(lambda: Import.objects.filter(pk=source.pk, state="running").exists())
        job.send_signal(signal.SIGSTOP)
        Import.objects.update(heartbeat_at=clock.now() - 2 * HEARTBEAT_LIMIT)
        assert as_citra.post(url(source, "retry")).status_code == 302
        work()
        source.refresh_from_db()
        assert source.state == Import.State.DONE
        job.send_signal(signal.SIGCONT)
        assert job.wait(60) == 0
        source.refresh_from_db()
        assert source.state == Import.State.DONE
        assert Database.objects.count() == 1
        assert Record.objects.count() == 60_000

    def test_a_database_connection_that_breaks_leaves_nothing(
        self, as_citra: Client, work: Work
    ) -> None:
        source = confirmed(as_citra, uploaded(as_citra, work, many_rows(60_000)))
        job = threading.Thread(target=run_and_close, args=[source.pk, source.attempt])
        job.start()
        wait_until(lambda: backends("COPY") > 0)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND query LIKE 'COPY databases_record%'"
            )
        job.join(600)
        source.refresh_from_db()
        assert source.state == Import.State.FAILED
        assert nothing_is_left()
        assert "Something went wrong" in as_citra.get(url(source, "progress")).content.decode()
        as_citra.post(url(source, "retry"))
        work()
        assert Record.objects.count() == 60_000
        assert Database.objects.count() == 1


def backends(doing: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND query LIKE %s AND state = 'active'",
            [doing + " databases_record%"],
        )
        return int(cursor.fetchone()[0])


def test_progress_is_seen_while_it_runs(as_citra: Client, work: Work) -> None:
    source = confirmed(as_citra, uploaded(as_citra, work, many_rows(80_000)))
    job = threading.Thread(target=run_and_close, args=[source.pk, source.attempt])
    job.start()
    wait_until(
        lambda: Import.objects.filter(pk=source.pk, rows_done__gt=0).exists() or not job.is_alive()
    )
    seen = Import.objects.get(pk=source.pk)
    job.join(600)
    assert 0 < seen.rows_done <= 80_000
    assert seen.state == Import.State.RUNNING


class TestTimeLeft:
    def test_it_is_said_after_five_seconds(self) -> None:
        source = Import(rows_total=100, rows_done=50, state="running")
        source.started_at = clock.now() - dt.timedelta(seconds=2)
        assert source.seconds_left is None
        source.started_at = clock.now() - dt.timedelta(seconds=10)
        assert source.seconds_left in (9, 10, 11)


def test_a_reading_that_was_overtaken_changes_nothing(as_citra: Client, work: Work) -> None:
    source = uploaded(as_citra, work)
    as_citra.post(url(source, "read-again"), as_shown(source))
    read_file(import_id=source.pk, attempt=source.attempt)
    source.refresh_from_db()
    assert (source.state, source.reading, source.attempt) == (Import.State.READING, {}, 2)
    work()
    source.refresh_from_db()
    assert source.state == Import.State.WAITING


@pytest.mark.parametrize("meanwhile", [{"attempt": 9}, {"cancel_requested": True}])
def test_the_last_look_under_the_lock_decides(
    as_citra: Client, work: Work, monkeypatch: pytest.MonkeyPatch, meanwhile: dict[str, Any]
) -> None:
    """Even a job whose pulse heard nothing must not commit what is no longer its own."""
    source = confirmed(as_citra, uploaded(as_citra, work))
    fill = storing._fill_shelf

    def overtaken(database: Database) -> None:
        fill(database)

        def change() -> None:
            Import.objects.filter(pk=source.pk).update(**meanwhile)
            connection.close()

        other = threading.Thread(target=change)
        other.start()
        other.join(10)

    monkeypatch.setattr(storing, "_fill_shelf", overtaken)
    monkeypatch.setattr("databases.services.pulse.INTERVAL", 60)
    imports.run_import(import_id=source.pk, attempt=source.attempt)
    assert nothing_is_left()
