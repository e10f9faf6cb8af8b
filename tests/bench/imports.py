"""Importing a large list, against COPY of the same records into a table without an index."""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile
from django.db import connection

from accounts.models import User
from databases.models import Import, Product
from databases.services.imports import confirm_import
from databases.services.uploads import receive_file, start_import
from tests.bench import files, job, place
from tests.bench.table import Line, memory, ratio

CHUNK = 1 << 20
SERVER = 200.0  # MB that the importing process stays under, whatever is uploaded
KINDS = {"CSV": (files.csv_file, 8.0, 200.0), "XLSX": (files.xlsx_file, 12.0, 1200.0)}


def measure(kind: str, rows: int, *, product: Product, by: User) -> tuple[Import, list[Line]]:
    """Import a file of `rows` customers and say what it cost."""
    make, bar, reader_bar = KINDS[kind]
    path = make(rows)
    look = job.run("inspect", path)
    start = time.perf_counter()
    source = receive(path, product=product, by=by)
    received = time.perf_counter() - start

    read = job.run("read", source.pk, source.attempt)
    source.refresh_from_db()
    _expect(source, Import.State.WAITING)
    roles = [column["role"] for column in source.reading["columns"]]
    source = confirm_import(import_id=source.pk, attempt=source.attempt, roles=roles, by=by)
    store = job.run("store", source.pk, source.attempt)
    source.refresh_from_db()
    _expect(source, Import.State.DONE)

    limit = raw_copy(source)
    both, raw = read.seconds + store.seconds, f"raw COPY {limit:.2f} s"
    speed = f"{both:.1f} s, {source.stored / both:,.0f} rows/s"
    size = path.stat().st_size / 2**20
    return source, [
        Line(f"{kind} {rows:,} rows: received and stored", f"{received:.2f} s, {size:,.0f} MB"),
        Line(
            f"{kind}: first look", f"{look.seconds:.2f} s", value=look.seconds, bar=2.0,
            bar_text="≤ 2 s",
        ),
        ratio(f"{kind}: read and checked", f"{read.seconds:.1f} s", read.seconds / limit, to=raw),
        ratio(f"{kind}: import job", f"{store.seconds:.1f} s", store.seconds / limit, to=raw),
        ratio(f"{kind}: both together", speed, both / limit, to=raw, bar=bar),
        memory(f"{kind}: reader", max(read.reader, store.reader, look.reader), bar=reader_bar),
        memory(f"{kind}: importing process", max(read.memory, store.memory), bar=SERVER),
    ]  # fmt: skip


def receive(path: Path, *, product: Product, by: User) -> Import:
    """Take a file in as an upload."""
    with path.open("rb") as content:
        upload = UploadedFile(File(content), name=path.name, size=path.stat().st_size)
        return start_import(
            received=receive_file(upload=upload, by=by),
            product=product,
            name=f"{path.stem} {path.suffix}",
            description="",
            token=uuid.uuid4(),
            by=by,
        )


def _expect(source: Import, state: str) -> None:
    if source.state != state:
        raise SystemExit(f"The import of {source.name} is {source.state}: {source.problem}")


def raw_copy(source: Import) -> float:
    """Give the median seconds that COPY takes for the records of an import, ready as bytes."""
    ready = place.folder() / "ready.copy"
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        rows = "SELECT * FROM databases_record WHERE database_id = %s"
        with (
            ready.open("wb") as file,
            cursor.copy(f"COPY ({rows}) TO STDOUT", [source.database_id]) as out,
        ):
            for piece in out:
                file.write(piece)
        taken = [_copy_once(ready) for _ in range(3)]
        cursor.execute("RESET statement_timeout")
    ready.unlink()
    return statistics.median(taken)


def _copy_once(ready: Path) -> float:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_raw (LIKE databases_record)")
        start = time.perf_counter()
        with cursor.copy("COPY bench_raw FROM STDIN") as copy:
            for piece in _pieces(ready):
                copy.write(piece)
        taken = time.perf_counter() - start
        cursor.execute("DROP TABLE bench_raw")
    return taken


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece
