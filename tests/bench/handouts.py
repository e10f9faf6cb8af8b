"""Handing out, against the bare statement that takes the records, for one client and for eight."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable

from django.db import connection, transaction

from accounts.models import User
from assignments.models import Assignment, RecordRequest
from assignments.services import shelf
from assignments.services.requests import approve_request, request_records
from crm.kernel import clock
from databases.models import Database
from tests.bench.table import Line, ratio

CLIENTS = 8
SLOWEST = 60.0  # ms for a thousand records, asked for and approved
OVER_BARE = 2.5
GROWTH = 1.3
Work = Callable[[User], float]


def measure(database: Database, *, admin: User, staff: list[User]) -> list[Line]:
    """Hand records of `database` out, a thousand at a time where it has many."""
    available = shelf.count_eligible(database.pk)
    quantity = 1000 if available >= 50_000 else 100
    # Four measurements share four fifths of the shelf: it must not run dry under the last one.
    rounds = min(100, available * 2 // 5 // quantity)
    alone = max(4, rounds // 5)
    each = max(2, (rounds - alone) // CLIENTS)

    def bare(person: User) -> float:
        now = clock.now()
        request = RecordRequest.objects.create(
            database=database, staff=person, quantity=quantity, granted=quantity,
            status=RecordRequest.Status.APPROVED, created_by=person, decided_by=admin,
            decided_at=now,
        )  # fmt: skip
        start = time.perf_counter()
        with transaction.atomic():
            shelf.take(request=request, count=quantity, state=Assignment.State.ACTIVE)
        return time.perf_counter() - start

    whole = _whole(database, quantity, admin)
    deadlocks = _deadlocks()
    lines = []
    for clients, times in ((1, alone), (CLIENTS, each)):
        limit = _together(bare, staff[:clients], times)
        taken = _together(whole, staff[:clients], times)
        lines += _lines(clients, quantity, limit, taken)
        if clients == 1 and quantity == 1000:
            slowest = _p95(taken) * 1000
            lines.append(
                Line(
                    "hand out 1,000, one client, p95",
                    f"{slowest:.0f} ms",
                    value=slowest,
                    bar=SLOWEST,
                    bar_text=f"≤ {SLOWEST:g} ms",
                )
            )
    doubles = _doubles(database)
    return [
        *lines,
        Line("records in two places, or in none", str(doubles), value=doubles,
             bar=0, bar_text="0"),
        _deadlock_line(_deadlocks() - deadlocks),
    ]  # fmt: skip


def alone(database: Database, *, admin: User, staff: User, times: int = 15) -> float:
    """Give the median seconds in which one client hands a thousand records of `database` out."""
    whole = _whole(database, 1000, admin)
    return statistics.median([whole(staff) for _ in range(times + 2)][2:])


def growth(small: float, large: float, *, of: str) -> Line:
    """Say how much longer the same takes where there are more records."""
    what = f"hand out 1,000, one client, median: {of}"
    return ratio(what, f"{large * 1000:.0f} ms", large / small, to=f"{small * 1000:.0f} ms",
                 bar=GROWTH)  # fmt: skip


def _whole(database: Database, quantity: int, admin: User) -> Work:
    def whole(person: User) -> float:
        start = time.perf_counter()
        request = request_records(database_id=database.pk, quantity=quantity, by=person)
        approve_request(request_id=request.pk, by=admin)
        return time.perf_counter() - start

    return whole


def _lines(clients: int, quantity: int, limit: list[float], taken: list[float]) -> list[Line]:
    who = "one client" if clients == 1 else f"{clients} clients at once"
    lines = []
    for name, figure in (("median", statistics.median), ("p95", _p95)):
        bare, whole = figure(limit), figure(taken)
        lines.append(
            ratio(
                f"hand out {quantity:,}, {who}, {name} of {len(taken)}",
                f"{whole * 1000:.0f} ms",
                whole / bare,
                to=f"bare statement {bare * 1000:.1f} ms",
                bar=OVER_BARE if clients > 1 else None,
            )
        )
    return lines


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20, method="inclusive")[-1]


def _together(work: Work, people: list[User], times: int) -> list[float]:
    """Let each of `people` do the work `times` times, all at once; give how long each took."""
    taken: list[float] = []
    failed: list[BaseException] = []
    begin = threading.Barrier(len(people))

    def client(person: User) -> None:
        try:
            connection.ensure_connection()
            begin.wait(30)
            for _ in range(times):
                taken.append(work(person))
        except BaseException as error:  # noqa: BLE001 - told by the thread that waits for all
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=client, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(600)
    if failed or any(thread.is_alive() for thread in threads):
        raise SystemExit(f"A client could not finish: {failed}")
    return taken


def _doubles(database: Database) -> int:
    """Count the records that are in more than one place, and those that are in none."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(
            """
            SELECT count(*) FROM (
                SELECT r.id FROM databases_record r
                LEFT JOIN databases_pool p ON p.record_id = r.id
                LEFT JOIN assignments_assignment a ON a.record_id = r.id AND a.state <> 'released'
                WHERE r.database_id = %s AND r.attention IS NULL
                GROUP BY r.id HAVING count(p.record_id) + count(a.id) <> 1
            ) wrong
            """,
            [database.pk],
        )
        wrong = int(cursor.fetchone()[0])
        cursor.execute("RESET statement_timeout")
    return wrong


def _deadlocks() -> int:
    time.sleep(1.1)  # the server counts when a connection has been idle for a second
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def _deadlock_line(count: int) -> Line:
    return Line("deadlocks", str(count), value=count, bar=0, bar_text="0")
