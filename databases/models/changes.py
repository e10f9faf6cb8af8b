"""Work on a whole database that takes longer than a page may."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from crm.kernel import clock
from databases.models.catalog import Database
from databases.models.imports import HEARTBEAT_LIMIT


class DatabaseChangeQuerySet(models.QuerySet["DatabaseChange"]):
    def visible_to(self, user: User) -> DatabaseChangeQuerySet:
        """Changes of databases are the admins' business."""
        return self if user.is_admin else self.none()

    def unfinished(self) -> DatabaseChangeQuerySet:
        return self.filter(state__in=[DatabaseChange.State.QUEUED, DatabaseChange.State.RUNNING])

    def last_of(self, database_id: int) -> DatabaseChange | None:
        """Give the newest change of a database, or None where there never was one."""
        ours = self.filter(database_id=database_id).select_related("database", "created_by")
        return ours.order_by("-pk").first()


class DatabaseChange(models.Model):
    """One change of all records of a database, on its way in the background.

    While one is unfinished nothing else changes the database: no hand-out, no recall, no repair.
    The product's lock, taken exclusively when it is asked for, makes that certain.
    """

    class Kind(models.TextChoices):
        COLUMNS = "columns", _("Columns read anew")
        DELETE = "delete", _("Deletion")
        UNDO = "undo", _("Undoing an import")

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    database = models.ForeignKey(Database, on_delete=models.PROTECT, related_name="changes")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    params = models.JSONField(default=dict, blank=True)
    result = models.JSONField(default=dict, blank=True)
    problem = models.CharField(max_length=40, blank=True, default="")
    attempt = models.PositiveIntegerField(default=1)
    rows_total = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = DatabaseChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change of all records")
        verbose_name_plural = _("changes of all records")
        constraints = [
            models.UniqueConstraint(
                fields=["database"],
                condition=models.Q(state__in=["queued", "running"]),
                name="database_changes_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["columns", "delete", "undo"]),
                name="database_change_kind_known",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["queued", "running", "done", "failed"]),
                name="database_change_state_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.database_id}"

    @property
    def is_busy(self) -> bool:
        return self.state in (self.State.QUEUED, self.State.RUNNING)

    @property
    def is_interrupted(self) -> bool:
        """Whether the process that worked on this change stopped saying that it lives."""
        return (
            self.state == self.State.RUNNING
            and self.heartbeat_at is not None
            and clock.now() - self.heartbeat_at > HEARTBEAT_LIMIT
        )

    @property
    def percent(self) -> int:
        """How far the change is, below 100 until it is committed."""
        return min(99, self.rows_done * 100 // self.rows_total) if self.rows_total else 0
