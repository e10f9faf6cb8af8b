"""`manage.py up`: everything that runs, started together, watched, and stopped together."""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from accounts.models import User
from crm.postgres import server
from crm.postgres.place import Place, find_place
from crm.shell import translations
from crm.shell.demo import world as demo

READY_WITHIN = 60.0
GRACE = 30.0  # seconds that children have to end; a little more than they give their own work
RESTARTS = 5  # of a worker, before it must be something that starting it again does not heal
RESTARTS_WITHIN = 60.0
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Refusal(Exception):
    """Something stands against it; the sentence says what and what to do."""


@dataclass(frozen=True, slots=True)
class Child:
    """One of the processes that run."""

    name: str
    process: subprocess.Popen[bytes]


class Launcher:
    """Runs the whole service until it is told to stop or a part of it dies."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.host = os.environ.get("HOST") or "127.0.0.1"
        self.port = _port(os.environ.get("PORT") or "8000")
        self.children: list[Child] = []
        self.restarts: list[float] = []
        self.signals = 0

    def run(self) -> None:
        """Start, watch and stop everything; raise Refusal where that is not possible."""
        with self._only_one(), self._signals():
            self._check_port()
            place = self._embedded()
            started = self._start_database(place)
            try:
                self._prepare()
                if not self.signals:
                    self._start_children()
                    self._watch()
            finally:
                self._stop_children()
                if place is not None and (started or not _others_connected()):
                    connection.close()
                    server.stop(place)
            self.say("Everything is stopped.")

    @contextmanager
    def _only_one(self) -> Iterator[None]:
        path = Path(settings.VAR_DIR) / "up.lock"
        with path.open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Refusal(
                    f"It already runs with the data in {settings.VAR_DIR}: stop it first, "
                    "or set VAR_DIR to another folder."
                ) from error
            yield

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def note(number: int, frame: FrameType | None) -> None:
            self.signals += 1

        before = {number: signal.signal(number, note) for number in STOPPING}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _check_port(self) -> None:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                raise Refusal(
                    f"Port {self.port} on {self.host} cannot be used ({error.strerror}): stop what "
                    f"uses it, or choose another: make up PORT={self.port + 1}"
                ) from error

    def _embedded(self) -> Place | None:
        if connection.settings_dict["ENGINE"] != "crm.postgres.backend":
            return None
        return find_place(Path(settings.VAR_DIR))

    def _start_database(self, place: Place | None) -> bool:
        try:
            started = place is not None and server.ensure_running(place)
            connection.ensure_connection()
        except (server.ServerError, DatabaseError) as error:
            raise Refusal(f"The database does not answer: {str(error).strip()}") from error
        return started

    def _prepare(self) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.say("Preparing the tables …")
            call_command("migrate", interactive=False, verbosity=0)
        translations.compile_all()
        collect_static(self.say)
        wanted = settings.DEMO and os.environ.get("DEMO", "1") != "0"
        if wanted and demo.is_wanted():
            self.say("Inventing products, customers and two people …")
            call_command("demo", verbosity=0)
        connection.close()

    def _start_children(self) -> None:
        web = {"HOST": self._bind_host(), "PORT": str(self.port)}
        web["ACCESS_LOG"] = os.environ.get("ACCESS_LOG", "")
        if settings.DEMO and "ALLOWED_HOSTS" not in os.environ and not self._is_local():
            web["ALLOWED_HOSTS"] = "*"  # somebody chose to show the demo to other machines
        gunicorn = ["-m", "gunicorn", "-c", "python:crm.gunicorn_conf", "crm.wsgi"]
        self._spawn("web server", gunicorn, web)
        self._start_worker()

    def _start_worker(self) -> None:
        self._spawn("worker", ["manage.py", "worker"], {})

    def _spawn(self, name: str, arguments: list[str], extra: dict[str, str]) -> None:
        process = subprocess.Popen(  # noqa: S603 - our own programs
            [sys.executable, *arguments],
            cwd=settings.BASE_DIR,
            env={**os.environ, **extra},
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal is for us to pass on, once
            preexec_fn=_die_with_parent,
        )
        self.children.append(Child(name, process))

    def _watch(self) -> None:
        ready, end = False, time.monotonic() + READY_WITHIN
        while not self.signals:
            for child in list(self.children):
                if (code := child.process.poll()) is not None and not self._restarted(child, code):
                    raise Refusal(
                        f"The {child.name} ended by itself (code {code}); the lines above say why. "
                        "Everything else is stopped too."
                    )
            if not ready:
                ready = self._answers()
                if ready:
                    self.say(self._welcome())
                elif time.monotonic() > end:
                    raise Refusal(f"The web server does not answer at {self._address()}.")
            time.sleep(0.1 if not ready else 0.3)

    def _restarted(self, child: Child, code: int) -> bool:
        """Start a worker again that was killed: whoever is at a page shall not lose it with it."""
        now = time.monotonic()
        self.restarts = [then for then in self.restarts if now - then < RESTARTS_WITHIN]
        if child.name != "worker" or code >= 0 or len(self.restarts) >= RESTARTS or self.signals:
            return False
        self.restarts.append(now)
        self.say(f"The worker was killed (signal {-code}); it is started again.")
        self.children.remove(child)
        self._start_worker()
        return True

    def _answers(self) -> bool:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - compared, not bound
        asked = http.client.HTTPConnection(host, self.port, timeout=2)
        try:
            asked.request("GET", "/livez")
            return asked.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            asked.close()

    def _welcome(self) -> str:
        line = f"Kontak CRM is ready: {self._address()}"
        try:
            if _signs_in(*demo.ADMIN) and _signs_in(*demo.STAFF):
                line += f" · sign in as {' / '.join(demo.ADMIN)} or {' / '.join(demo.STAFF)}"
            elif not User.objects.exists():
                line += " · make the first admin: .venv/bin/python manage.py create_admin"
        finally:
            connection.close()
        return f"{line} · Ctrl-C stops everything"

    def _address(self) -> str:
        shown = "localhost" if self.host in ("0.0.0.0", "::") else self._bind_host()  # noqa: S104 - compared, not bound
        return f"http://{shown}:{self.port}"

    def _bind_host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    def _is_local(self) -> bool:
        return self.host in ("127.0.0.1", "localhost", "::1")

    def _stop_children(self) -> None:
        running = [child for child in self.children if child.process.poll() is None]
        for child in running:
            child.process.terminate()
        end, asked, told = time.monotonic() + GRACE, self.signals, False
        while any(child.process.poll() is None for child in running):
            if time.monotonic() > end or self.signals > asked:
                break
            if not told and time.monotonic() > end - GRACE + 2:
                self.say("Waiting for running work to end; Ctrl-C again ends it now.")
                told = True
            time.sleep(0.05)
        for child in self.children:
            # Also what a child left behind: it leads a session of its own.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.process.pid, signal.SIGKILL)
            child.process.wait()


def collect_static(say: Callable[[str], None]) -> None:
    """Collect and compress the static files, unless nothing changed since the last time."""
    if settings.WHITENOISE_USE_FINDERS:
        return
    stamp = Path(settings.VAR_DIR) / "static.stamp"
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            found = Path(storage.path(path)).stat()
            digest.update(f"{path}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    wanted = digest.hexdigest()
    if Path(settings.STATIC_ROOT).is_dir() and stamp.exists() and stamp.read_text() == wanted:
        return
    say("Collecting the static files …")
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(wanted)


def _port(value: str) -> int:
    if not value.isdigit() or not 0 < int(value) < 65536:
        raise Refusal(f"PORT must be a number from 1 to 65535, not {value!r}.")
    return int(value)


def _signs_in(email: str, password: str) -> bool:
    user = User.objects.active().filter(email=email).first()
    return user is not None and user.check_password(password)


def _others_connected() -> bool:
    """Whether anybody else uses the server, which another command may have started."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            return bool(cursor.fetchone()[0])
    except DatabaseError:
        return False


def _die_with_parent() -> None:
    """Have the kernel end this process when the one that started it is gone, however it went."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
