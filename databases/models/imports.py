"""An uploaded file on its way to becoming a database."""

from __future__ import annotations

import datetime as dt
import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from crm.kernel import clock
from databases.models.catalog import Database, Product, Program, Role

# A running job says that it lives every second; past this it is presumed dead.
HEARTBEAT_LIMIT = dt.timedelta(seconds=20)


class ReceivedFileQuerySet(models.QuerySet["ReceivedFile"]):
    def visible_to(self, user: User) -> ReceivedFileQuerySet:
        """A file that arrived concerns only who sent it."""
        return self.filter(received_by=user) if user.is_admin else self.none()

    def whole(self) -> ReceivedFileQuerySet:
        return self.exclude(sha256="")

    def unfinished(self) -> ReceivedFileQuerySet:
        return self.filter(sha256="")


class ReceivedFile(models.Model):
    """A file that arrived, until an import takes it over: a refused form need not send it again.

    While it still arrives in pieces its content is not known: `sha256` is empty, `received_at` is
    when the last piece came.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    file = models.FileField(upload_to="uploads", max_length=200)
    original_name = models.CharField(max_length=255)
    size = models.BigIntegerField()
    arrived = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    received_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    received_at = models.DateTimeField(default=clock.now, editable=False)

    objects = ReceivedFileQuerySet.as_manager()

    class Meta:
        verbose_name = _("received file")
        verbose_name_plural = _("received files")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(arrived__gte=0) & models.Q(arrived__lte=models.F("size")),
                name="received_no_more_than_all",
            ),
            models.CheckConstraint(
                condition=models.Q(sha256="") | models.Q(arrived=models.F("size")),
                name="received_file_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.original_name


class ImportQuerySet(models.QuerySet["Import"]):
    def visible_to(self, user: User) -> ImportQuerySet:
        """Imports are the admins' business."""
        return self if user.is_admin else self.none()

    def unfinished(self) -> ImportQuerySet:
        return self.exclude(state__in=Import.OVER)

    def to_be_listed(self) -> ImportQuerySet:
        """Those on their way, then those undone whose file can still be checked again."""
        undone = models.Q(state=Import.State.UNDONE)
        again = undone & ~models.Q(file="")
        listed = self.filter(~models.Q(state__in=Import.OVER) | again)
        last = models.Case(models.When(undone, then=1), default=0)
        return listed.order_by(last, "-uploaded_at")


