"""The sign of life of a job, over a connection of its own.

A job works in one long transaction; what it says about itself must be seen at once, and what
others ask of it must reach it. So a thread writes its heartbeat and progress beside that
transaction and reads whether the job should stop.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any, Self

from django.db import DatabaseError, connection
from django.db.models import QuerySet

from crm.kernel import clock

INTERVAL = 1.0

_leaving = threading.Event()


def leave() -> None:
    """Have every job of this process put its work down: the process is about to end."""
    _leaving.set()


def is_leaving() -> bool:
    """Say whether the jobs of this process stop because it ends, and not because of anybody."""
    return _leaving.is_set()


class Pulse:
    """Says every second that a job lives, and hears whether it should go on.

    `mine` is the row of the work (an `Import`, a `DatabaseChange`) as the job knows it: in this
    attempt and state. It should stop when the row has moved on without it, when it is among those
    `cancelled`, and when the process is about to end. The job sets `rows`.
    """

    def __init__(self, mine: QuerySet[Any], *, cancelled: QuerySet[Any] | None = None) -> None:
        self._mine = mine
        self._cancelled = mine.none() if cancelled is None else cancelled
        self._stop = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)
        self.rows = 0

    def should_stop(self) -> bool:
        """Say whether the job should give up; cheap, so it may be asked for every piece."""
        return self._stop.is_set() or is_leaving()

    def __enter__(self) -> Self:
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
        if not alive or self._cancelled.exists():
            self._stop.set()
