"""What a load balancer and a watchman are told."""

from __future__ import annotations

import json

import pytest
from django.db import OperationalError, connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from crm.shell import health


def heartbeat(seconds_ago: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) "
            "VALUES (now() - make_interval(secs => %s)) RETURNING id",
            [seconds_ago],
        )
        return int(cursor.fetchone()[0])


def waiting_job(seconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, scheduled_at) "
            "VALUES ('short', 'something', now() - make_interval(secs => %s))",
            [seconds],
        )


class TestLivez:
    def test_it_asks_no_database_and_knows_no_session(
        self,
        as_citra: Client,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        with django_assert_num_queries(0):
            response = as_citra.get("/livez")
        assert (response.status_code, response.content) == (200, b"ok")
        assert "Set-Cookie" not in response.headers
        assert "no-store" in response.headers["Cache-Control"]

    @pytest.mark.parametrize("path", ["/livez", "/healthz"])
    def test_it_is_only_read(self, path: str, client: Client, db: None) -> None:
        assert client.post(path).status_code == 405

    @pytest.mark.parametrize("path", ["/livez", "/healthz"])
    def test_a_machine_may_name_us_by_an_address(self, path: str, client: Client, db: None) -> None:
        assert client.get(path, headers={"host": "10.0.0.7:8000"}).status_code != 400


@pytest.mark.django_db
class TestHealthz:
    def test_it_is_well_with_a_worker(self, client: Client) -> None:
        heartbeat(seconds_ago=3)
        response = client.get("/healthz")
        assert response.status_code == 200
        assert response.json()["status"] == "ok"

    def test_without_a_worker_it_is_not(self, client: Client) -> None:
        response = client.get("/healthz")
        assert response.status_code == 503
        assert response.json()["worker"] == "silent"

    def test_a_worker_that_fell_silent_is_none(self, client: Client) -> None:
        heartbeat(seconds_ago=health.WORKER_SILENT_AFTER + 5)
        assert client.get("/healthz").status_code == 503

    def test_a_job_that_waits_too_long_is_told(self, client: Client) -> None:
        heartbeat(seconds_ago=1)
        waiting_job(seconds=30)
        assert client.get("/healthz").status_code == 200
        waiting_job(seconds=health.JOB_WAITS_AT_MOST + 60)
        response = client.get("/healthz")
        assert response.status_code == 503
        assert response.json()["oldest_waiting_job_age"] > health.JOB_WAITS_AT_MOST

    def test_a_missing_migration_is_told(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(health, "_migrated", False)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE app = 'batches'")
            cursor.execute("DELETE FROM django_migrations WHERE app = 'assignments'")
        response = client.get("/healthz")
        assert response.status_code == 503
        assert response.json()["migrations"] == "missing"

    def test_no_database_is_told_without_its_secrets(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse() -> bool:
            raise OperationalError("connection to server at secret.host failed: password p4ss")

        monkeypatch.setattr(health, "migrations_applied", refuse)
        response = client.get("/healthz")
        assert response.status_code == 503
        assert "secret" not in response.content.decode()
        assert json.loads(response.content)["database"] == "unreachable"