class Import(models.Model):
    """One uploaded file: what was found in it, what was chosen, how far it came."""

    class State(models.TextChoices):
        READING = "reading", _("Reading")
        REFUSED = "refused", _("Refused")
        WAITING = "waiting", _("To be checked")
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Importing")
        DONE = "done", _("Imported")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")
        UNDONE = "undone", _("Undone")

    # Nothing happens to these any more, unless an undone one is checked again.
    OVER = (State.DONE, State.REFUSED, State.CANCELLED, State.UNDONE)

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="imports")
    program = models.CharField(max_length=10, choices=Program.choices, default=Program.STANDARD)
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), blank=True, default="", max_length=2000)
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(default=clock.now, editable=False)

    file = models.FileField(upload_to="uploads", max_length=200, blank=True)
    original_name = models.CharField(max_length=255)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    token = models.UUIDField(null=True, unique=True)

    state = models.CharField(max_length=10, choices=State.choices, default=State.READING)
    choices = models.JSONField(default=dict)
    reading = models.JSONField(default=dict)
    problem = models.CharField(max_length=40, blank=True, default="")
    problem_detail = models.JSONField(default=dict, blank=True)
    attempt = models.PositiveIntegerField(default=0)

    rows_total = models.PositiveIntegerField(null=True)
    rows_done = models.PositiveIntegerField(default=0)
    confirmed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    cancel_requested = models.BooleanField(default=False)

    ready = models.PositiveIntegerField(default=0)
    attention = models.PositiveIntegerField(default=0)
    duplicate = models.PositiveIntegerField(default=0)
    blank = models.PositiveIntegerField(default=0)
    # How many of the ready ones were not ready at first: the counts above are those of now.
    repaired = models.PositiveIntegerField(default=0)
    database = models.OneToOneField(
        Database, on_delete=models.SET_NULL, null=True, related_name="source"
    )

    # How many records of the product's other databases are the same customers; none: not compared.
    overlap = models.JSONField(null=True, blank=True)
    # Set for a file of corrected rows: the import whose rows they are.
    corrects = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="corrections"
    )

    objects = ImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    state__in=[
                        "reading",
                        "refused",
                        "waiting",
                        "queued",
                        "running",
                        "done",
                        "failed",
                        "cancelled",
                        "undone",
                    ]
                ),
                name="import_state_known",
            ),
        ]
        indexes = [
            models.Index(fields=["-uploaded_at"], name="import_newest"),
            models.Index(fields=["sha256"], name="import_by_content"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_interrupted(self) -> bool:
        """Whether the process that worked on this import stopped saying that it lives."""
        return (
            self.state in (self.State.READING, self.State.RUNNING)
            and self.heartbeat_at is not None
            and clock.now() - self.heartbeat_at > HEARTBEAT_LIMIT
        )

    @property
    def needs_attention(self) -> bool:
        """Whether somebody has to look: it failed, stopped, or waits for its check."""
        return self.is_interrupted or self.state in (self.State.WAITING, self.State.FAILED)

    @property
    def percent(self) -> int:
        """How far the import is, below 100 until it is committed."""
        if not self.rows_total:
            return 0
        return min(99, self.rows_done * 100 // self.rows_total)

    @property
    def seconds_left(self) -> int | None:
        """How long it will still take, once five seconds have shown how fast it goes."""
        if self.started_at is None or not self.rows_done or not self.rows_total:
            return None
        spent = (clock.now() - self.started_at).total_seconds()
        if spent < 5:
            return None
        return max(1, round(spent / self.rows_done * (self.rows_total - self.rows_done)))

    @property
    def minutes_left(self) -> int | None:
        return None if self.seconds_left is None else -(-self.seconds_left // 60)

    @property
    def stored(self) -> int:
        """How many records the import brought."""
        return self.ready + self.attention

    @property
    def not_ready(self) -> int:
        """How many rows the report lists with their reason."""
        return self.attention + self.duplicate + self.blank

    @property
    def read(self) -> int:
        """How many rows the file had, by the outcomes: they add up."""
        return self.ready + self.attention + self.duplicate + self.blank


class ColumnMapping(models.Model):
    """What the columns under a header were for the last time: proposed for the next such file."""

    fingerprint = models.CharField(max_length=64, primary_key=True)
    roles = ArrayField(models.CharField(max_length=10, choices=Role.choices, blank=True))
    used_at = models.DateTimeField(default=clock.now)
    used_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("remembered columns")
        verbose_name_plural = _("remembered columns")

    def __str__(self) -> str:
        return self.fingerprint


class SkippedRow(models.Model):
    """A row of an import that became no record, kept for the report for 30 days."""

    class Reason(models.TextChoices):
        DUPLICATE_PHONE = "duplicate_phone", _("Same phone as row %(row)s")
        DUPLICATE_USERNAME = "duplicate_username", _("Same username as row %(row)s")
        BLANK = "blank", _("Blank row")

    source = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="skipped")
    row_number = models.PositiveIntegerField()
    reason = models.CharField(max_length=20, choices=Reason.choices)
    same_as = models.PositiveIntegerField(null=True)
    cells = ArrayField(models.TextField())

    class Meta:
        verbose_name = _("skipped row")
        verbose_name_plural = _("skipped rows")
        constraints = [
            models.UniqueConstraint(fields=["source", "row_number"], name="skipped_once_per_row"),
        ]

    def __str__(self) -> str:
        return f"{self.row_number}: {self.reason}"
