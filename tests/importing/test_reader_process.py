"""The process that opens a file: it ends when it should, and no file is blamed for its death."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from databases.importing import limits, process
from databases.importing.process import Choices, FileProblem, Stopped, load, read
from tests.importing.makers import SAMPLES
from tests.importing.reading import inspect


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_bytes(b"Nama,No HP\n" + b"Siti,082512345678\n" * 500_000)
    return path


def test_it_ends_when_told_to_stop(large: Path) -> None:
    with pytest.raises(Stopped):
        list(read(large, original_name="a.csv", choices=Choices(), should_stop=lambda: True))
    assert _children() == []


def test_it_ends_when_the_caller_leaves_early(large: Path) -> None:
    choices = Choices()
    with load(large, original_name="a.csv", choices=choices, database_id=1, import_id=1) as frames:
        next(frames)
    assert _children() == []


class TestKilled:
    """Somebody else ended it: the file is not to blame, and trying again may help."""

    @pytest.mark.parametrize(
        "by",
        [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP],
        ids=lambda by: by.name,
    )
    def test_by_somebody_it_is_interrupted(self, large: Path, by: signal.Signals) -> None:
        assert _killed(large, by).code == "interrupted"

    def test_the_memory_of_the_process_that_started_it_is_not_its_own(
        self, large: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        monkeypatch.setattr(limits, "memory", lambda _name: ours)
        assert _killed(large, signal.SIGKILL).code == "interrupted"

    def test_with_its_memory_nearly_used_up_the_file_is_too_complex(
        self, large: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limits, "memory", lambda _name: 8 * 1024**2)
        monkeypatch.setattr(process, "_GLANCE_SECONDS", 0.0)
        assert _killed(large, signal.SIGKILL).code == "too_complex"

    @pytest.mark.parametrize("by", [signal.SIGABRT, signal.SIGSEGV], ids=lambda by: by.name)
    def test_by_its_own_fault_the_file_is_too_complex(
        self, large: Path, by: signal.Signals
    ) -> None:
        assert _killed(large, by).code == "too_complex"

    def test_by_its_limit_of_time_the_file_is_too_slow(self, large: Path) -> None:
        assert _killed(large, signal.SIGXCPU).code == "too_slow"

    def test_with_everything_else_that_stops_it_is_only_stopped(self, large: Path) -> None:
        stopping = threading.Event()
        found = read(large, original_name="a.csv", choices=Choices(), should_stop=stopping.is_set)
        next(found)
        os.kill(_children()[0], signal.SIGTERM)
        stopping.set()
        with pytest.raises(Stopped):
            list(found)

    def test_ctrl_c_in_the_terminal_is_left_to_the_parent(self, large: Path) -> None:
        found = read(large, original_name="a.csv", choices=Choices())
        next(found)
        os.kill(_children()[0], signal.SIGINT)
        assert list(found)[-1].total == 500_000  # type: ignore[union-attr]


def _killed(path: Path, by: signal.Signals) -> FileProblem:
    choices = Choices()
    with load(path, original_name="a.csv", choices=choices, database_id=1, import_id=1) as frames:
        next(frames)  # it goes no further than the pipe takes of its rows
        os.kill(_children()[0], by)
        with pytest.raises(FileProblem) as raised:
            list(frames)
    assert _children() == []
    return raised.value


class TestLimits:
    def test_one_that_falls_silent_is_not_waited_for(
        self, large: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = read(large, original_name="a.csv", choices=Choices())
        next(found)
        os.kill(_children()[0], signal.SIGSTOP)
        monkeypatch.setattr(limits, "SILENCE_SECONDS", 0.1)
        with pytest.raises(FileProblem, match="too_slow"):
            list(found)
        assert _children() == []

    def test_it_may_write_no_file_and_open_few(self) -> None:
        script = (
            "import resource\n"
            "from databases.importing.child import restrict\n"
            "restrict(1024, 'a.csv')\n"
            "for what in (resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE):\n"
            "    print(*resource.getrlimit(what))\n"
        )
        said = subprocess.run(
            [sys.executable, "-c", script],
            cwd=SAMPLES.parent.parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        assert said == [*[str(limits.MEMORY_TEXT)] * 2, "0", "0", "32", "32"]

    @pytest.mark.parametrize(
        ("name", "memory"),
        [
            ("a.CSV", limits.MEMORY_TEXT),
            ("a.txt", limits.MEMORY_TEXT),
            ("a.xlsx", limits.MEMORY_WORKBOOK),
            ("a.csv.xls", limits.MEMORY_WORKBOOK),
        ],
    )
    def test_its_memory_goes_by_the_kind_of_file(self, name: str, memory: int) -> None:
        assert limits.memory(name) == memory


class TestSecrets:
    def test_it_knows_none_of_ours(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from databases.importing.process import _environment

        monkeypatch.setenv("SECRET_KEY", "x")
        monkeypatch.setenv("DATABASE_URL", "x")
        assert not {"SECRET_KEY", "DATABASE_URL"} & set(_environment())


def test_it_dies_with_its_parent(large: Path) -> None:
    script = (
        "import sys, time\n"
        "from databases.importing.process import Choices, read\n"
        "found = read(sys.argv[1], original_name='a.csv', choices=Choices())\n"
        "next(found)\n"
        "child = open(f'/proc/self/task/{__import__(\"os\").getpid()}/children').read()\n"
        "print(child, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(large)],
        cwd=SAMPLES.parent.parent,
        stdout=subprocess.PIPE,
    )
    assert parent.stdout is not None
    child = parent.stdout.readline().decode().strip()
    assert b"importing.child" in _command(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while b"importing.child" in _command(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_it_can_be_used_from_a_thread() -> None:
    found: list[object] = []
    thread = threading.Thread(
        target=lambda: found.append(inspect(SAMPLES / "01_bersih.csv")[1].ready)
    )
    thread.start()
    thread.join(30)
    assert found == [40]


def _children() -> list[int]:
    listing = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()
    return [int(pid) for pid in listing if b"importing.child" in _command(pid)]


def _command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""
