"""Real threads on the real database, and what must be true whoever was first.

Each race is run twice: with its lock, where the invariant holds, and with the lock taken away,
where it breaks. So that this does not depend on luck, a `Meeting` stands where the two would
collide: without the lock both arrive and go on together; with it the second cannot arrive, and
the first goes on after a moment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection

from assignments.reports.totals import differences

PATIENCE = 0.35


class Meeting:
    """A place where threads wait for each other, a moment at most."""

    def __init__(self, parties: int = 2) -> None:
        self._barrier = threading.Barrier(parties)

    def __call__(self) -> None:
        try:
            self._barrier.wait(PATIENCE)
        except threading.BrokenBarrierError:
            return

    def before(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Give `call` with this meeting in front of it."""

        def meet_first(*args: Any, **kwargs: Any) -> Any:
            self()
            return call(*args, **kwargs)

        return meet_first

    def after(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Give `call` with this meeting behind it."""

        def meet_then(*args: Any, **kwargs: Any) -> Any:
            result = call(*args, **kwargs)
            self()
            return result

        return meet_then


def at_once(*calls: Callable[[], Any], limit: float = 20) -> list[Any]:
    """Start all `calls` at the same moment and give what each returned or raised, in order."""
    start = threading.Barrier(len(calls))
    outcomes: list[Any] = [None] * len(calls)

    def run(index: int, call: Callable[[], Any]) -> None:
        try:
            start.wait(5)
            outcomes[index] = call()
        except Exception as error:  # noqa: BLE001 -- the test looks at it
            outcomes[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(limit)
        assert not thread.is_alive(), "a thread waits for ever"
    return outcomes


def kinds(outcomes: Sequence[Any]) -> list[str]:
    """Name the outcomes, sorted: nobody may depend on who was first."""
    return sorted(type(outcome).__name__ for outcome in outcomes)


def broken_rules() -> list[str]:
    """Name what is not true of the hand-outs now; empty when all is well."""
    rules = {
        "a record in two hands": """
            SELECT count(*) - count(DISTINCT record_id)
            FROM assignments_assignment WHERE state <> 'released'""",
        "a record on the shelf and in hands": """
            SELECT count(*) FROM databases_pool
            JOIN assignments_assignment a USING (record_id) WHERE a.state <> 'released'""",
        "a ready record nowhere": """
            SELECT count(*) FROM databases_record r WHERE attention IS NULL
            AND NOT EXISTS (SELECT FROM databases_pool p WHERE p.record_id = r.id)
            AND NOT EXISTS (SELECT FROM assignments_assignment a
                            WHERE a.record_id = r.id AND a.state <> 'released')""",
        "a pending request that does not hold what it asked": """
            SELECT count(*) FROM assignments_recordrequest q WHERE status = 'pending'
            AND quantity <> (SELECT count(*) FROM assignments_assignment
                             WHERE request_id = q.id AND state = 'held')""",
        "a decided request that holds records": """
            SELECT count(*) FROM assignments_recordrequest q JOIN assignments_assignment a
            ON a.request_id = q.id WHERE q.status <> 'pending' AND a.state = 'held'""",
        "a request not approved that gave records": """
            SELECT count(*) FROM assignments_recordrequest q JOIN assignments_assignment a
            ON a.request_id = q.id WHERE q.status <> 'approved' AND a.state = 'active'""",
        "an approved request that did not give what it says": """
            SELECT count(*) FROM assignments_recordrequest q WHERE status = 'approved'
            AND granted <> (SELECT count(*) FROM assignments_assignment
                            WHERE request_id = q.id AND assigned_at IS NOT NULL)""",
        "a pending request of an archived database": """
            SELECT count(*) FROM assignments_recordrequest q JOIN databases_database d
            ON d.id = q.database_id WHERE q.status = 'pending' AND d.archived_at IS NOT NULL""",
        "two lines in the book about one decision": """
            SELECT count(*) - count(DISTINCT subject_id) FROM accounts_activity
            WHERE kind IN ('request.approved', 'request.rejected', 'request.cancelled')""",
    }
    broken = []
    with connection.cursor() as cursor:
        for name, query in rules.items():
            cursor.execute(query)
            if cursor.fetchone()[0]:
                broken.append(name)
    return broken + [str(difference) for difference in differences()]
