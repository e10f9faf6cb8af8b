"""The sign of life of a job, over a connection of its own.

A job works in one long transaction; what it says about itself must be seen at once, and what
others ask of it must reach it. So a thread writes its heartbeat and progress beside that
transaction and reads whether the job should stop.
"""

from __future__ import annotations

import threading
from types import TracebackType

from django.db import DatabaseError, connection

from crm.kernel import clock
from databases.models import Import

INTERVAL = 1.0


class Pulse:
    """Says every second that a job on an import lives, and hears whether it should go on.

    It should stop when somebody cancelled it, or when the import has moved on without it: a newer
    attempt exists. The job sets `rows`.
    """

    def __init__(self, *, import_id: int, attempt: int, state: Import.State) -> None:
        self._mine = Import.objects.filter(pk=import_id, attempt=attempt, state=state)
        self._stop = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)
        self.rows = 0

    def should_stop(self) -> bool:
        """Say whether the job should give up; cheap, so it may be asked for every piece."""
        return self._stop.is_set()

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join(10)

    def _beat(self) -> None:
        try:
            while not self._over.wait(INTERVAL):
                try:
                    self._say()
                except DatabaseError:
                    # The server is away or busy; the job itself will find out. Try again.
                    connection.close()
        finally:
            connection.close()

    def _say(self) -> None:
        alive = self._mine.update(heartbeat_at=clock.now(), rows_done=self.rows)
        if not alive or self._mine.filter(cancel_requested=True).exists():
            self._stop.set()
