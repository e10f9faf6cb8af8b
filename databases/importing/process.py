"""Reading a file from the safe side: the only module of this package that others use.

    for found in read(path, original_name="a.csv", choices=Choices()):
        match found:  # first an Inspection, then Progress, at last a Tally
            ...

    with load(path, original_name=…, choices=…, database_id=7, import_id=3) as frames:
        for frame in frames:  # an Inspection, then Records, Skipped and Progress, at last a Tally
            ...

Both raise FileProblem for whatever is wrong with the file, and Stopped when told to stop.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

from databases.importing import frames, limits
from databases.importing.problems import FileProblem, sentence
from databases.importing.shapes import (
    RECORD_COLUMNS,
    SKIPPED_COLUMNS,
    Choices,
    Column,
    Inspection,
    PreviewRow,
    Progress,
    Records,
    Skipped,
    Tally,
)

__all__ = [
    "INTERRUPTED",
    "RECORD_COLUMNS",
    "SKIPPED_COLUMNS",
    "Choices",
    "Column",
    "FileProblem",
    "Inspection",
    "PreviewRow",
    "Progress",
    "Records",
    "Skipped",
    "Stopped",
    "Tally",
    "load",
    "read",
    "sentence",
]

logger = logging.getLogger(__name__)

Frame = Inspection | Records | Skipped | Progress | Tally
StopAsked = Callable[[], bool]

_ROOT = Path(__file__).resolve().parent.parent.parent
_GLANCE_SECONDS = 0.5
_DEATH_SECONDS = 10.0
_FROM_OUTSIDE = (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP, -signal.SIGQUIT)

INTERRUPTED = "interrupted"  # the code of a problem that is none of the file's


class Stopped(Exception):
    """The caller's `should_stop` said so; the child is gone."""


def read(
    path: str | os.PathLike[str],
    *,
    original_name: str,
    choices: Choices,
    whole: bool = True,
    should_stop: StopAsked | None = None,
) -> Iterator[Inspection | Progress | Tally]:
    """Give what the file holds: an Inspection soon, then (if `whole`) Progress and a Tally."""
    request = _request(path, original_name, choices, whole=whole, load=None)
    with closing(_talk(request, should_stop)) as answers:
        for found in answers:
            if not isinstance(found, Records | Skipped):
                yield found


@contextmanager
def load(
    path: str | os.PathLike[str],
    *,
    original_name: str,
    choices: Choices,
    database_id: int,
    import_id: int,
    should_stop: StopAsked | None = None,
) -> Iterator[Iterator[Frame]]:
    """Open the stream of rows ready for COPY; leaving it ends the child, finished or not."""
    load = {"database_id": database_id, "import_id": import_id}
    request = _request(path, original_name, choices, whole=True, load=load)
    with closing(_talk(request, should_stop)) as answers:
        yield answers


def _request(
    path: str | os.PathLike[str],
    original_name: str,
    choices: Choices,
    *,
    whole: bool,
    load: dict[str, int] | None,
) -> dict[str, Any]:
    return {
        "path": str(Path(path).resolve()),
        "name": original_name,
        "choices": {
            "encoding": choices.encoding,
            "delimiter": choices.delimiter,
            "sheet": choices.sheet,
            "header_row": choices.header_row,
            "roles": None if choices.roles is None else list(choices.roles),
        },
        "whole": whole,
        "load": load,
        "parent": os.getpid(),
    }


def _talk(request: dict[str, Any], should_stop: StopAsked | None) -> Generator[Frame, None, None]:
    """Run a child for `request` and give its answers; it never outlives this generator."""
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(
            [sys.executable, "-m", "databases.importing.child"],
            cwd=_ROOT,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            close_fds=True,
        )
        try:
            yield from _answers(child, request, should_stop, errors)
        finally:
            if child.poll() is None:
                child.kill()
            child.wait()
            for pipe in (child.stdin, child.stdout):
                if pipe:
                    pipe.close()


def _environment() -> dict[str, str]:
    """Give the child what Python needs, and none of the secrets in this environment."""
    kept = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
    found = {name: os.environ[name] for name in kept if name in os.environ}
    # Memory for texts goes back to the system instead of staying in per-thread arenas.
    return found | {"LC_ALL": "C.UTF-8", "PYTHONUTF8": "1", "MALLOC_ARENA_MAX": "2"}


