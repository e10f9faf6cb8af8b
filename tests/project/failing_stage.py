"""What surrounds the running CRM fails: PostgreSQL is away while a file comes, the disk is full."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection

from crm.postgres import server
from crm.postgres.place import find_place
from databases.models import Import, Product, ReceivedFile
from tests.project.killing import Outcome, kill, wait_for
from tests.project.killing_stage import S, Stage

KEPT_WHOLE = "Nothing you sent was half saved"


class FailingStage(Stage):
    """A running CRM to which an admin sends files by the form."""

    def prepare(self) -> None:
        self.product = Product.objects.create(name=f"Melati {self.victim}")

    def send(self) -> tuple[int, str]:
        """Send the upload form; give the status and the page, or where it leads."""
        token, edge = "a" * 32, "----edge"
        fields = {
            "csrfmiddlewaretoken": token,
            "token": str(uuid.uuid4()),
            "product": str(self.product.pk),
            "name": "Besar",
            "description": "",
        }
        head = "".join(
            f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        )
        head += (
            f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="besar.csv"\r\n'
            "Content-Type: text/csv\r\n\r\n"
        )
        body = head.encode() + self.content + f"\r\n--{edge}--\r\n".encode()
        asked = http.client.HTTPConnection("127.0.0.1", int(os.environ["PORT"]), timeout=90)
        try:
            asked.request(
                "POST",
                "/manage/databases/upload/",
                body=body,
                headers={
                    "Cookie": f"sessionid={self.session}; csrftoken={token}",
                    "Content-Type": f"multipart/form-data; boundary={edge}",
                },
            )
            answer = asked.getresponse()
            return answer.status, answer.headers.get("Location") or answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            return 0, str(error)
        finally:
            asked.close()

    def files(self) -> list[str]:
        """Give what lies where uploads are kept and where they arrive."""
        folders = (Path(settings.MEDIA_ROOT) / "uploads", Path(settings.FILE_UPLOAD_TEMP_DIR))
        return [path.name for folder in folders if folder.exists() for path in folder.iterdir()]

    def take_in(self, outcome: Outcome) -> None:
        """Send the file again: the same act works now, once."""
        wait_for(lambda: self._ask("GET", "/manage/databases/upload/")[0] == 200, 60)
        status, leads_to = self.send()
        if status != 302:
            outcome.wrong.append(f"sent again: {status} {leads_to[:300]}")
            return
        self.source = int(leads_to.rstrip("/").split("/")[-2])
        if not wait_for(lambda: self.fresh().state == S.WAITING, 120):
            outcome.wrong.append(f"it was not read: {self.fresh().state}")
        outcome.done = str(self.fresh().state)
        self.check_tidy(outcome)


def play_down(stage: FailingStage, chosen: list[str] | None) -> Iterator[Outcome]:
    """PostgreSQL cannot be reached while a file is sent, from the start or at the last step."""
    stage.prepare()
    data = find_place(Path(settings.VAR_DIR)).data
    for moment in chosen or ["before", "at the row"]:
        begun = time.monotonic()
        outcome = Outcome(stage.victim, moment)
        before = (sorted(stage.files()), Import.objects.count(), ReceivedFile.objects.count())
        pid = server.find_postmaster(find_place(Path(settings.VAR_DIR))) or 0
        if moment == "before":
            (data / "global").rename(data / "global.away")  # nobody can start it meanwhile
            kill(pid)
            status, page = stage.send()
            (data / "global.away").rename(data / "global")
            outcome.hit = True
        else:
            status, page, outcome.hit = _killed_at_the_row(stage, pid)
        connection.close()
        outcome.pages = [status]
        outcome.says = status in (500, 503) and KEPT_WHOLE in page
        stage.wait_until_up(outcome)
        after = (sorted(stage.files()), Import.objects.count(), ReceivedFile.objects.count())
        if after != before:
            outcome.wrong.append(f"left {after} instead of {before}")
        stage.take_in(outcome)
        outcome.seconds = round(time.monotonic() - begun, 1)
        yield outcome


def _killed_at_the_row(stage: FailingStage, pid: int) -> tuple[int, str, bool]:
    """Kill PostgreSQL when the file is stored and its row waits to be written."""
    holder = connection.copy()
    with holder.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("LOCK TABLE databases_receivedfile IN SHARE MODE")
    answers: list[tuple[int, str]] = []
    sender = threading.Thread(target=lambda: answers.append(stage.send()))
    sender.start()
    waits = (
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND query ILIKE '%databases_receivedfile%'"
    )
    hit = wait_for(lambda: stage.one(waits), 60, every=0.02)
    kill(pid, signal.SIGKILL)
    sender.join(120)
    holder.close()
    return *answers[0], hit


def play_full(stage: FailingStage, chosen: list[str] | None) -> Iterator[Outcome]:
    """The one disk that everything lies on fills up during an import; later it has room again."""
    outcome, begun = Outcome(stage.victim, "import"), time.monotonic()
    stage.prepare()
    stage.take_in(outcome)
    stage.before = stage.counts()
    used = _used()
    _resize(used + (12 << 20))
    stage.confirm()
    stopped = wait_for(lambda: _state(stage) in (S.FAILED, "interrupted", S.DONE, "away"), 120)
    outcome.hit = stopped
    status, page = stage.send()
    outcome.pages = [status]
    if status not in (409, 500, 503):
        outcome.wrong.append(f"a file was taken: {status}")
    elif status == 409 and "disk is full" not in page:
        outcome.wrong.append("the page does not say that the disk is full")
    files = set(stage.files())
    _resize(used + (1 << 30))
    stage.wait_until_up(outcome)
    wait_for(lambda: _state(stage) in (S.FAILED, "interrupted"), 60)
    outcome.state, outcome.left = _state(stage), stage.left()
    if Import.objects.count() != 1 or ReceivedFile.objects.exists():
        outcome.wrong.append("a row of a file that was refused")
    if set(stage.files()) - files:
        outcome.wrong.append(f"files {set(stage.files()) - files}")
    status, page = stage.page("progress")
    outcome.says = status == 200 and "Try again" in page and 'role="alert"' in page
    outcome.pages.append(status)
    if stage.press("retry") != 302:
        outcome.wrong.append("the retry was refused")
    wait_for(lambda: stage.fresh().state in (S.DONE, S.FAILED), 180)
    stage.check_whole(outcome)
    outcome.seconds = round(time.monotonic() - begun, 1)
    yield outcome


def _state(stage: Stage) -> str:
    try:
        found = stage.fresh()
    except DatabaseError:  # without room it may not even start
        connection.close()
        return "away"
    return "interrupted" if found.is_interrupted else str(found.state)


def _used() -> int:
    found = os.statvfs(settings.VAR_DIR)
    return (found.f_blocks - found.f_bfree) * found.f_frsize


def _resize(size: int) -> None:
    subprocess.run(
        ["mount", "-o", f"remount,size={size}", str(settings.VAR_DIR)],
        check=True,
    )
