"""People who act at random on the same few databases, and remember what they were told."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from accounts.models import User
from assignments.models import RecordRequest
from assignments.services.archive import archive_database, unarchive_database
from assignments.services.recall import hand_over_all, recall, recall_all
from assignments.services.requests import (
    approve_request,
    cancel_request,
    reject_request,
    request_records,
)
from crm.kernel.errors import Busy, DomainError
from databases.models import Database
from tests.concurrency.markers import Done, Marker

STATUS = RecordRequest.Status


@dataclass
class Told:
    """What all players together were told: requests asked, and how each was decided."""

    asked: dict[int, int] = field(default_factory=dict)
    decided: dict[int, tuple[str, int | None]] = field(default_factory=dict)
    twice: list[int] = field(default_factory=list)
    acts: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, request: RecordRequest) -> None:
        """Remember a request as a service gave it back."""
        with self._lock:
            if request.status == STATUS.PENDING:
                self.asked[request.pk] = request.quantity
            elif request.pk in self.decided:
                self.twice.append(request.pk)
            else:
                self.decided[request.pk] = (request.status, request.granted)

    def count(self, act: str) -> None:
        with self._lock:
            self.acts[act] += 1

    def broken_promises(self) -> list[str]:
        """Name what is not in the database as somebody was told."""
        there = {
            pk: (quantity, status, granted)
            for pk, quantity, status, granted in RecordRequest.objects.filter(
                kind=RecordRequest.Kind.ASKED
            ).values_list("pk", "quantity", "status", "granted")
        }
        broken = [f"#{pk} was decided twice" for pk in self.twice]
        broken += [
            f"#{pk} was asked for {quantity}"
            for pk, quantity in self.asked.items()
            if there.get(pk, (0,))[0] != quantity
        ]
        broken += [
            f"#{pk} was {decision}, not {there[pk][1:]}"
            for pk, decision in self.decided.items()
            if there[pk][1:] != decision
        ]
        return broken + [f"#{pk} is nobody's doing" for pk in set(there) - set(self.asked)]


class Player(Marker):
    """One person's browser: random acts, each on whatever is there at that moment."""

    def __init__(
        self,
        seed: int,
        staff: list[User],
        admin: User,
        databases: list[Database],
        *,
        told: Told | None = None,
        most: int = 9,
    ) -> None:
        self.chance = random.Random(seed)
        self.staff, self.admin, self.databases = staff, admin, databases
        self.told, self.most = told or Told(), most
        self.done: list[Done] = []

    def play(self, turns: int) -> int:
        """Give how many acts went through. Any error but a refusal ends the game."""
        return sum(self.turn() for _ in range(turns))

    def play_until(self, handouts: int) -> None:
        """Act until all players together have taken from the shelf that often."""
        while len(self.told.asked) < handouts:
            self.turn()

    def turn(self) -> bool:
        try:
            self.act()
        except Busy:
            self.told.count("busy")
        except (DomainError, RecordRequest.DoesNotExist) as refusal:
            self.told.count(type(refusal).__name__)
        else:
            return True
        return False

    def act(self) -> None:
        person, database = self.chance.choice(self.staff), self.chance.choice(self.databases)
        waiting = list(RecordRequest.objects.pending().order_by("pk")[:4])
        asked = self.chance.choice(waiting) if waiting else None
        acts: list[Callable[[], object]] = [lambda: self.ask(person, database)] * 4
        if asked:
            some = self.chance.randint(1, asked.quantity)
            acts += [
                lambda: approve_request(request_id=asked.pk, by=self.admin, quantity=some),
                lambda: approve_request(request_id=asked.pk, by=self.admin),
                lambda: reject_request(request_id=asked.pk, by=self.admin, reason="no"),
                lambda: cancel_request(request_id=asked.pk, by=asked.staff),
            ]
        acts += [self.mark, self.mark_several, self.undo, self.note, self.recall_some]
        rare = self.chance.randrange(12)
        if rare == 0:
            acts = [lambda: recall_all(staff_id=person.pk, by=self.admin)]
        elif rare == 1:
            other = self.chance.choice(self.staff)
            acts = [
                lambda: hand_over_all(from_staff_id=person.pk, to_staff_id=other.pk, by=self.admin)
            ]
        elif rare == 2:
            acts = [lambda: archive_database(database_id=database.pk, by=self.admin)]
        elif rare in (3, 4):
            acts = [lambda: unarchive_database(database_id=database.pk, by=self.admin)]
        result = self.chance.choice(acts)()
        if isinstance(result, RecordRequest):
            self.told.note(result)

    def ask(self, person: User, database: Database) -> RecordRequest:
        quantity = self.chance.randint(1, self.most)
        return request_records(database_id=database.pk, quantity=quantity, by=person)

    def recall_some(self) -> None:
        recall(assignment_ids=self.some(), by=self.admin)
