"""One job of the worker in a fresh process, with its time and what it and its reader took.

`python -m tests.bench.job inspect FILE`, `… read IMPORT ATTEMPT`, `… store IMPORT ATTEMPT`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.bench import place

MB = 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of a job, and the most memory (MB) that it and its reader held."""

    seconds: float
    memory: float
    reader: float


def run(*words: object) -> Cost:
    """Do a job in a process of its own; raise when it fails."""
    command = [sys.executable, "-m", "tests.bench.job", *map(str, words)]
    done = subprocess.run(command, cwd=place.BASE, stdout=subprocess.PIPE, text=True, check=True)
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


class Reader(threading.Thread):
    """Looks at the processes that this one started: the most that one of them held."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.02):
            for pid in _descendants(os.getpid()):
                self.peak = max(self.peak, _peak(pid))


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in map(int, children.read_text().split()):
                found += [child, *_descendants(child)]
    return found


def _peak(pid: int) -> int:
    """Give the most kilobytes that a process held; the kernel keeps count."""
    with suppress(OSError):
        if found := re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()):
            return int(found[1])
    return 0


def main(what: str, *words: str) -> None:
    """Do the job and print its cost."""
    place.set_up()
    place.use_database()
    from databases.importing.process import Choices, Inspection, read
    from databases.services.imports import run_import
    from databases.services.reading import read_file

    reader = Reader()
    reader.start()
    start = time.perf_counter()
    if what == "inspect":
        found = read(words[0], original_name=Path(words[0]).name, choices=Choices(), whole=False)
        if not any(isinstance(piece, Inspection) for piece in found):
            raise SystemExit("There was nothing to see in the file.")
    else:
        job = {"read": read_file, "store": run_import}[what]
        job(import_id=int(words[0]), attempt=int(words[1]))
    seconds = time.perf_counter() - start
    reader.over.set()
    reader.join()
    cost = {"seconds": seconds, "memory": _peak(os.getpid()) / MB, "reader": reader.peak / MB}
    print(json.dumps(cost))  # noqa: T201 - the answer to `run`


if __name__ == "__main__":
    main(*sys.argv[1:])
