"""The records of a database, and the shelf of those that are nobody's yet.

A ready record is in exactly one of two places: on the shelf (`Pool`) or in a live assignment.
"""

from __future__ import annotations

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from databases.models.catalog import Database, Role
from databases.models.totals import pool_triggers, record_triggers


class Attention(models.TextChoices):
    """Why a record is not handed out until somebody repairs it."""

    MISSING_PHONE = "missing_phone", _("No phone number")
    INVALID_PHONE = "invalid_phone", _("Not a usable phone number")
    PHONE_PRECISION_LOST = "phone_precision_lost", _("Digits lost in the spreadsheet")
    CELL_TOO_LONG = "cell_too_long", _("A cell is too long")


class RecordQuerySet(models.QuerySet["Record"]):
    def visible_to(self, user: User) -> RecordQuerySet:
        """Rows as uploaded are the admins'; staff see what they hold, through assignments."""
        return self if user.is_admin else self.none()

    def in_database(self, database_id: int) -> RecordQuerySet:
        return self.filter(database_id=database_id)

    def needing_attention(self) -> RecordQuerySet:
        return self.exclude(attention=None)

    def attention_counts(self, database_id: int, *, most: int) -> dict[str, int]:
        """Count what needs attention in a database by reason, none of them further than `most`."""
        needing = self.in_database(database_id)
        counts = {
            reason: needing.filter(attention=reason).values("pk")[:most].count()
            for reason in Attention.values
        }
        return {reason: count for reason, count in counts.items() if count}


class Record(models.Model):
    """One customer row of an uploaded database; never changed by a hand-out."""

    database = models.ForeignKey(
        Database,
        on_delete=models.PROTECT,
        related_name="records",
        db_index=False,
        db_constraint=False,  # checked by statement: databases.models.whole
    )
    row_number = models.PositiveIntegerField()
    cells = ArrayField(models.TextField())
    username = models.TextField(blank=True, default="")
    name = models.TextField(blank=True, default="")
    phone = models.CharField(max_length=15, blank=True, default="")
    username_key = models.TextField(blank=True, default="")
    name_key = models.TextField(blank=True, default="")
    attention = models.CharField(  # noqa: DJ001 -- null is "ready"; a partial index needs it
        max_length=20, choices=Attention.choices, null=True, blank=True
    )

    objects = RecordQuerySet.as_manager()

    class Meta:
        verbose_name = _("record")
        verbose_name_plural = _("records")
        constraints = [
            models.UniqueConstraint(fields=["database", "row_number"], name="record_once_per_row"),
        ]
        indexes = [
            models.Index(fields=["phone"], name="record_by_phone", condition=~models.Q(phone="")),
            models.Index(
                fields=["username_key"],
                name="record_by_username",
                condition=~models.Q(username_key=""),
            ),
            GinIndex(OpClass("name_key", name="gin_trgm_ops"), name="record_name_contains"),
            # Pages of what needs attention, all of it or for one reason, in the file's order.
            models.Index(
                fields=["database", "row_number"],
                name="record_needs_attention",
                condition=~models.Q(attention=None),
            ),
            models.Index(
                fields=["database", "attention", "row_number"],
                name="record_needs_attention_for",
                condition=~models.Q(attention=None),
            ),
        ]
        triggers = record_triggers

    def __str__(self) -> str:
        return self.name or self.username or self.phone or f"#{self.row_number}"

    def shown_cells(self) -> list[tuple[str, str]]:
        """Give (column, value) of what staff may see, without the three identity columns."""
        identity = {Role.USERNAME.value, Role.NAME.value, Role.PHONE.value}
        return [
            (self.database.columns[i], self.cells[i])
            for i in self.database.shown_positions()
            if self.database.roles[i] not in identity and i < len(self.cells) and self.cells[i]
        ]


class Pool(models.Model):
    """A record on the shelf: ready, and nobody's. Rows are inserted and deleted, never updated.

    Its foreign keys are checked by statement (`databases.models.whole`).
    """

    record = models.OneToOneField(
        Record, primary_key=True, on_delete=models.PROTECT, db_constraint=False
    )
    database = models.ForeignKey(
        Database,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    shuffle = models.IntegerField()
    username_key = models.TextField(blank=True, default="")
    name_key = models.TextField(blank=True, default="")
    phone = models.CharField(max_length=15, blank=True, default="")

    class Meta:
        verbose_name = _("record on the shelf")
        verbose_name_plural = _("records on the shelf")
        indexes = [models.Index(fields=["database", "shuffle"], name="pool_in_shuffle_order")]
        triggers = [
            pgtrigger.Protect(name="never_updated", operation=pgtrigger.Update),
            *pool_triggers,
        ]

    def __str__(self) -> str:
        return f"#{self.record_id}"


class DatabaseStat(models.Model):
    """How many records of a database are where. Triggers keep it; nobody writes it by hand."""

    database = models.OneToOneField(
        Database, primary_key=True, on_delete=models.CASCADE, related_name="stat"
    )
    total = models.PositiveIntegerField(default=0)
    attention = models.PositiveIntegerField(default=0)
    available = models.PositiveIntegerField(default=0)
    requested = models.PositiveIntegerField(default=0)
    assigned = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("database totals")
        verbose_name_plural = _("database totals")

    def __str__(self) -> str:
        return f"{self.database_id}: {self.total}"

    @property
    def ready(self) -> int:
        return self.total - self.attention

    @property
    def most(self) -> int:
        """The most that can be handed out, as the whole of a bar: never nothing."""
        return max(1, self.total)
