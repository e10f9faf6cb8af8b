"""Holders who mark, note and undo at random, from several devices at once."""

from __future__ import annotations

import random

from accounts.models import User
from assignments.models import Assignment
from assignments.services import marks
from assignments.services.notes import save_note

# Who marked, in which batch (its database and hand-out), and the act.
Done = tuple[User, tuple[int, int | None], marks.Act]


class Marker:
    """Acts of holders; a player chooses among them."""

    chance: random.Random
    done: list[Done]

    def some(self) -> list[int]:
        active = Assignment.objects.active().order_by("pk").values_list("pk", flat=True)
        return self.chance.sample(ids, min(5, len(ids))) if (ids := list(active[:80])) else []

    def mark(self) -> None:
        for pk in self.some()[:1]:
            row = self.row(pk)
            reach = self.chance.choice([None, *Assignment.Reach])
            self.remember(row, marks.mark_reach(assignment_id=pk, reach=reach, by=row.staff))
            response = self.chance.choice([None, *Assignment.Response])
            act = marks.mark_response(assignment_id=pk, response=response, by=row.staff)
            self.remember(row, act)

    def mark_several(self) -> None:
        rows = [self.row(pk) for pk in self.some()]
        for first in rows[:1]:
            field = self.chance.choice(["reach", "response"])
            choices = Assignment.Reach if field == "reach" else Assignment.Response
            act = marks.mark_many(
                assignment_ids=[row.pk for row in rows if row.staff_id == first.staff_id],
                field=field,
                value=self.chance.choice([None, *choices.values]),
                by=first.staff,
            )
            self.remember(first, act)

    def undo(self) -> None:
        if self.done:
            staff, (database_id, request_id), act = self.done.pop()
            marks.undo_marks(
                staff=staff,
                database_id=database_id,
                request_id=request_id,
                field=act.field,
                at=act.at,
            )

    def note(self) -> None:
        for pk in self.some()[:1]:
            row = self.row(pk)
            text = self.chance.choice(["", "Ramah", "Nanti lagi"])
            save_note(assignment_id=pk, note=text, version=row.note_version, by=row.staff)

    def row(self, pk: int) -> Assignment:
        return Assignment.objects.select_related("staff").get(pk=pk)

    def remember(self, row: Assignment, act: marks.Act) -> None:
        self.done.append((row.staff, (row.database_id, row.request_id), act))
