"""Disks that are full or cannot be written: a sentence, no orphan, and later it works."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from databases.models import Database, DatabaseStat, Import, Pool, ReceivedFile, Record, SkippedRow
from databases.services import uploads
from tests import factories
from tests.databases.faulty_storage import Disk, small_limit
from tests.databases.helpers import HEADER, csv_file, form

pytestmark = pytest.mark.django_db
UPLOAD = "/manage/databases/upload/"
S = Import.State
Work = Callable[[], None]


def rows(number: int) -> bytes:
    lines = (f"user{n};Nama {n};0812{n:08};Kota;{n:010}\n" for n in range(number))
    return (f"{HEADER}\n" + "".join(lines)).encode()


BIG = rows(40_000)  # 1.9 MB


@pytest.fixture
def arriving(settings: Any, tmp_path: Path) -> Path:
    """Give the folder where uploads arrive."""
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "arriving"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()
    return settings.FILE_UPLOAD_TEMP_DIR


@pytest.fixture
def disk() -> Iterator[Callable[[Path, str], Disk]]:
    """Give a function that puts a small file system into a folder."""
    made: list[Disk] = []

    def make(folder: Path, size: str) -> Disk:
        made.append(Disk(folder, size))
        return made[-1]

    yield make
    for one in made:
        one.remove()


def nothing_came(files: Callable[[], list[str]], arriving: Path) -> bool:
    rows_left = Import.objects.exists() or ReceivedFile.objects.exists()
    return not rows_left and files() == [] and list(arriving.iterdir()) == []


def refused(client: Client, content: bytes = BIG) -> None:
    answer = client.post(
        UPLOAD, form(factories.make_product(), name="Penuh", file=csv_file(content=content))
    )
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "could not save the file: its disk is full or cannot be written" in page
    assert 'value="Penuh"' in page  # what was typed stays


def works(client: Client, content: bytes = BIG) -> None:
    sent = form(factories.make_product(), file=csv_file(content=content))
    assert client.post(UPLOAD, sent).status_code == 302
    assert Import.objects.get().state == S.READING


class TestUploading:
    def test_a_quota_while_it_arrives(
        self, as_citra: Client, files: Callable[[], list[str]], arriving: Path
    ) -> None:
        with small_limit(1_000_000):
            refused(as_citra)
        assert nothing_came(files, arriving)
        works(as_citra)

    def test_a_quota_while_it_is_stored(
        self, citra: Any, files: Callable[[], list[str]], arriving: Path
    ) -> None:
        file = SimpleUploadedFile("a.csv", BIG)
        with small_limit(1_000_000), pytest.raises(uploads.CannotStore):
            uploads.receive_file(upload=file, by=citra)
        assert nothing_came(files, arriving)
        uploads.receive_file(upload=file, by=citra)
        assert len(files()) == 1

    @pytest.mark.parametrize("full", ["media", "arriving"])
    def test_a_full_disk(
        self,
        full: str,
        as_citra: Client,
        files: Callable[[], list[str]],
        media: Path,
        arriving: Path,
        disk: Callable[[Path, str], Disk],
    ) -> None:
        small = disk(media if full == "media" else arriving, "1m")
        refused(as_citra)
        assert nothing_came(files, arriving)
        small.grow("16m")
        works(as_citra)

    @pytest.mark.parametrize("locked", ["media", "arriving"])
    def test_a_disk_that_is_read_only(
        self,
        locked: str,
        as_citra: Client,
        files: Callable[[], list[str]],
        media: Path,
        arriving: Path,
        disk: Callable[[Path, str], Disk],
    ) -> None:
        closed = disk(media if locked == "media" else arriving, "16m")
        closed.lock()
        refused(as_citra)
        assert nothing_came(files, arriving)
        closed.unlock()
        works(as_citra)

    def test_a_folder_that_is_closed(
        self,
        as_citra: Client,
        files: Callable[[], list[str]],
        media: Path,
        arriving: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """As a folder of mode 0555 answers whoever is not root, whom no mode keeps out."""
        import os

        make = os.open

        def closed(path: Any, flags: int, *more: Any, **named: Any) -> int:
            if str(path).startswith(str(media)) and flags & os.O_CREAT:
                raise PermissionError(errno.EACCES, "Permission denied")
            return make(path, flags, *more, **named)

        monkeypatch.setattr(os, "open", closed)
        refused(as_citra)
        assert nothing_came(files, arriving)
        monkeypatch.undo()


@pytest.mark.django_db(transaction=True)
class TestReading:
    """The rows that are kept for the import are no reason to refuse a file."""

    def read(self, client: Client, work: Work) -> Import:
        work()
        source = Import.objects.get()
        assert source.state == S.WAITING, (source.state, source.problem)
        assert client.get(f"/manage/databases/imports/{source.pk}/check/").status_code == 200
        return source

    def imported(self, client: Client, work: Work, source: Import) -> None:
        roles = {f"role{i}": c["role"] for i, c in enumerate(source.reading["columns"])}
        sent = {"encoding": "utf-8", "delimiter": ";", "header_row": "1"} | roles
        assert client.post(f"/manage/databases/imports/{source.pk}/confirm/", sent).status_code in (
            302,
            200,
        )
        work()
        source.refresh_from_db()
        assert source.state == S.DONE, (source.state, source.problem)
        assert Record.objects.count() == 40_000

    def test_a_quota(self, as_citra: Client, work: Work, files: Callable[[], list[str]]) -> None:
        works(as_citra)
        with small_limit(1_000_000):
            source = self.read(as_citra, work)
            assert files() == [source.file.name]
            self.imported(as_citra, work, source)

    @pytest.mark.parametrize("fault", ["full", "read-only"])
    def test_a_disk(
        self,
        fault: str,
        as_citra: Client,
        work: Work,
        files: Callable[[], list[str]],
        media: Path,
        disk: Callable[[Path, str], Disk],
    ) -> None:
        small = disk(media, "3m")
        works(as_citra)
        if fault == "read-only":
            small.lock()
        source = self.read(as_citra, work)
        assert files() == [source.file.name]
        self.imported(as_citra, work, source)


@contextmanager
def full_database(table: str, column: str, past: int) -> Iterator[None]:
    """Let PostgreSQL say that its disk is full when a table gets a row past a number."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF NEW.{column} % 40000 > {past} THEN RAISE EXCEPTION 'could not extend file: No"
            " space left on device' USING ERRCODE = 'disk_full'; END IF; RETURN NEW; END $$"
        )
        cursor.execute(
            f"CREATE TRIGGER no_room BEFORE INSERT ON {table} FOR EACH ROW"
            " EXECUTE FUNCTION no_room()"
        )
    try:
        yield
    finally:
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION no_room CASCADE")


