"""The process that does the work in the background, on every queue.

It outlives the database: when connections break it waits and starts over. Jobs that a killed worker
left half done are put back on their queue by whichever worker sees that its heartbeat has stopped,
and so are jobs whose end could not be written because a single connection broke.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import Any, cast

from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection, transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.job_context import JobContext
from procrastinate.worker import Worker

from databases.services.pulse import leave

logger = logging.getLogger(__name__)

CONCURRENCY = 4  # imports go one after another (they share a lock), so short jobs keep their slots
HEARTBEAT = 5.0  # seconds
STALLED_AFTER = 20.0  # a worker without heartbeat for so long is dead
TRIES = 3  # a job that kills its worker every time must not do so for ever
PATIENCE = 5.0  # seconds that running jobs have to end when the worker is told to,
GRACE = 20.0  # and to put back what they have not done: whoever stops a service does not wait long
KEEP_FINISHED_HOURS = 30 * 24


class Hands:
    """What this process works on, to tell it from what only the table says it does."""

    def __init__(self) -> None:
        self.jobs: set[int] = set()
        self.worker_id: int | None = None
        self._suspects: set[int] = set()

    async def hold(
        self, call_next: Callable[[], Awaitable[Any]], context: JobContext, worker: Worker
    ) -> Any:
        """Run a job, and know that it runs."""
        self.worker_id, job = worker.worker_id, cast(int, context.job.id)
        self.jobs.add(job)
        try:
            return await call_next()
        finally:
            self.jobs.discard(job)

    def dropped(self) -> set[int]:
        """Give the jobs that were in the table and not in our hands, now and at the last look.

        Once is no proof: a job is in the table a moment before it begins and after it has ended.
        """
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND worker_id = %s",
                [self.worker_id],
            )
            found = {job for (job,) in cursor.fetchall()} - self.jobs
        dropped, self._suspects = found & self._suspects, found
        return dropped


_hands = Hands()


def run() -> None:
    """Work until SIGTERM or SIGINT."""
    asyncio.run(_work())


async def _work() -> None:
    told_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        told_to_stop.set()
        loop.call_later(PATIENCE, leave)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
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
                worker_middleware=[_hands.hold],
            )


async def _take_care() -> None:
    cleaned = -3600.0
    while True:
        await asyncio.sleep(HEARTBEAT)
        await sync_to_async(_closing(_rescue), thread_sensitive=False)()
        if time.monotonic() - cleaned > 3600:
            await sync_to_async(_closing(forget_jobs), thread_sensitive=False)()
            cleaned = time.monotonic()


def _rescue() -> None:
    rescue_jobs(dropped=_hands.dropped())


def rescue_jobs(*, dropped: Collection[int] = ()) -> int:
    """Put jobs of dead workers back on their queue, or give them up; return how many there were.

    `dropped` are jobs that their living worker no longer works on. The rows are locked, so two
    workers that notice the same death do not start a job twice.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT job.id, job.attempts FROM procrastinate_jobs job
            LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
            WHERE job.status = 'doing' AND (
                worker.id IS NULL
                OR job.id = ANY(%s)
                OR worker.last_heartbeat < now() - make_interval(secs => %s)
            )
            ORDER BY job.id FOR UPDATE OF job SKIP LOCKED
            """,
            [list(dropped), STALLED_AFTER],
        )
        stalled = cursor.fetchall()
        for job, attempts in stalled:
            if attempts + 1 < TRIES:
                cursor.execute(
                    "SELECT procrastinate_retry_job_v2(%s, now(), NULL, NULL, NULL)", [job]
                )
            else:
                cursor.execute("SELECT procrastinate_finish_job_v1(%s, 'failed', false)", [job])
            logger.warning("Job %s was left by its worker (attempt %s).", job, attempts + 1)
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
