"""A running service as a browser and a watchman see it."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import threading
import time
import uuid
from html.parser import HTMLParser
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from tests.project.test_up import Running

UPLOAD = "/manage/databases/upload/"
MEGABYTE = 1024 * 1024


class Site:
    """The service, with an admin signed in."""

    def __init__(self, up: Running) -> None:
        self.up = up
        prepared = self.beside("prepare")
        self.product = str(prepared["product"])
        self.cookies = dict(prepared["cookies"])
        self.csrf = ""
        _, _, page = self.get(UPLOAD)
        self.csrf = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1]  # type: ignore[index]

    def beside(self, what: str) -> dict[str, Any]:
        """Run a part of the program beside the service."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.project.beside", what],
            cwd=settings.BASE_DIR,
            env=Running.environment(self.up.var_dir, self.up.port),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    @property
    def headers(self) -> dict[str, str]:
        """Give what a browser that is signed in sends along."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"Cookie": cookies, "Host": f"127.0.0.1:{self.up.port}"}

    def _send(
        self, method: str, path: str, body: bytes = b"", kind: str = ""
    ) -> tuple[int, str, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.up.port, timeout=60)
        more = {"Content-Type": kind} if kind else {}
        connection.request(method, path, body or None, self.headers | more)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        for value in answer.headers.get_all("Set-Cookie") or []:
            name, _, rest = value.partition("=")
            if not self.csrf:
                self.cookies[name] = rest.split(";", 1)[0]
        connection.close()
        return answer.status, answer.headers.get("Location", ""), text

    def get(self, path: str) -> tuple[int, str, str]:
        """Give (status, where it leads, the page)."""
        return self._send("GET", path)

    def post(self, path: str, fields: dict[str, str]) -> tuple[int, str, str]:
        """Send a form."""
        body = urlencode({**fields, "csrfmiddlewaretoken": self.csrf}).encode()
        return self._send("POST", path, body, "application/x-www-form-urlencoded")

    def upload(self, name: str, content: bytes) -> tuple[int, str, str]:
        """Send a file by the form."""
        body, kind = self.multipart(name, content)
        return self._send("POST", UPLOAD, body, kind)

    def multipart(self, name: str, content: bytes) -> tuple[bytes, str]:
        """Give (body, content type) of the upload form."""
        boundary = uuid.uuid4().hex
        fields = {
            "csrfmiddlewaretoken": self.csrf,
            "token": str(uuid.uuid4()),
            "product": self.product,
            "name": "",
            "description": "",
        }
        head = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
            for field, value in fields.items()
        )
        head += (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        return body, f"multipart/form-data; boundary={boundary}"


class Form(HTMLParser):
    """What a browser would send of a form when nothing is changed in it."""

    def __init__(self, page: str, form: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._form = form
        self._inside = False
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        if tag == "form":
            self._inside = found.get("id") == self._form
        mine = found["form"] == self._form if "form" in found else self._inside
        name = found.get("name", "")
        if tag == "select":
            self._select = name if mine and "disabled" not in found else ""
        elif tag == "option" and self._select:
            if "selected" in found or self._select not in self.fields:
                self.fields[self._select] = found.get("value", "")
        elif tag == "input" and mine and name and found.get("type") == "hidden":
            self.fields[name] = found.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "form":
            self._inside = False


class Watch:
    """Asks /livez ten times a second, and how much memory everybody has, while it is entered."""

    def __init__(self, up: Running) -> None:
        self.up = up
        self.waits: list[float] = []
        self.failures: list[str] = []
        self.most: dict[str, int] = {}
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._ping), threading.Thread(target=self._weigh)]

    def __enter__(self) -> Watch:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(30)

    def wait(self, percent: int) -> float:
        """Give the seconds within which this share of the pings was answered."""
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]

    def _ping(self) -> None:
        while not self._over.wait(0.1):
            started = time.monotonic()
            try:
                status, _ = self.up.ask("/livez")
            except OSError as error:
                self.failures.append(repr(error))
            else:
                self.waits.append(time.monotonic() - started)
                if status != 200:
                    self.failures.append(str(status))

    def _weigh(self) -> None:
        everybody: dict[int, str] = {}
        rounds = 0
        while not self._over.wait(0.05):
            if rounds % 40 == 0:
                everybody = self.up.processes()
            rounds += 1
            for pid, command in everybody.items():
                kind = _kind(command)
                if kind:
                    self._note(kind, pid)
                if kind == "worker":
                    for child in _children(pid):
                        self._note("reader", child)

    def _note(self, kind: str, pid: int) -> None:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return
        if peak := re.search(r"VmHWM:\s+(\d+) kB", status):
            self.most[kind] = max(self.most.get(kind, 0), int(peak[1]) * 1024)


def _kind(command: str) -> str:
    if "manage.py worker" in command:
        return "worker"
    return "web" if "gunicorn" in command else ""


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in map(int, task.read_text().split()):
                if b"importing.child" in Path(f"/proc/{child}/cmdline").read_bytes():
                    found.append(child)
        except OSError:
            continue
    return found