@pytest.mark.django_db(transaction=True)
class TestImporting:
    @pytest.mark.parametrize(
        ("table", "column"), [("databases_record", "row_number"), ("databases_pool", "record_id")]
    )
    def test_a_full_disk_of_the_database(
        self, table: str, column: str, as_citra: Client, work: Work, files: Any
    ) -> None:
        works(as_citra)
        work()
        source = Import.objects.get()
        roles = {f"role{i}": c["role"] for i, c in enumerate(source.reading["columns"])}
        as_citra.post(
            f"/manage/databases/imports/{source.pk}/confirm/",
            {"encoding": "utf-8", "delimiter": ";", "header_row": "1"} | roles,
        )
        with full_database(table, column, 20_000):
            work()
        source.refresh_from_db()
        assert (source.state, source.problem) == (S.FAILED, "disk_full")
        for model in (Record, Pool, SkippedRow, Database, DatabaseStat):
            assert not model._default_manager.exists(), model
        page = as_citra.get(f"/manage/databases/imports/{source.pk}/progress/").content.decode()
        assert "The disk of the database is full. Nothing was imported." in page
        assert "Try again" in page
        before = files()
        assert as_citra.post(f"/manage/databases/imports/{source.pk}/retry/").status_code == 302
        work()
        source.refresh_from_db()
        assert source.state == S.DONE
        assert Record.objects.count() == Pool.objects.count() == 40_000
        assert Database.objects.count() == 1
        assert set(files()) <= set(before)
