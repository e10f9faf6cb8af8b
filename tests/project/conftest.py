"""The project's own commands, run as somebody at a terminal runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from django.conf import settings

PRODUCTION = {
    "CRM_MODE": "production",
    "SECRET_KEY": "k7QwZ0pX" * 8,
    "ALLOWED_HOSTS": "crm.invalid",
    "DATABASE_URL": "postgres://crm:a-password@localhost/nowhere",
}
Manage = Callable[..., subprocess.CompletedProcess[str]]


def bare_environment() -> dict[str, str]:
    """Give the environment without what the test run itself has set."""
    ours = ["CRM_MODE", "DATABASE_URL", "TEST_DATABASE", "SECRET_KEY", "ALLOWED_HOSTS", "DEBUG"]
    ours.append("DJANGO_ALLOW_ASYNC_UNSAFE")  # the browser tests set it for their own process
    return {name: value for name, value in os.environ.items() if name not in ours}


@pytest.fixture
def manage(tmp_path: os.PathLike[str]) -> Manage:
    """Give a function that runs manage.py in an environment of its own."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=settings.BASE_DIR,
            env={**bare_environment(), "VAR_DIR": str(tmp_path), **variables},
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run
