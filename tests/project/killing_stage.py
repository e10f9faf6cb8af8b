"""The running CRM as the killer sees it: its pages, its processes, its tables."""

from __future__ import annotations

import http.client
import os
import signal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client

from accounts.models import User
from crm.kernel import clock
from crm.postgres import server
from crm.postgres.place import find_place
from databases.models import Database, DatabaseStat, Import, Pool, Product, Record, SkippedRow
from databases.models.imports import HEARTBEAT_LIMIT
from databases.services import imports, uploads
from databases.services.prepared import forget_rows
from tests.project.killing import (
    BLANKS,
    COPY_MOMENTS,
    DUPLICATES,
    MOMENTS,
    READER_MOMENTS,
    ROWS,
    UNUSABLE,
    WAITED_OUT,
    Outcome,
    content,
    is_gone,
    kill,
    parent_of,
    processes,
    wait_for,
)

S = Import.State
STORED = ROWS - DUPLICATES - BLANKS
FULL = [STORED, STORED - UNUSABLE, DUPLICATES + BLANKS, 1, 1]
SETTLED = 60.0  # seconds in which an import must say that it stopped; its limit and some load


class Stage:
    """One running CRM, an admin in front of it, and a list to import again and again."""

    def __init__(self, victim: str) -> None:
        self.victim = victim
        self.admin = User.objects.create_user(
            email=f"{victim}@example.com", name="Citra", role="admin", password=None
        )
        client = Client()
        client.force_login(self.admin)
        self.session = client.cookies["sessionid"].value
        self.content = content()
        self.source = 0
        self.holder: BaseDatabaseWrapper | None = None
        self.before = [0, 0, 0, 0, 0]

    # What a person does.

    def upload(self, name: str) -> None:
        """Upload the list once more; `source` is its import from now on."""
        product = Product.objects.create(name=f"{name} {self.victim}")
        file = SimpleUploadedFile("besar.csv", self.content)
        received = uploads.receive_file(upload=file, by=self.admin)
        source = uploads.start_import(
            received=received,
            product=product,
            name=name,
            description="",
            token=uuid.uuid4(),
            by=self.admin,
        )
        self.source = source.pk
        self.before = self.counts()

    def confirm(self) -> None:
        found = self.fresh()
        roles = [column["role"] for column in found.reading["columns"]]
        imports.confirm_import(
            import_id=found.pk, attempt=found.attempt, roles=roles, by=self.admin
        )

    def page(self, what: str = "") -> tuple[int, str]:
        """Give the status and the text of the page where the import stands; 0: no answer at all."""
        what = what or ("progress" if self.fresh().confirmed_at else "check")
        return self._ask("GET", f"/manage/databases/imports/{self.source}/{what}/")

    def press(self, what: str) -> int:
        return self._ask("POST", f"/manage/databases/imports/{self.source}/{what}/")[0]

    def _ask(self, method: str, path: str) -> tuple[int, str]:
        token = "a" * 32
        headers = {"Cookie": f"sessionid={self.session}; csrftoken={token}"}
        body = None
        if method == "POST":
            body = urlencode({"csrfmiddlewaretoken": token})
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        asked = http.client.HTTPConnection("127.0.0.1", int(os.environ["PORT"]), timeout=30)
        try:
            asked.request(method, path, body=body, headers=headers)
            answer = asked.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            asked.close()

    # What is there.

    def fresh(self) -> Import:
        """Give the import as it stands now, over a new connection where the old one broke."""
        try:
            return Import.objects.get(pk=self.source)
        except DatabaseError:
            connection.close()
            return Import.objects.get(pk=self.source)

    def counts(self) -> list[int]:
        tables = (Record, Pool, SkippedRow, DatabaseStat, Database)
        return [table._default_manager.count() for table in tables]

    def left(self) -> list[int]:
        """Give what the import at hand has added: to records, shelf, skipped, totals, databases."""
        return [now - then for now, then in zip(self.counts(), self.before, strict=True)]

    def one(self, query: str) -> int:
        """Give the one number that a query finds, 0 for none."""
        with connection.cursor() as cursor:
            cursor.execute(query)
            row = cursor.fetchone()
            return int(row[0] or 0) if row else 0

    def copied(self) -> int:
        # Whichever table: one that is not committed has no name for others yet.
        return self.one("SELECT max(tuples_processed) FROM pg_stat_progress_copy")

    def is_doing(self, what: str) -> bool:
        like = f"%{what}%"
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE state = 'active'"
                " AND pid <> pg_backend_pid() AND query ILIKE %s)",
                [like],
            )
            return bool(cursor.fetchone()[0])

    def hold_the_end(self) -> None:
        """Let no job finish this import: it waits at its last look, and its heart goes on."""
        self.holder = connection.copy()
        with self.holder.cursor() as cursor:
            cursor.execute("SET idle_in_transaction_session_timeout = 0")
            cursor.execute("BEGIN")
            cursor.execute(
                "SELECT FROM databases_import WHERE id = %s FOR KEY SHARE", [self.source]
            )

    def let_go(self) -> None:
        if self.holder is not None:
            self.holder.close()
            self.holder = None

    def is_waiting_at_the_end(self) -> bool:
        return bool(
            self.one(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND query ILIKE 'SELECT%databases_import%'"
            )
        )

    def worker(self) -> int:
        """Give the worker of this CRM; another one may run beside it."""
        mark = f"VAR_DIR={settings.VAR_DIR}\0".encode()
        for pid in processes("manage.py worker"):
            try:
                if mark in Path(f"/proc/{pid}/environ").read_bytes() and not is_gone(pid):
                    return pid
            except OSError:
                continue
        return 0

    def readers(self) -> list[int]:
        worker, found = self.worker(), []
        for pid in processes("databases.importing.child"):
            try:
                if parent_of(pid) == worker and not is_gone(pid):
                    found.append(pid)
            except OSError:
                continue
        return found

    def read_percent(self, pid: int) -> int:
        """Give how much of the file a reader has read."""
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            if "/uploads/" in str(descriptor.readlink()):
                position = Path(f"/proc/{pid}/fdinfo/{descriptor.name}").read_text().split()[1]
                return int(position) * 100 // len(self.content)
        return 0

    # The kill, and what comes after.

    def strike(self) -> None:
        if self.victim == "worker":
            pid = self.worker()
            kill(pid)
            # The supervisor is quick, but nothing below may meet the dead one.
            wait_for(lambda: self.worker() not in (0, pid), 30)
            return
        pid = server.find_postmaster(find_place(Path(settings.VAR_DIR))) or 0
        kill(pid, signal.SIGKILL if self.victim == "postgres" else signal.SIGQUIT)
        connection.close()

    def has_reached(self, moment: str) -> bool:
        if moment in COPY_MOMENTS:
            return self.copied() * 100 >= COPY_MOMENTS[moment] * STORED
        if moment == "reading":
            return bool(self.readers()) and self.fresh().heartbeat_at is not None
        if moment == "start":
            return self.fresh().state != S.QUEUED
        if moment == "committed":
            return self.fresh().state == S.DONE
        if moment == "end":
            return self.is_waiting_at_the_end()
        return self.is_doing("INSERT INTO%databases_pool") or self.is_doing("crm_move_in")

    def wait_for_moment(self, moment: str) -> bool:
        """Wait for a moment; False when it was over before it was seen."""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if self.has_reached(moment):
                return True
            if self.is_over():
                return moment == "committed" and self.fresh().state == S.DONE
            time.sleep(0.002)
        return False

    def wait_until_up(self, outcome: Outcome) -> None:
        """Wait for a page that needs no import."""
        self.wait_until_back(outcome, "/manage/databases/upload/")

    def wait_until_back(self, outcome: Outcome, path: str = "") -> None:
        """Ask for the page until it is there again: nothing but clean answers meanwhile."""
        begun = time.monotonic()
        path = path or f"/manage/databases/imports/{self.source}/check/"
        while time.monotonic() - begun < 60:
            status, _ = self._ask("GET", path)
            outcome.pages.append(status)
            if status in (200, 302):
                break
            time.sleep(0.1)
        outcome.back = round(time.monotonic() - begun, 1)

    def move_clocks(self) -> None:
        """Let the limits of heartbeats pass: of the import, and of workers that are no more."""
        last = self.fresh().heartbeat_at
        if wait_for(lambda: self.fresh().heartbeat_at != last or self.is_over(), 3):
            last = None  # it lives, or is over
        then = clock.now() - 2 * HEARTBEAT_LIMIT
        mine = Import.objects.filter(pk=self.source, state__in=[S.RUNNING, S.READING])
        if last is not None:
            mine.filter(heartbeat_at=last).update(heartbeat_at=then)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE procrastinate_workers SET last_heartbeat = %s"
                " WHERE id < (SELECT max(id) FROM procrastinate_workers)",
                [then],
            )

    def is_over(self) -> bool:
        return self.fresh().state in (S.FAILED, S.DONE, S.WAITING)

    def is_told(self) -> bool:
        return self.is_over() or self.fresh().is_interrupted

    def check_whole(self, outcome: Outcome) -> None:
        """Compare everything that an import leaves with what the file holds."""
        found = self.fresh()
        wrong = outcome.wrong
        outcome.done = found.state
        if self.left() != FULL:
            wrong.append(f"left {self.left()} instead of {FULL}")
        outcomes = [found.ready, found.attention, found.duplicate, found.blank]
        if outcomes != [STORED - UNUSABLE, UNUSABLE, DUPLICATES, BLANKS]:
            wrong.append(f"outcomes {outcomes}")
        stat = DatabaseStat.objects.filter(database=found.database_id).first()
        if stat is None or (stat.total, stat.available) != (STORED, STORED - UNUSABLE):
            wrong.append("the totals differ")
        if Database.objects.filter(product=found.product_id, name=found.name).count() != 1:
            wrong.append("not one database")
        self.check_tidy(outcome)

    def check_tidy(self, outcome: Outcome) -> None:
        wrong = outcome.wrong
        folder = Path(settings.MEDIA_ROOT) / "uploads"
        named = {Path(name).stem for name in Import.objects.values_list("file", flat=True) if name}
        if orphans := [p.name for p in folder.iterdir() if p.name.split(".")[0] not in named]:
            wrong.append(f"orphan files {orphans}")
        rooms = (
            "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND"
            " relname ~ '^databases_(record|pool)_[0-9]+$' AND NOT EXISTS (SELECT FROM"
            " databases_database WHERE id::text = split_part(relname, '_', 3))"
        )
        if self.one(rooms):
            wrong.append("a table of records that belong to nothing")
        if arriving := list(Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir()):
            wrong.append(f"left in the folder for arriving files: {arriving}")
        if not wait_for(lambda: not self.readers(), 10):
            wrong.append("a reader outlives its import")
        busy = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('doing', 'todo') AND "
        busy += f"task_name LIKE 'databases.%' AND args->>'import_id' = '{self.source}'"
        if not wait_for(lambda: not self.one(busy), 30):
            wrong.append("a job is left over")


