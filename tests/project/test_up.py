"""`manage.py up`, whole: the real embedded server, the web server and the worker."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from crm.postgres import server
from crm.postgres.place import find_place
from crm.shell.launcher import RESTARTS
from tests.project.conftest import bare_environment


class Running:
    """One `manage.py up` in a folder of its own."""

    def __init__(self, var_dir: Path, port: int) -> None:
        self.port = port
        self.var_dir = var_dir
        self.said: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=settings.BASE_DIR,
            env=self.environment(var_dir, port),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    @staticmethod
    def environment(var_dir: Path, port: int) -> dict[str, str]:
        return bare_environment() | {
            "CRM_MODE": "demo",
            "VAR_DIR": str(var_dir),
            "PORT": str(port),
            "DEMO": "0",
            "STATIC_MANIFEST": "0",
        }

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.said.append(line.rstrip())

    def wait_until_ready(self) -> str:
        """Give the one line that says where it is."""
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            for line in self.said:
                if "is ready" in line:
                    return line
            time.sleep(0.05)
        raise AssertionError("\n".join(self.said))

    def ask(self, path: str, **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body

    def child(self, word: str) -> int:
        return next(pid for pid, command in self.processes().items() if word in command)

    def processes(self) -> dict[int, str]:
        """Give every process that belongs to this folder."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes().decode().replace("\0", " ")
                belongs = f"VAR_DIR={self.var_dir}\0".encode() in (folder / "environ").read_bytes()
            except OSError:
                continue
            if belongs or str(self.var_dir) in command:
                found[int(folder.name)] = command
        return found

    def end(self) -> int:
        code = self.process.wait(40)
        self.reader.join(5)
        return code


@pytest.fixture(scope="module")
def var_dir() -> Iterator[Path]:
    """Give one folder to all: the second start finds what the first has made."""
    folder = Path(tempfile.mkdtemp(prefix="crm-up-"))
    folder.chmod(0o755)
    yield folder
    place = find_place(folder)
    server.stop(place)
    shutil.rmtree(place.home, ignore_errors=True)
    shutil.rmtree(folder)


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def up(var_dir: Path, port: int) -> Iterator[Running]:
    running = Running(var_dir, port)
    yield running
    for pid in running.processes():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    running.end()


def test_it_runs_everything_and_stops_everything(up: Running, var_dir: Path) -> None:
    assert f"http://127.0.0.1:{up.port}" in up.wait_until_ready()
    assert up.ask("/livez") == (200, "ok")
    assert up.ask("/livez", Host="10.1.2.3:80")[0] == 200  # how a load balancer asks
    end = time.monotonic() + 10  # the worker starts beside the web server
    while (answer := up.ask("/healthz"))[0] != 200 and time.monotonic() < end:
        time.sleep(0.2)
    status, body = answer
    assert status == 200, body
    assert json.loads(body)["worker"] == "ok"
    assert up.ask("/")[0] in (200, 302)

    second = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=settings.BASE_DIR,
        env=Running.environment(var_dir, up.port + 1),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert second.returncode == 1
    assert f"already runs with the data in {var_dir}" in second.stderr

    up.process.send_signal(signal.SIGINT)
    assert up.end() == 0
    assert up.processes() == {}
    assert "Traceback" not in "\n".join(up.said)


def test_a_part_that_dies_ends_it_all_with_a_sentence(up: Running) -> None:
    up.wait_until_ready()
    first = min(pid for pid, command in up.processes().items() if "gunicorn" in command)
    os.kill(first, signal.SIGKILL)
    assert up.end() == 1
    assert "The web server ended by itself" in "\n".join(up.said)
    assert up.processes() == {}


def test_a_worker_that_is_killed_is_started_again_but_not_for_ever(up: Running) -> None:
    up.wait_until_ready()
    killed: set[int] = set()
    for _time in range(RESTARTS + 1):
        end = time.monotonic() + 30
        while not (
            new := {pid for pid, command in up.processes().items() if "manage.py worker" in command}
            - killed
        ):
            assert time.monotonic() < end, up.said
            time.sleep(0.05)
        assert up.ask("/livez")[0] == 200  # who is at a page does not notice
        for pid in new:
            os.kill(pid, signal.SIGKILL)
        killed |= new
    assert up.end() == 1
    said = "\n".join(up.said)
    assert said.count("The worker was killed (signal 9); it is started again.") == RESTARTS
    assert "The worker ended by itself" in said
    assert up.processes() == {}


def test_nothing_is_left_of_one_that_was_killed(up: Running, var_dir: Path) -> None:
    up.wait_until_ready()
    up.process.kill()
    up.process.wait()
    end = time.monotonic() + 20
    # The children end with it; the server of the database may stay and serves the next one.
    while any("manage.py" in line or "gunicorn" in line for line in up.processes().values()):
        assert time.monotonic() < end, up.processes()
        time.sleep(0.1)
    server.stop(find_place(var_dir))


def test_a_port_in_use_is_told_with_what_to_do(var_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        running = Running(var_dir, port)
        assert running.end() == 1
    said = "\n".join(running.said)
    assert f"Port {port} on 127.0.0.1 cannot be used" in said
    assert f"make up PORT={port + 1}" in said
    assert "Traceback" not in said
