"""A program: kill one part of the running CRM at every moment of an import, and look what is left.

Run beside a running `manage.py up`, in its environment. The victim is named on the command line:
worker, reader, postgres (kill -9) or immediate (as `pg_ctl stop -m immediate` ends PostgreSQL);
down and full are failures of what surrounds it (`failing_stage`).
Prints one line of JSON for each moment. Moments are found by what PostgreSQL and the import say of
themselves, never by the time that has passed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import django

ROWS = 150_000
DUPLICATES, UNUSABLE, BLANKS = 50, 100, 25  # of each that many rows
COPY_MOMENTS = {f"copy {percent} %": percent for percent in (10, 30, 50, 70, 90)}
MOMENTS = ["reading", "queued", "start", *COPY_MOMENTS, "shelf", "end", "committed"]
READER_MOMENTS = {
    f"reading {percent} %": percent for percent in (0, 10, 20, 30, 40, 50, 60, 70, 80, 90)
}
WAITED_OUT = "copy 50 %"  # here the heartbeat's limit passes; elsewhere its clock is moved


@dataclass
class Outcome:
    """What one kill did."""

    victim: str
    moment: str
    hit: bool = False
    left: list[int] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)
    back: float = 0.0
    state: str = ""
    told: float = 0.0
    says: bool = False
    done: str = ""
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


def content() -> bytes:
    """Give a file with every outcome in it."""
    lines = []
    for number in range(ROWS - DUPLICATES - UNUSABLE - BLANKS):
        lines.append(f"user{number},Pelanggan {number},0812{number:08},{'catatan ' * 8}{number}\n")
    lines += [lines[number * 100] for number in range(DUPLICATES)]
    lines += [f"tanpa{number},Tanpa Nomor,,\n" for number in range(UNUSABLE)]
    lines[1:1] = [",,,\n"] * BLANKS
    return ("Username,Nama,No HP,Catatan\n" + "".join(lines)).encode()


def main() -> None:
    """Play every moment for the victim that was named."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "crm.settings"
    django.setup()
    from tests.project.failing_stage import FailingStage, play_down, play_full
    from tests.project.killing_stage import play_reader, play_writers

    victim = sys.argv[1]
    plays: dict[str, Any] = {"reader": play_reader, "down": play_down, "full": play_full}
    play = plays.get(victim, play_writers)
    for outcome in play(FailingStage(victim), sys.argv[2:] or None):
        print(json.dumps(asdict(outcome)), flush=True)  # noqa: T201 - read by the test


def wait_for(what: Callable[[], Any], seconds: float, *, every: float = 0.1) -> bool:
    """Say whether it came true in time."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(every)
    return True


def parent_of(pid: int) -> int:
    stat = Path(f"/proc/{pid}/stat").read_text()
    return int(stat.rsplit(")", 1)[1].split()[1])


def processes(word: str) -> list[int]:
    """Give the processes that have `word` in their command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
        except OSError:
            continue
        if word in command:
            found.append(int(folder.name))
    return found


def is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return True
    return state == "Z"


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    os.kill(pid, number)
    wait_for(lambda: is_gone(pid), 20, every=0.01)


if __name__ == "__main__":
    main()