def play_writers(stage: Stage, chosen: list[str] | None) -> Iterator[Outcome]:
    """Kill the worker or PostgreSQL at each moment; each import is completed afterwards."""
    for moment in chosen or MOMENTS:
        begun = time.monotonic()
        outcome = Outcome(stage.victim, moment)
        stage.upload(moment)
        if moment != "reading":
            wait_for(lambda: stage.fresh().state == S.WAITING, 120)
            worker = stage.worker()
            if moment == "queued":
                os.kill(worker, signal.SIGSTOP)  # nobody takes the job before the kill
            stage.confirm()
        if moment == "end":
            stage.hold_the_end()
        outcome.hit = moment == "queued" or stage.wait_for_moment(moment)
        stage.strike()
        stage.let_go()
        if moment == "queued" and stage.victim != "worker":
            os.kill(worker, signal.SIGCONT)
        _look_and_go_on(stage, outcome)
        outcome.seconds = round(time.monotonic() - begun, 1)
        yield outcome


def _look_and_go_on(stage: Stage, outcome: Outcome) -> None:
    stage.wait_until_back(outcome)
    outcome.left = stage.left()
    struck = time.monotonic()
    if outcome.moment != WAITED_OUT:
        stage.move_clocks()
    if not wait_for(stage.is_told, 2 * SETTLED if outcome.moment == "queued" else SETTLED):
        outcome.wrong.append(f"still {stage.fresh().state} after {SETTLED} s")
        return
    outcome.told = round(time.monotonic() - struck, 1)
    found = stage.fresh()
    outcome.state = "interrupted" if found.is_interrupted else str(found.state)
    if outcome.moment == "reading":
        # A page that asks meanwhile says so and offers to read again; the rescued job does it too.
        outcome.says = True
        if not wait_for(lambda: stage.fresh().state == S.WAITING, 120):
            outcome.wrong.append(f"reading was not resumed: {stage.fresh().state}")
            return
        stage.confirm()
    elif outcome.state in ("interrupted", S.FAILED):
        status, text = stage.page("progress")
        outcome.says = status == 200 and 'role="alert"' in text and "Try again" in text
        if stage.press("retry") != 302:
            outcome.wrong.append("the retry was refused")
    else:
        outcome.says = True  # it goes on by itself, or is done
    wait_for(lambda: stage.fresh().state in (S.DONE, S.FAILED), 180)
    stage.check_whole(outcome)


