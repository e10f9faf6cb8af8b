"""A program: kill PostgreSQL in the middle of an import, look at what is left, and try again.

Run beside a running `manage.py up`, in its environment; prints what happened as JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import django

ROWS = 150_000


def main() -> None:
    """Play it and print the outcome."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "crm.settings"
    django.setup()
    from django.conf import settings
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.db import connection

    from accounts.models import User
    from crm.postgres.place import find_place
    from databases.models import Database, Import, Pool, Product, Record
    from databases.services import imports, uploads

    def now(what: Callable[[], object]) -> object:
        """Ask anew: the connection may have died since."""
        connection.close()
        return what()

    def wait_for(what: Callable[[], bool], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if now(what):
                return True
            time.sleep(0.1)
        return False

    admin = User.objects.create_user(
        email="admin@example.com", name="Admin", role="admin", password=None
    )
    product = Product.objects.create(name="Melati")
    rows = "".join(f"user{n},Pelanggan {n},0812{n:08}\n" for n in range(ROWS))
    file = SimpleUploadedFile("besar.csv", f"Username,Nama,No HP\n{rows}".encode())
    source = uploads.start_import(
        received=uploads.receive_file(upload=file, by=admin),
        product=product,
        name="Besar",
        description="",
        token=uuid.uuid4(),
        by=admin,
    )

    def fresh() -> Import:
        return Import.objects.get(pk=source.pk)

    read = wait_for(lambda: fresh().state == Import.State.WAITING, 60)
    found = fresh()
    roles = [column["role"] for column in found.reading["columns"]]
    imports.confirm_import(import_id=source.pk, attempt=found.attempt, roles=roles, by=admin)
    running = wait_for(lambda: 0 < fresh().rows_done < ROWS, 30)
    at_row = fresh().rows_done

    pid = int((find_place(Path(settings.VAR_DIR)).data / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)  # its backends notice and end; the next question starts it again
    left = now(lambda: (Record.objects.count(), Pool.objects.count(), Database.objects.count()))
    said = wait_for(lambda: fresh().is_interrupted or fresh().state == Import.State.FAILED, 60)
    state = fresh().state
    imports.retry_import(import_id=source.pk, by=admin)
    done = wait_for(lambda: fresh().state == Import.State.DONE, 120)
    outcome = {
        "read": read,
        "running": running,
        "at_row": at_row,
        "left": left,
        "said": said,
        "state": state,
        "done": done,
        "records": Record.objects.count(),
        "shelf": Pool.objects.count(),
        "databases": Database.objects.count(),
    }
    json.dump(outcome, sys.stdout)


if __name__ == "__main__":
    main()
