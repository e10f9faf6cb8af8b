"""kill -9 of worker, reader and PostgreSQL at every moment of an import of 150,000 rows.

Each time: nothing or all of it is there, the page says what to do, and trying again gives it whole.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from crm.postgres import server
from crm.postgres.place import find_place
from tests.project.killing import MOMENTS, READER_MOMENTS
from tests.project.killing_stage import FULL
from tests.project.test_up import Running, port, up, var_dir

__all__ = ["port", "up", "var_dir"]

NOTHING = [0, 0, 0, 0, 0]
EARLY = ("reading", "queued")  # nothing is stored yet, so a job that is found again goes on


def play(victim: str, up: Running, var_dir: Path) -> list[dict[str, Any]]:
    """Give the outcome at every moment, and print them as a table."""
    up.wait_until_ready()
    played = subprocess.run(
        [sys.executable, "-m", "tests.project.killing", victim],
        cwd=settings.BASE_DIR,
        env=Running.environment(var_dir, up.port),
        capture_output=True,
        text=True,
        timeout=1200,
    )
    outcomes = [json.loads(line) for line in played.stdout.splitlines() if line.startswith("{")]
    for row in outcomes:
        print(  # noqa: T201 - the table of moments, for whoever reads the run
            f"{row['victim']:<10} {row['moment']:<13} {'hit ' if row['hit'] else 'late'}"
            f" left {row['left']} page back {row['back']} s -> {row['state']}"
            f" ({row['told']} s) -> {row['done']} [{row['seconds']} s] {row['wrong'] or ''}"
        )
    assert played.returncode == 0, played.stderr[-4000:] + "\n".join(up.said[-60:])
    return outcomes


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["worker", "postgres", "immediate"])
def test_a_kill_at_any_moment_leaves_nothing_or_all_and_can_be_tried_again(
    victim: str, up: Running, var_dir: Path
) -> None:
    outcomes = play(victim, up, var_dir)
    assert [row["moment"] for row in outcomes] == MOMENTS
    # A machine under load may pass a short moment unseen; most must have been struck.
    assert sum(row["hit"] for row in outcomes) >= len(MOMENTS) - 2, outcomes
    for row in outcomes:
        assert row["wrong"] == [], row
        assert row["left"] in (NOTHING, FULL), row
        assert row["says"], row
        assert row["done"] == "done", row
        if row["hit"] and row["moment"] not in ("end", "committed"):
            assert row["left"] == NOTHING, row
        # The web server is there all the time, and answers as it should within seconds.
        assert 0 not in row["pages"], row
        assert row["pages"][-1] in (200, 302), row


@pytest.mark.slow
def test_a_killed_reader_is_told_at_once_and_the_file_can_be_read_again(
    up: Running, var_dir: Path
) -> None:
    outcomes = play("reader", up, var_dir)
    assert [row["moment"] for row in outcomes] == [*READER_MOMENTS, "importing"]
    assert sum(row["hit"] for row in outcomes) >= len(READER_MOMENTS) - 2, outcomes
    for row in outcomes:
        assert row["wrong"] == [], row
        assert row["says"] or not row["hit"], row
    for row in outcomes[:-1]:
        assert row["left"] == NOTHING, row
        assert row["state"] == ("failed" if row["hit"] else "waiting"), row
    assert outcomes[-1]["done"] == "done", outcomes[-1]


@pytest.mark.slow
def test_a_file_that_is_sent_while_postgresql_is_away_leaves_nothing(
    up: Running, var_dir: Path
) -> None:
    outcomes = play("down", up, var_dir)
    assert [row["moment"] for row in outcomes] == ["before", "at the row"]
    for row in outcomes:
        assert row["hit"], row
        assert row["says"], row
        assert row["wrong"] == [], row
        assert row["done"] == "waiting", row


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """Give a file system that is everything the CRM has; its size can be changed."""
    folder = Path(tempfile.mkdtemp(prefix="crm-full-"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=2g,mode=755", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        folder.rmdir()
        pytest.skip("only root may mount a file system here; tests/databases fakes the full disk")
    yield folder
    place = find_place(folder)
    server.stop(place)
    shutil.rmtree(place.home, ignore_errors=True)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.rmdir()


@pytest.mark.slow
def test_a_disk_that_fills_up_during_an_import_loses_nothing(small_disk: Path, port: int) -> None:
    up = Running(small_disk, port)
    try:
        [row] = play("full", up, small_disk)
    finally:
        up.process.terminate()
        up.end()
    assert row["hit"], row
    assert row["left"] == NOTHING, row
    assert row["state"] in ("failed", "interrupted"), row
    assert row["says"], row
    assert row["wrong"] == [], row
    assert row["done"] == "done", row
