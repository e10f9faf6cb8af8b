"""The process that does the work in the background, on every queue.

It outlives the database: when connections break it waits and starts over. Jobs that a killed worker
left half done are put back on their queue by whichever worker sees that its heartbeat has stopped.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import cast

from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection, transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import ConnectorException

logger = logging.getLogger(__name__)

CONCURRENCY = 4  # imports go one after another (they share a lock), so short jobs keep their slots
HEARTBEAT = 5.0  # seconds
STALLED_AFTER = 20.0  # a worker without heartbeat for so long is dead
TRIES = 3  # a job that kills its worker every time must not do so for ever
GRACE = 20.0  # seconds that running jobs have to end when the worker is told to
KEEP_FINISHED_HOURS = 30 * 24


def run() -> None:
    """Work until SIGTERM or SIGINT."""
    asyncio.run(_work())


async def _work() -> None:
    told_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_stop.set)
    stop = asyncio.create_task(told_to_stop.wait())
    while not told_to_stop.is_set():
        work = asyncio.create_task(_work_once())
        care = asyncio.create_task(_take_care())
        await asyncio.wait({work, care, stop}, return_when=asyncio.FIRST_COMPLETED)
        for task in (work, care):
            task.cancel()  # the worker takes this as: finish what runs, fetch nothing new
        for outcome in await asyncio.gather(work, care, return_exceptions=True):
            if isinstance(outcome, ConnectorException | DatabaseError):
                logger.warning("The database went away; trying again: %s", outcome)
            elif isinstance(outcome, Exception):
                raise outcome
        if not told_to_stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(told_to_stop.wait(), timeout=2)
    stop.cancel()


async def _work_once() -> None:
    # Django's own connection first: it starts the embedded server where there is one.
    await sync_to_async(_connect, thread_sensitive=False)()
    connector = cast(DjangoConnector, app.connector)
    with app.replace_connector(connector.get_worker_connector()):
        async with app.open_async():
            await app.run_worker_async(
                concurrency=CONCURRENCY,
                install_signal_handlers=False,
                shutdown_graceful_timeout=GRACE,
                update_heartbeat_interval=HEARTBEAT,
                stalled_worker_timeout=STALLED_AFTER,
            )


async def _take_care() -> None:
    cleaned = -3600.0
    while True:
        await asyncio.sleep(HEARTBEAT)
        await sync_to_async(_closing(rescue_jobs), thread_sensitive=False)()
        if time.monotonic() - cleaned > 3600:
            await sync_to_async(_closing(forget_jobs), thread_sensitive=False)()
            cleaned = time.monotonic()


def rescue_jobs() -> int:
    """Put jobs of dead workers back on their queue, or give them up; return how many there were.

    The rows are locked, so two workers that notice the same death do not start a job twice.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT job.id, job.attempts FROM procrastinate_jobs job
            LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
            WHERE job.status = 'doing' AND (
                worker.id IS NULL
                OR worker.last_heartbeat < now() - make_interval(secs => %s)
            )
            ORDER BY job.id FOR UPDATE OF job SKIP LOCKED
            """,
            [STALLED_AFTER],
        )
        stalled = cursor.fetchall()
        for job, attempts in stalled:
            if attempts + 1 < TRIES:
                cursor.execute(
                    "SELECT procrastinate_retry_job_v2(%s, now(), NULL, NULL, NULL)", [job]
                )
            else:
                cursor.execute("SELECT procrastinate_finish_job_v1(%s, 'failed', false)", [job])
            logger.warning("Job %s was left by a dead worker (attempt %s).", job, attempts + 1)
    return len(stalled)


def forget_jobs() -> None:
    """Delete jobs that ended long ago: what they did stands in our own tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM procrastinate_jobs job
            WHERE job.status IN ('succeeded', 'failed', 'cancelled', 'aborted')
            AND NOT EXISTS (
                SELECT FROM procrastinate_events event
                WHERE event.job_id = job.id AND event.at > now() - make_interval(hours => %s)
            )
            """,
            [KEEP_FINISHED_HOURS],
        )


def _connect() -> None:
    try:
        connection.ensure_connection()
    finally:
        connection.close()


def _closing(work: Callable[[], object]) -> Callable[[], None]:
    """Close the thread's connection after the work: the thread is one of a pool."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    return run
