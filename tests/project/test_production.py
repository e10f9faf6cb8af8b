"""The one switch: production asks for what it needs, and is closed."""

from __future__ import annotations

import json

import pytest

from tests.project.conftest import PRODUCTION, Manage


@pytest.mark.parametrize("missing", ["SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL"])
def test_it_refuses_to_start_without_and_says_which(missing: str, manage: Manage) -> None:
    done = manage("check", **{k: v for k, v in PRODUCTION.items() if k != missing})
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert missing in last
    assert not [name for name in PRODUCTION if name != missing and name in last]


def test_it_names_all_that_is_missing_at_once(manage: Manage) -> None:
    done = manage("check")  # no mode given: production, never the demo by accident
    assert "SECRET_KEY, ALLOWED_HOSTS, DATABASE_URL" in done.stderr


@pytest.mark.parametrize("command", ["check", "makemigrations", "migrate", "up", "worker"])
def test_every_command_says_it_in_one_line(command: str, manage: Manage) -> None:
    done = manage(command)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "Not started: Production needs SECRET_KEY, ALLOWED_HOSTS, DATABASE_URL in the environment."
    ]


@pytest.mark.parametrize(
    "key", ["short", "an example key, copied from some page, that is long enough"]
)
def test_a_key_that_is_no_secret_is_refused(key: str, manage: Manage) -> None:
    done = manage("check", **{**PRODUCTION, "SECRET_KEY": key})
    assert done.returncode != 0
    assert "SECRET_KEY must be secret" in done.stderr


def test_a_database_over_the_network_needs_a_password(manage: Manage) -> None:
    open_to_all = {**PRODUCTION, "DATABASE_URL": "postgres://crm@db.example.com/crm"}
    done = manage("check", **open_to_all)
    assert done.returncode != 0
    assert "DATABASE_URL must have a password" in done.stderr
    by_socket = {**PRODUCTION, "DATABASE_URL": "postgres://crm@%2Frun%2Fpostgresql/crm"}
    assert manage("check", **by_socket).returncode == 0


def test_debug_is_refused(manage: Manage) -> None:
    done = manage("check", **PRODUCTION, DEBUG="true")
    assert "DEBUG must be off in production" in done.stderr


def test_an_unknown_mode_is_refused(manage: Manage) -> None:
    assert "CRM_MODE must be" in manage("check", CRM_MODE="staging").stderr


def test_demo_accounts_are_impossible(manage: Manage) -> None:
    done = manage("demo", **PRODUCTION)
    assert done.returncode != 0
    assert "CommandError" in done.stderr
    assert "production" in done.stderr


def test_the_deployment_check_has_nothing_to_say(manage: Manage) -> None:
    done = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert done.returncode == 0, done.stderr


def test_cookies_and_transport_are_closed(manage: Manage) -> None:
    names = [
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "LANGUAGE_COOKIE_SECURE",
        "SESSION_COOKIE_HTTPONLY",
        "SECURE_SSL_REDIRECT",
        "SECURE_HSTS_INCLUDE_SUBDOMAINS",
    ]
    code = (
        "import json; from django.conf import settings as s; "
        f"print(json.dumps([getattr(s, n) for n in {names}]"
        " + [s.SESSION_COOKIE_NAME, s.SECURE_HSTS_SECONDS, s.DEBUG, s.SECURE_PROXY_SSL_HEADER]))"
    )
    done = manage("shell", "--no-imports", "-c", code, **PRODUCTION)
    *closed, name, hsts, debug, proxy = json.loads(done.stdout)
    assert all(closed)
    assert name.startswith("__Host-")
    assert hsts >= 365 * 24 * 3600
    assert debug is False
    assert proxy is None  # a header is believed only where a proxy of ours writes it
    done = manage("shell", "--no-imports", "-c", code, **PRODUCTION, TRUSTED_PROXIES="1")
    assert json.loads(done.stdout)[-1] == ["HTTP_X_FORWARDED_PROTO", "https"]
