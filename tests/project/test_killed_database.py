"""PostgreSQL killed in the middle of an import: nothing is left, and it can be tried again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.project.killed_database import ROWS
from tests.project.test_up import Running, port, up, var_dir

__all__ = ["port", "up", "var_dir"]


@pytest.mark.slow
def test_a_killed_database_leaves_no_row_and_the_import_can_be_tried_again(
    up: Running, var_dir: Path
) -> None:
    up.wait_until_ready()
    played = subprocess.run(
        [sys.executable, "-m", "tests.project.killed_database"],
        cwd=settings.BASE_DIR,
        env=Running.environment(var_dir, up.port),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert played.returncode == 0, played.stderr + "\n".join(up.said)
    outcome = json.loads(played.stdout.splitlines()[-1])
    assert outcome["read"], outcome
    assert outcome["running"], outcome
    assert outcome["left"] == [0, 0, 0], outcome
    assert outcome["said"], outcome
    assert outcome["done"], outcome
    assert (outcome["records"], outcome["shelf"], outcome["databases"]) == (ROWS, ROWS, 1)
