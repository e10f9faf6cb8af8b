"""One act of handing out records."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from crm.kernel import clock
from databases.models import Database


class RecordRequestQuerySet(models.QuerySet["RecordRequest"]):
    def visible_to(self, user: User) -> RecordRequestQuerySet:
        """Staff see their own, admins all."""
        return self if user.is_admin else self.filter(staff=user)

    def asked(self) -> RecordRequestQuerySet:
        """Leave out what admins handed out without being asked."""
        return self.filter(kind=RecordRequest.Kind.ASKED)

    def pending(self) -> RecordRequestQuerySet:
        return self.filter(status=RecordRequest.Status.PENDING)

    def decided(self) -> RecordRequestQuerySet:
        return self.exclude(status=RecordRequest.Status.PENDING)


class RecordRequest(models.Model):
    """One act of handing out, asked for by staff or done by an admin: the batch it grants."""

    class Kind(models.TextChoices):
        ASKED = "asked", _("Asked for")
        RANDOM = "random", _("Random")
        MANUAL = "manual", _("By hand")
        HANDOVER = "handover", _("Handed over")

    class Status(models.TextChoices):
        PENDING = "pending", _("Pending")
        APPROVED = "approved", _("Approved")
        REJECTED = "rejected", _("Rejected")
        CANCELLED = "cancelled", _("Cancelled")

    database = models.ForeignKey(Database, on_delete=models.PROTECT, related_name="requests")
    staff = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="requests", db_index=False
    )
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.ASKED)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.PENDING)
    quantity = models.PositiveIntegerField(_("quantity"))
    granted = models.PositiveIntegerField(null=True)
    note = models.CharField(_("note"), max_length=300, blank=True, default="")
    reason = models.CharField(_("reason"), max_length=300, blank=True, default="")
    # The form's own number: the same form sent twice is one request.
    token = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    objects = RecordRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("request")
        verbose_name_plural = _("requests")
        constraints = [
            models.UniqueConstraint(fields=["staff", "token"], name="request_once_per_form"),
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0), name="request_for_at_least_one"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["pending", "approved", "rejected", "cancelled"]),
                name="request_status_known",
            ),
            models.CheckConstraint(
                condition=models.Q(status="pending", decided_at=None)
                | (~models.Q(status="pending") & models.Q(decided_at__isnull=False)),
                name="request_decided_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"], name="request_pending", condition=models.Q(status="pending")
            ),
            models.Index(fields=["staff", "-id"], name="request_newest_of_staff"),
            models.Index(fields=["-decided_at", "-id"], name="request_last_decided"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
