"""Records in people's hands."""

from __future__ import annotations

import pghistory
import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from assignments.models.requests import RecordRequest
from assignments.models.totals import assignment_triggers
from databases.models import Database, Record


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def visible_to(self, user: User) -> AssignmentQuerySet:
        """Staff see what is theirs now; held records are nobody's yet, released ones no longer."""
        if user.is_admin:
            return self
        return self.filter(staff=user, state=Assignment.State.ACTIVE)

    def live(self) -> AssignmentQuerySet:
        return self.filter(released_at=None)

    def active(self) -> AssignmentQuerySet:
        # Said twice, so that the indexes of what is live serve.
        return self.filter(state=Assignment.State.ACTIVE, released_at=None)

    def held_by(self, request: RecordRequest) -> AssignmentQuerySet:
        return self.filter(request=request, state=Assignment.State.HELD)

    def of_batch(
        self, *, staff_id: int, database_id: int, request_id: int | None
    ) -> AssignmentQuerySet:
        """Keep one batch: the records of one hand-out, or the Legacy ones of a database."""
        return self.filter(staff_id=staff_id, database_id=database_id, request_id=request_id)


@pghistory.track(
    pghistory.UpdateEvent(condition=pgtrigger.AnyChange("reach", "response", "note")),
    fields=[
        "reach",
        "reach_at",
        "reach_by",
        "response",
        "response_at",
        "response_by",
        "note",
        "note_at",
        "note_by",
    ],
    model_name="AssignmentEvent",
    meta={
        "verbose_name": _("change of marks"),
        "verbose_name_plural": _("changes of marks"),
    },
    obj_field=pghistory.ObjForeignKey(related_name="events"),
)
class Assignment(models.Model):
    """A record in somebody's hands, with what they marked. Released ones stay as history.

    Kept narrow, and no index covers a mark, or the state: a mark and an approval are then HOT
    updates. What is live is told from `released_at` for that reason.
    """

    class State(models.TextChoices):
        HELD = "held", _("Held for a request")
        ACTIVE = "active", _("Assigned")
        RELEASED = "released", _("Released")

    class Reach(models.TextChoices):
        ADA = "ada", "Ada"
        CEKLIS1 = "ceklis1", "Ceklis 1"
        TIDAK = "tidak", "Tidak"

    class Response(models.TextChoices):
        YA = "ya", "Ya"
        TIDAK = "tidak", "Tidak"

    # Both checked by statement: databases.models.whole says why.
    record = models.ForeignKey(
        Record, on_delete=models.PROTECT, related_name="assignments", db_constraint=False
    )
    database = models.ForeignKey(
        Database, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    staff = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="assignments", db_index=False
    )
    request = models.ForeignKey(
        RecordRequest,
        on_delete=models.PROTECT,
        null=True,
        related_name="assignments",
        db_index=False,
    )
    state = models.CharField(max_length=8, choices=State.choices)
    held_at = models.DateTimeField(null=True)
    assigned_at = models.DateTimeField(null=True)
    released_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )

    reach = models.CharField(  # noqa: DJ001 -- null is "not checked", as the API says it
        max_length=7, choices=Reach.choices, null=True, blank=True
    )
    reach_at = models.DateTimeField(null=True)
    reach_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    response = models.CharField(  # noqa: DJ001 -- null is "not known", as the API says it
        max_length=5, choices=Response.choices, null=True, blank=True
    )
    response_at = models.DateTimeField(null=True)
    response_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    note = models.CharField(_("note"), max_length=500, blank=True, default="")
    note_at = models.DateTimeField(null=True)
    note_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    note_version = models.PositiveIntegerField(default=0)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        constraints = [
            models.UniqueConstraint(
                fields=["record"],
                condition=models.Q(released_at=None),
                name="record_in_one_pair_of_hands",
            ),
            models.CheckConstraint(
                condition=models.Q(state="released", released_at__isnull=False)
                | (~models.Q(state="released") & models.Q(released_at=None)),
                name="assignment_released_has_time",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["held", "active", "released"]),
                name="assignment_state_known",
            ),
            models.CheckConstraint(
                condition=models.Q(reach=None) | models.Q(reach__in=["ada", "ceklis1", "tidak"]),
                name="assignment_reach_known",
            ),
            models.CheckConstraint(
                condition=models.Q(response=None) | models.Q(response__in=["ya", "tidak"]),
                name="assignment_response_known",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="active") | models.Q(assigned_at__isnull=False),
                name="assignment_active_has_time",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="held")
                | models.Q(reach=None, response=None, request__isnull=False),
                name="assignment_held_is_blank",
            ),
        ]
        indexes = [
            models.Index(fields=["request", "record"], name="assignment_in_batch"),
            models.Index(fields=["staff", "database", "record"], name="assignment_of_staff"),
            models.Index(
                fields=["database"],
                name="assignment_live_in_database",
                condition=models.Q(released_at=None),
            ),
        ]
        triggers = assignment_triggers

    def __str__(self) -> str:
        return f"#{self.pk}"
