"""Thousands of broken files: whatever is in one, there is an answer, soon, and nothing else dies.

    FUZZ_SEED=7 FUZZ_ONLY=412 pytest -m slow -s tests/importing/test_fuzz.py

makes one case again; FUZZ_CASES says how many to make.
"""

from __future__ import annotations

import collections
import os
import resource
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from databases.importing import limits
from databases.importing.problems import SENTENCES
from databases.importing.process import (
    Choices,
    FileProblem,
    Inspection,
    Records,
    Skipped,
    Tally,
    load,
    read,
    sentence,
)
from tests.importing.makers import SAMPLES
from tests.importing.mutations import KINDS, mutate
from tests.importing.reading import confirmed
from tests.project.site import MEGABYTE, Form, Site, Watch
from tests.project.test_up import Running, port, up, var_dir

__all__ = ["port", "up", "var_dir"]

pytestmark = pytest.mark.slow

SEED = os.environ.get("FUZZ_SEED", "2026")
CASES = int(os.environ.get("FUZZ_CASES", "1200"))
ONLY = os.environ.get("FUZZ_ONLY")
THROUGH_HTTP = max(1, CASES // 6)
SLOWEST = 150.0  # seconds: no file is given more
FILES = sorted(path for path in SAMPLES.iterdir() if path.suffix[1:] in KINDS)
# What a broken file may be told; the others would mean that something of ours broke.
ALLOWED = set(SENTENCES) - {"unreadable", "interrupted", "changed"}


def say(text: str) -> None:
    """Tell whoever reads the run (with -s) what was found and how to make it again."""
    print(text, flush=True)  # noqa: T201


def make(number: int) -> tuple[str, str, bytes]:
    """Give (name, what was done to it, content) of a case."""
    sample = FILES[number % len(FILES)]
    how, content = mutate(sample.name, sample.read_bytes(), Random(f"{SEED}:{number}"))
    return sample.name, how, content


def test_the_same_seed_makes_the_same_files() -> None:
    numbers = range(len(FILES) * 3)
    assert [make(number) for number in numbers] == [make(number) for number in numbers]
    assert {Path(make(number)[0]).suffix for number in numbers} == {f".{kind}" for kind in KINDS}


def test_the_reader_answers_to_every_mutation(tmp_path: Path) -> None:
    say(f"\nFUZZ_SEED={SEED} FUZZ_CASES={CASES}")
    outcomes: collections.Counter[str] = collections.Counter()
    wrong, slowest = [], 0.0
    for number in [int(ONLY)] if ONLY else range(THROUGH_HTTP, CASES):
        name, how, content = make(number)
        path = tmp_path / name
        path.write_bytes(content)
        started = time.monotonic()
        outcome = outcome_of(path, name, twice=number % 3 == 0)
        took = time.monotonic() - started
        slowest = max(slowest, took)
        outcomes[outcome] += 1
        if (outcome != "read" and outcome not in ALLOWED) or took > SLOWEST:
            wrong.append(f"FUZZ_ONLY={number} ({name}, {how}): {outcome} after {took:.1f} s")
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    say(f"{dict(outcomes.most_common())}, slowest {slowest:.1f} s, most memory {most} MB")
    assert wrong == []
    assert most * MEGABYTE < limits.MEMORY_WORKBOOK


def outcome_of(path: Path, name: str, *, twice: bool) -> str:
    """Read a file as the check does and, if `twice`, as the import does; say how that ended."""
    try:
        found = list(read(path, original_name=name, choices=Choices()))
    except FileProblem as problem:
        said = sentence(problem.code, problem.detail)
        return problem.code if said and said != sentence("unreadable") else f"mute {problem}"
    first, tally = found[0], found[-1]
    if not isinstance(first, Inspection) or not isinstance(tally, Tally):
        return "no tally"
    if tally.total != tally.ready + tally.needs_attention + tally.duplicates + tally.blank:
        return "does not add up"
    if not twice:
        return "read"
    records = skipped = 0
    again: Tally | None = None
    choices = confirmed(first)
    with load(path, original_name=name, choices=choices, database_id=7, import_id=3) as frames:
        for frame in frames:
            if isinstance(frame, Records):
                records += frame.payload.count(b"\n")
            elif isinstance(frame, Skipped):
                skipped += frame.payload.count(b"\n")
            elif isinstance(frame, Tally):
                again = frame
    if again != tally or records != tally.ready + tally.needs_attention:
        return "the import gives something else than the check"
    return "read" if skipped <= tally.duplicates + tally.blank else "too many skipped"


def test_the_service_answers_to_every_mutation(up: Running) -> None:
    up.wait_until_ready()
    site = Site(up)
    before = set(up.processes())
    started = time.monotonic()
    statuses: collections.Counter[int] = collections.Counter()
    with Watch(up) as watch, ThreadPoolExecutor(4) as pool:
        for seen in pool.map(lambda number: _one(site, number), range(THROUGH_HTTP)):
            statuses.update(seen)
    found = site.beside("look")
    states = collections.Counter((state, problem) for _, state, problem in found["imports"])
    say(
        f"\nFUZZ_SEED={SEED}: {THROUGH_HTTP} uploads in {time.monotonic() - started:.0f} s, "
        f"{dict(statuses)}\n{dict(states)}\n/livez p95 {watch.wait(95):.3f} s, "
        f"slowest {watch.wait(100):.3f} s of {len(watch.waits)}; "
        f"memory { ({kind: most // MEGABYTE for kind, most in watch.most.items()}) } MB"
    )
    assert max(statuses) < 500, statuses
    assert {state for state, _ in states} <= {"done", "refused"}, states
    assert {problem for state, problem in states if state == "refused"} <= ALLOWED
    assert found["wrong"] == []
    assert found["failed_jobs"] == 0
    assert found["arriving"] == []
    assert len(found["files"]) == sum(n for (state, _), n in states.items() if state == "done")
    assert watch.failures == []
    assert watch.wait(100) < 1.0
    assert watch.most["web"] < 200 * MEGABYTE
    assert watch.most["worker"] < 200 * MEGABYTE
    assert watch.most["reader"] < limits.MEMORY_WORKBOOK
    ours = {pid for pid, command in up.processes().items() if "manage.py" in command}
    ours |= {pid for pid, command in up.processes().items() if "gunicorn" in command}
    assert ours <= before  # nobody died and was started again
    assert up.process.poll() is None
    assert "Traceback" not in "\n".join(up.said)


def _one(site: Site, number: int) -> list[int]:
    """Upload a case, check it, import it, read its report; give every status that was answered."""
    name, _, content = make(number)
    status, check, page = site.upload(name, content)
    statuses = [status]
    if not check:
        assert 'role="alert"' in page
        return statuses
    where, page = _settled(site, check, statuses)
    form = Form(page, "check-form")
    if not form.fields:
        assert 'role="alert"' in page, (number, page)
        return statuses
    status, where, _ = site.post(check.replace("/check/", "/confirm/"), form.fields)
    statuses.append(status)
    where, page = _settled(site, where, statuses)
    assert where.endswith("/report/"), (number, where)
    statuses.append(site.get(where.replace("/report/", "/not-ready.csv"))[0])
    return statuses


def _settled(site: Site, where: str, statuses: list[int]) -> tuple[str, str]:
    """Follow an import until nothing more happens by itself."""
    end = time.monotonic() + SLOWEST * 2
    while time.monotonic() < end:
        status, leads, page = site.get(where)
        statuses.append(status)
        if status >= 500:
            break
        if leads:
            where = leads
        elif 'data-hx-trigger="every 1s"' not in page:
            return where, page
        else:
            time.sleep(0.3)
    raise AssertionError(f"{where} never settled: {status}")