def _answers(
    child: subprocess.Popen[bytes],
    request: dict[str, Any],
    should_stop: StopAsked | None,
    errors: IO[bytes],
) -> Iterator[Frame]:
    assert child.stdin is not None  # noqa: S101 -- Popen was asked for pipes
    assert child.stdout is not None  # noqa: S101
    complete = "inspection"
    try:
        child.stdin.write(json.dumps(request).encode() + b"\n")
        child.stdin.close()
    except BrokenPipeError:
        pass  # it ended before it listened; what it left says why
    peak = _Peak(child.pid)
    pipe = _Pipe(child.stdout.fileno(), should_stop, peak)
    while header := pipe.take(frames.HEADER.size):
        tag, length = frames.HEADER.unpack(header)
        if length > frames.LARGEST:
            raise FileProblem("damaged")
        payload = pipe.take(length) if length else b""
        if len(payload) < length:
            break
        if tag == frames.PROBLEM:
            problem = json.loads(payload)
            raise FileProblem(problem["code"], **problem["detail"])
        answer = _answer(tag, payload)
        complete = "tally" if isinstance(answer, Tally) else complete
        yield answer
        if complete == "tally" or (isinstance(answer, Inspection) and not request["whole"]):
            return
    death = _death(child, peak, str(request["name"]), errors)
    if death.code == INTERRUPTED and should_stop is not None and should_stop():
        raise Stopped  # whoever ends our own process has ended the reader too
    raise death


class _Pipe:
    """Bytes from the child, with an eye on the clock, its memory and the caller's wish to stop."""

    def __init__(self, descriptor: int, should_stop: StopAsked | None, peak: _Peak) -> None:
        self._descriptor = descriptor
        self._should_stop = should_stop
        self._peak = peak
        self._next_glance = 0.0
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN | select.POLLHUP)

    def take(self, length: int) -> bytes:
        """Give `length` bytes, fewer only if the child closed its side."""
        parts: list[bytes] = []
        silent_since = time.monotonic()
        while length:
            self._glance()
            if not self._poll.poll(_GLANCE_SECONDS * 1000):
                if time.monotonic() - silent_since > limits.SILENCE_SECONDS:
                    raise FileProblem("too_slow")
                continue
            part = os.read(self._descriptor, min(length, 1024 * 1024))
            if not part:
                break
            silent_since = time.monotonic()
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def _glance(self) -> None:
        # Asking may cost a query, so not for every piece.
        if time.monotonic() < self._next_glance:
            return
        self._next_glance = time.monotonic() + _GLANCE_SECONDS
        self._peak.look()
        if self._should_stop is not None and self._should_stop():
            raise Stopped


class _Peak:
    """The most memory a child had, in bytes.

    What the kernel tells at its end counts what this process itself had when it started the child
    (`getrusage(2)`: the child starts as its image), so up to there only what was seen counts.
    """

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._inherited = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        self._seen = 0

    def look(self) -> None:
        """See what the child has taken so far."""
        try:
            lines = self._status.read_text().splitlines()
        except OSError:
            return  # it has just ended
        for line in lines:
            if line.startswith("VmHWM:"):
                self._seen = int(line.split()[1]) * 1024

    def at_end(self, usage: resource.struct_rusage) -> int:
        """Give the peak, knowing what the kernel said when the child had ended."""
        told = usage.ru_maxrss * 1024
        return told if told > self._inherited else self._seen


def _answer(tag: bytes, payload: bytes) -> Frame:
    if tag == frames.RECORDS:
        return Records(payload)
    if tag == frames.SKIPPED:
        return Skipped(payload)
    content = json.loads(payload)
    if tag == frames.PROGRESS:
        return Progress(**content)
    if tag == frames.TALLY:
        return Tally(**content)
    content["columns"] = tuple(Column(*column) for column in content["columns"])
    content["preview"] = tuple(
        PreviewRow(number, tuple(cells), *rest) for number, cells, *rest in content["preview"]
    )
    for name in ("sheets", "warnings"):
        content[name] = tuple(content[name])
    return Inspection(**content)


def _death(
    child: subprocess.Popen[bytes], peak: _Peak, name: str, errors: IO[bytes]
) -> FileProblem:
    """Say what killed a child that ended without a word."""
    usage = _usage(child)
    if usage is None:
        return FileProblem("too_slow")
    memory = peak.at_end(usage)
    code = child.returncode
    errors.seek(max(0, errors.seek(0, os.SEEK_END) - 4000))
    last_words = errors.read().decode(errors="replace")
    if code == -signal.SIGXCPU:
        return FileProblem("too_slow")
    # What it is not granted makes it end by itself; these come from outside.
    if code in _FROM_OUTSIDE and memory < limits.memory(name) / 2:
        logger.warning("The reader of an uploaded file was ended by signal %s.", -code)
        return FileProblem(INTERRUPTED)
    if code in (-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGKILL, -signal.SIGBUS):
        return FileProblem("too_complex")
    if "MemoryError" in last_words or "memory allocation" in last_words:
        return FileProblem("too_complex")
    # Only the kind of the failure: the text may quote the file.
    kind = last_words.strip().rsplit("\n", 1)[-1].split(":", 1)[0][:80]
    logger.error("The reader of an uploaded file ended with %s: %s", code, kind)
    return FileProblem("unreadable")


def _usage(child: subprocess.Popen[bytes]) -> resource.struct_rusage | None:
    """Wait for the end of `child`; give what it had used, None if it does not end."""
    end = time.monotonic() + _DEATH_SECONDS
    while time.monotonic() < end:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            child.returncode = os.waitstatus_to_exitcode(status)
            return usage
        time.sleep(0.02)
    return None
