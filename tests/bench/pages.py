"""The pages of a staff with much to do, against an empty page of the app in the same process."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from django.db import connection, transaction
from django.test import Client

from accounts.models import User
from assignments.models import Assignment, RecordRequest
from assignments.services import shelf
from crm.kernel import clock
from databases.models import Database
from tests.bench.table import Line, ratio

BATCHES, EACH = 1000, 200
LARGE = 5000
MARKS = 300
TIMES = 30
OVER_EMPTY = 3.0
ANSWER = 3 * 1024  # bytes of the answer to a mark, compressed
EMPTY = "/more/"


def measure(database: Database, *, admin: User) -> list[Line]:
    """Give one staff a thousand batches and one large one, then open their pages and mark."""
    available = shelf.count_eligible(database.pk)
    large = min(LARGE, available // 4)
    each = min(EACH, max(1, (available - large) // 2 // BATCHES))
    batches = min(BATCHES, (available - large) // 2 // each)
    staff = User.objects.create_user(
        email="pages@example.com", name="Pages", role="staff", password=None
    )
    for _ in range(batches):
        _give(database, each, staff=staff, admin=admin)
    batch = _give(database, large, staff=staff, admin=admin)
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("VACUUM (ANALYZE) assignments_assignment, assignments_batchstat")
        cursor.execute("RESET statement_timeout")
    client = Client(SERVER_NAME="localhost", HTTP_ACCEPT_ENCODING="gzip")
    client.force_login(staff)

    def opening(path: str) -> Callable[[], float]:
        def once() -> float:
            start = time.perf_counter()
            answer = client.get(path)
            taken = time.perf_counter() - start
            if answer.status_code != 200:
                raise SystemExit(f"{path} answers {answer.status_code}")
            return taken

        return once

    pages = {
        f"work screen of a batch of {large:,}": f"/batches/{batch.pk}/",
        f"its end, {large - 50:,} customers down": _end_of(batch),
        f"list of {batches + 1:,} batches with {batches * each + large:,} records": "/batches/",
    }
    # In turns, so that all of them meet the same machine.
    takers = {name: opening(path) for name, path in {"": EMPTY, **pages}.items()}
    taken: dict[str, list[float]] = {name: [] for name in takers}
    for turn in range(TIMES + 3):
        for name, once in takers.items():
            seconds = once()
            if turn >= 3:
                taken[name].append(seconds)
    empty = statistics.median(taken.pop(""))
    lines = [
        ratio(
            name,
            f"{statistics.median(seconds) * 1000:.1f} ms",
            statistics.median(seconds) / empty,
            to=f"empty page {empty * 1000:.1f} ms",
            bar=OVER_EMPTY,
        )
        for name, seconds in taken.items()
    ]
    return lines + _marks(client, batch, empty)


def _give(database: Database, count: int, *, staff: User, admin: User) -> RecordRequest:
    request = RecordRequest.objects.create(
        database=database, staff=staff, quantity=count, granted=count,
        status=RecordRequest.Status.APPROVED, created_by=staff, decided_by=admin,
        decided_at=clock.now(),
    )  # fmt: skip
    with transaction.atomic():
        shelf.take(request=request, count=count, state=Assignment.State.ACTIVE)
    return request


def _end_of(batch: RecordRequest) -> str:
    mine = Assignment.objects.filter(request=batch).order_by("-record_id")
    return f"/batches/{batch.pk}/?start={mine.values_list('record_id', flat=True)[49]}"


def _marks(client: Client, batch: RecordRequest, empty: float) -> list[Line]:
    """Mark customers one after the other, as a staff does all day."""
    customers = list(
        Assignment.objects.filter(request=batch)
        .order_by("record_id")
        .values_list("pk", flat=True)[:MARKS]
    )
    before, sizes, taken = _updates(), [], []
    for number, pk in enumerate(customers):
        reach = ("ada", "ceklis1", "tidak")[number % 3]
        start = time.perf_counter()
        answer = client.post(
            f"/batches/customers/{pk}/reach/", {"reach": reach}, headers={"HX-Request": "true"}
        )
        taken.append(time.perf_counter() - start)
        if answer.status_code != 200:
            raise SystemExit(f"A mark is answered by {answer.status_code}")
        sizes.append(len(answer.content))
    after = _updates()
    updated, hot = after[0] - before[0], after[1] - before[1]
    share = 100 * hot / max(1, updated)
    return [
        ratio("a mark", f"{statistics.median(taken) * 1000:.1f} ms",
              statistics.median(taken) / empty, to=f"empty page {empty * 1000:.1f} ms"),
        Line("the answer to a mark, compressed, the largest", f"{max(sizes):,} bytes",
             value=max(sizes), bar=ANSWER, bar_text="< 3 KB"),
        Line(f"marks written in place (HOT), of {updated:,}", f"{share:.1f}%",
             value=100 - share, bar=5, bar_text="≥ 95%"),
    ]  # fmt: skip


def _updates() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables"
            " WHERE relname = 'assignments_assignment'"
        )
        found = cursor.fetchone()
    return int(found[0]), int(found[1])
