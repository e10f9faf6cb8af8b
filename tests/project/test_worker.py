"""Jobs that a dead worker left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from django.conf import settings
from django.db import connection

from crm.shell import worker
from tests.project.test_health import heartbeat


def job(*, worker_id: int | None, attempts: int = 0, status: str = "doing") -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status, attempts, worker_id) "
            "VALUES ('short', 'something', %s, %s, %s) RETURNING id",
            [status, attempts, worker_id],
        )
        return int(cursor.fetchone()[0])


def state(job_id: int) -> tuple[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT status, attempts FROM procrastinate_jobs WHERE id = %s", [job_id])
        status, attempts = cursor.fetchone()
    return status, attempts


@pytest.mark.django_db
class TestRescue:
    def test_a_job_of_a_dead_worker_goes_back_on_its_queue(self) -> None:
        left = job(worker_id=heartbeat(seconds_ago=int(worker.STALLED_AFTER) + 5))
        orphan = job(worker_id=None)
        assert worker.rescue_jobs() == 2
        assert state(left) == ("todo", 1)
        assert state(orphan) == ("todo", 1)

    def test_a_job_of_a_living_worker_is_left_alone(self) -> None:
        busy = job(worker_id=heartbeat(seconds_ago=2))
        assert worker.rescue_jobs() == 0
        assert state(busy) == ("doing", 0)

    def test_a_job_that_a_living_worker_has_dropped_goes_back_on_its_queue(self) -> None:
        """Its end could not be written: without this its lock would be held for ever."""
        hands = worker.Hands()
        hands.worker_id = heartbeat(seconds_ago=2)
        held, dropped = job(worker_id=hands.worker_id), job(worker_id=hands.worker_id)
        hands.jobs.add(held)
        assert hands.dropped() == set()  # it may be about to begin, or just over
        assert hands.dropped() == {dropped}
        assert worker.rescue_jobs(dropped={dropped}) == 1
        assert state(held) == ("doing", 0)
        assert state(dropped) == ("todo", 1)
        assert hands.dropped() == set()

    def test_a_job_that_kills_every_worker_is_given_up(self) -> None:
        deadly = job(worker_id=None, attempts=worker.TRIES - 1)
        worker.rescue_jobs()
        assert state(deadly)[0] == "failed"

    def test_jobs_that_ended_long_ago_are_forgotten(self) -> None:
        old, new = job(worker_id=None, status="todo"), job(worker_id=None, status="todo")
        with connection.cursor() as cursor:
            cursor.execute("UPDATE procrastinate_jobs SET status = 'failed'")
            cursor.execute(
                "UPDATE procrastinate_events SET at = now() - interval '40 days' WHERE job_id = %s",
                [old],
            )
            worker.forget_jobs()
            cursor.execute("SELECT id FROM procrastinate_jobs")
            assert cursor.fetchall() == [(new,)]


@pytest.mark.django_db(transaction=True)
def test_two_rescuers_at_once_start_a_job_once() -> None:
    job(worker_id=None)
    start, rescued = threading.Barrier(2), []

    def rescue() -> None:
        start.wait()
        try:
            rescued.append(worker.rescue_jobs())
        finally:
            connection.close()

    threads = [threading.Thread(target=rescue) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(rescued) == [0, 1]


@pytest.mark.django_db(transaction=True)
def test_it_outlives_its_connections_and_ends_when_told() -> None:
    name = connection.settings_dict["NAME"]
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER_ON_THE_TEST_DATABASE, name],
        cwd=settings.BASE_DIR,
        env=os.environ,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _wait_for_heartbeat("-infinity")
        with connection.cursor() as cursor:
            cursor.execute("SELECT now()::text")
            moment: str = cursor.fetchone()[0]
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = %s AND pid <> pg_backend_pid()",
                [name],
            )
        _wait_for_heartbeat(moment)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 0, said
        assert _heartbeats_after(moment) == 0  # it said goodbye
    finally:
        process.kill()
        process.communicate()


WORKER_ON_THE_TEST_DATABASE = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "crm.settings"
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
import django
django.setup()
from crm.shell import worker
worker.run()
"""


def _heartbeats_after(moment: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > %s::timestamptz",
            [moment],
        )
        return int(cursor.fetchone()[0])


def _wait_for_heartbeat(moment: str) -> None:
    end = time.monotonic() + 40
    while not _heartbeats_after(moment):
        assert time.monotonic() < end, "no worker came"
        time.sleep(0.1)
