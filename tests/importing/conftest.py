"""What every test of reading files also says: no file costs more than it may."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator

import pytest

from databases.importing import limits


@pytest.fixture(autouse=True)
def _quick_and_small(request: pytest.FixtureRequest) -> Iterator[None]:
    """No file may take longer than a minute, or this process more than a few megabytes."""
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    yield
    if request.node.get_closest_marker("slow"):
        return
    assert time.monotonic() - started < 60
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < limits.MEMORY_WORKBOOK / 1024