def play_reader(stage: Stage, chosen: list[str] | None) -> Iterator[Outcome]:
    """Kill the reader again and again in one file; then it is read through and imported."""
    stage.upload("reader")
    for moment in chosen or READER_MOMENTS:
        begun = time.monotonic()
        outcome = Outcome(stage.victim, moment)
        outcome.hit = _strike_reader(stage, READER_MOMENTS[moment])
        wait_for(lambda: stage.fresh().state in (S.FAILED, S.WAITING, S.REFUSED), SETTLED)
        outcome.told = round(time.monotonic() - begun, 1)
        outcome.state, outcome.left = str(stage.fresh().state), stage.left()
        status, text = stage.page("check")
        outcome.pages = [status]
        outcome.says = status == 200 and 'role="alert"' in text and "Read again" in text
        if outcome.hit and stage.press("read-again") != 302:
            outcome.wrong.append("it cannot be read again")
        outcome.done = str(stage.fresh().state)
        outcome.seconds = round(time.monotonic() - begun, 1)
        yield outcome
    outcome = Outcome(stage.victim, "importing")
    begun = time.monotonic()
    wait_for(lambda: stage.fresh().state == S.WAITING, 120)
    forget_rows(stage.fresh().file.name or "")  # as after a day: the import reads the file itself
    stage.confirm()
    outcome.hit = _strike_reader(stage, 50)
    wait_for(lambda: stage.fresh().state in (S.FAILED, S.DONE), SETTLED)
    outcome.state, outcome.left = str(stage.fresh().state), stage.left()
    outcome.says = True
    if outcome.state == S.FAILED:
        status, text = stage.page("progress")
        outcome.says = status == 200 and 'role="alert"' in text and "Try again" in text
        if stage.press("retry") != 302:
            outcome.wrong.append("the retry was refused")
    wait_for(lambda: stage.fresh().state in (S.DONE, S.FAILED), 180)
    stage.check_whole(outcome)
    outcome.seconds = round(time.monotonic() - begun, 1)
    yield outcome


def _strike_reader(stage: Stage, percent: int) -> bool:
    """Kill the reader when it has read so much; False when it had ended before."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for pid in stage.readers():
            try:
                if stage.read_percent(pid) >= percent:
                    kill(pid)
                    return True
            except OSError:
                continue
        if stage.fresh().state not in (S.READING, S.QUEUED, S.RUNNING):
            return False
        time.sleep(0.002)
    return False
