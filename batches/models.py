"""What belongs to a batch besides its records: its look for its owner, messages, attempts."""

from __future__ import annotations

import pghistory
import pgtrigger
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from assignments.models import Assignment, RecordRequest
from crm.kernel import clock
from databases.models import Database, Product


class BatchSettingQuerySet(models.QuerySet["BatchSetting"]):
    def visible_to(self, user: User) -> BatchSettingQuerySet:
        """Staff see how they named and pinned their own batches, admins all."""
        return self if user.is_admin else self.filter(staff=user)


@pghistory.track(
    pghistory.UpdateEvent(condition=pgtrigger.AnyChange("title")),
    fields=["title"],
    model_name="BatchSettingEvent",
    meta={
        "verbose_name": _("change of a batch title"),
        "verbose_name_plural": _("changes of batch titles"),
    },
)
class BatchSetting(models.Model):
    """How one staff names and pins one of their batches; without a request it is the Legacy one."""

    staff = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    database = models.ForeignKey(Database, on_delete=models.PROTECT, related_name="batch_settings")
    request = models.ForeignKey(
        RecordRequest, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # Blank: the name of the database.
    title = models.CharField(_("title"), max_length=80, blank=True, default="")
    title_version = models.PositiveIntegerField(default=0, editable=False)
    pinned_at = models.DateTimeField(null=True, blank=True)

    objects = BatchSettingQuerySet.as_manager()

    class Meta:
        verbose_name = _("batch setting")
        verbose_name_plural = _("batch settings")
        constraints = [
            models.UniqueConstraint(
                fields=["staff", "database", "request"],
                nulls_distinct=False,
                name="batch_setting_once",
            ),
        ]

    def __str__(self) -> str:
        return self.title or f"{self.staff_id}/{self.database_id}/{self.request_id}"


class MessageTemplateQuerySet(models.QuerySet["MessageTemplate"]):
    def visible_to(self, user: User) -> MessageTemplateQuerySet:
        """Staff see what they can send now, admins the archived ones too."""
        return self if user.is_admin else self.current()

    def current(self) -> MessageTemplateQuerySet:
        return self.filter(archived_at=None)

    def of_product(self, product: Product | None) -> MessageTemplateQuerySet:
        """Keep those of a product, in the order they are offered."""
        return self.filter(product=product).order_by("position", "pk")


@pghistory.track(
    pghistory.UpdateEvent(condition=pgtrigger.AnyChange("name", "body", "archived_at")),
    fields=["name", "body", "archived_at"],
    model_name="MessageTemplateEvent",
    meta={
        "verbose_name": _("change of a message template"),
        "verbose_name_plural": _("changes of message templates"),
    },
)
class MessageTemplate(models.Model):
    """A message that staff may start a chat with; archived ones stay for the attempts they made."""

    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, related_name="message_templates", db_index=False
    )
    name = models.CharField(_("name"), max_length=80)
    body = models.TextField(_("message"), max_length=1000)
    position = models.PositiveIntegerField(default=0)
    archived_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    objects = MessageTemplateQuerySet.as_manager()

    class Meta:
        verbose_name = _("message template")
        verbose_name_plural = _("message templates")
        constraints = [
            models.UniqueConstraint(
                "product",
                Lower("name"),
                condition=models.Q(archived_at=None),
                name="message_template_name_once",
                violation_error_message=_("There is a message with this name already."),
            ),
            models.CheckConstraint(
                condition=~models.Q(body=""), name="message_template_says_something"
            ),
        ]
        indexes = [
            models.Index(fields=["product", "position"], name="message_template_in_order"),
        ]

    def __str__(self) -> str:
        return self.name


class ContactAttemptQuerySet(models.QuerySet["ContactAttempt"]):
    def visible_to(self, user: User) -> ContactAttemptQuerySet:
        """Staff see how they went after the customers they hold now, admins all."""
        if user.is_admin:
            return self
        return self.filter(assignment__staff=user, assignment__state=Assignment.State.ACTIVE)


class ContactAttempt(models.Model):
    """One time somebody copied or opened a customer's link. Only ever added."""

    class Kind(models.TextChoices):
        COPY = "copy", _("Copied")
        OPEN = "open", _("Opened")
        CALL = "call", _("Called")

    assignment = models.ForeignKey(
        Assignment, on_delete=models.PROTECT, related_name="attempts", db_index=False
    )
    kind = models.CharField(max_length=4, choices=Kind.choices)
    at = models.DateTimeField(default=clock.now, editable=False)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    template = models.ForeignKey(
        MessageTemplate, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # As it was called then: a template may be renamed.
    template_name = models.CharField(max_length=80, blank=True, default="")

    objects = ContactAttemptQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact attempt")
        verbose_name_plural = _("contact attempts")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["copy", "open", "call"]), name="attempt_kind_known"
            ),
        ]
        indexes = [models.Index(fields=["assignment", "at"], name="attempt_of_assignment")]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
