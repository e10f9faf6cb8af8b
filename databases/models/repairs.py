"""Rows of a database that somebody put right after the import."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from crm.kernel import clock
from databases.models.catalog import Database


class RepairedRow(models.Model):
    """What a row held before somebody repaired it or skipped it, kept for 30 days."""

    class Became(models.TextChoices):
        READY = "ready", _("Ready")
        DUPLICATE = "duplicate", _("Skipped as a duplicate")

    database = models.ForeignKey(
        Database, on_delete=models.CASCADE, related_name="repaired_rows", db_index=False
    )
    row_number = models.PositiveIntegerField()
    was = models.CharField(max_length=20)
    became = models.CharField(max_length=10, choices=Became.choices, default=Became.READY)
    cells_before = ArrayField(models.TextField())
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = _("repaired row")
        verbose_name_plural = _("repaired rows")
        indexes = [models.Index(fields=["database", "row_number", "-at"], name="repaired_row_last")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(became__in=["ready", "duplicate"]), name="repaired_row_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.row_number}: {self.was}"
