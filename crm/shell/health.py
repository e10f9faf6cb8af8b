"""What a load balancer and a watchman ask: does it live, and is it well?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import Audience, audience

WORKER_SILENT_AFTER = 60  # seconds without a heartbeat
JOB_WAITS_AT_MOST = 900  # seconds; imports wait for each other, so some waiting is no alarm

_migrated = False  # once nothing is missing, nothing will be until the code changes


@dataclass(frozen=True, slots=True)
class Queue:
    """The state of the background work; None where there is nothing to measure."""

    heartbeat_age: int | None
    oldest_job_age: int | None


class HealthMiddleware:
    """Answers both questions before sessions, languages and hosts are looked at.

    Who asks is a machine that names us by an address, and that must not cost a query.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        match request.path_info:
            case "/livez":
                return livez(request)
            case "/healthz":
                return healthz(request)
            case _:
                return self.get_response(request)


@audience(Audience.PUBLIC)
@require_safe
@never_cache
def livez(request: HttpRequest) -> HttpResponse:
    """Say that this process answers; asks nobody else."""
    return HttpResponse("ok", content_type="text/plain")


@audience(Audience.PUBLIC)
@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Say whether all that the service needs is there; 503 where something is not."""
    try:
        migrated = migrations_applied()
        queue = queue_state() if migrated else Queue(None, None)
    except DatabaseError:
        return JsonResponse({"status": "bad", "database": "unreachable"}, status=503)
    age, waiting = queue.heartbeat_age, queue.oldest_job_age
    worker_well = age is not None and age <= WORKER_SILENT_AFTER
    queue_well = waiting is None or waiting <= JOB_WAITS_AT_MOST
    well = migrated and worker_well and queue_well
    answer = {
        "status": "ok" if well else "bad",
        "database": "ok",
        "migrations": "applied" if migrated else "missing",
        "worker": "ok" if worker_well else "silent",
        "worker_heartbeat_age": age,
        "oldest_waiting_job_age": waiting,
    }
    return JsonResponse(answer, status=200 if well else 503)


def migrations_applied() -> bool:
    """Say whether every migration of the code is in the database."""
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    else:
        connection.ensure_connection()
    return _migrated


def queue_state() -> Queue:
    """Ask how long ago a worker was heard of and how long the oldest due job waits."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT
                (SELECT extract(epoch FROM now() - max(last_heartbeat))
                 FROM procrastinate_workers),
                (SELECT extract(epoch FROM now() - min(coalesce(job.scheduled_at, event.at)))
                 FROM procrastinate_jobs job
                 LEFT JOIN LATERAL (
                    SELECT at FROM procrastinate_events
                    WHERE job_id = job.id AND type = 'deferred' ORDER BY id LIMIT 1
                 ) event ON true
                 WHERE job.status = 'todo'
                 AND coalesce(job.scheduled_at, now()) <= now())
            """
        )
        heartbeat, waiting = cursor.fetchone()
    return Queue(*(None if value is None else int(value) for value in (heartbeat, waiting)))
