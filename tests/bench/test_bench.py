"""The bench runs; what it measures fails no test."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.bench import place
from tests.bench.table import Line, memory, ratio, render


@pytest.mark.slow
def test_the_bench_prints_its_table() -> None:
    command = [sys.executable, "-m", "tests.bench", "--quick"]
    done = subprocess.run(command, cwd=place.BASE, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    for figure in ("CSV: import job", "XLSX: reader", "8 clients at once, p95", "deadlocks", "HOT"):
        assert figure in done.stdout


def test_the_table_says_whether_a_bar_is_held() -> None:
    held, missed = ratio("a", "1 s", 2.0, to="raw", bar=8), memory("b", 300, bar=200)
    table = render("Title", [held, missed, Line("c", "3 s")])
    assert "≤ 8x: held" in table
    assert "< 200 MB: MISSED" in table
    assert table.splitlines()[-1] == "c     3 s" or table.splitlines()[-1].startswith("c ")
