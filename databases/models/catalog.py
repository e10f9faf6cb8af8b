"""Products, and the customer lists that belong to them."""

from __future__ import annotations

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from crm.kernel import clock
from databases.models.whole import database_triggers


class Program(models.TextChoices):
    """The three ways records are handed out; their databases never mix."""

    STANDARD = "standard", _("Standard")
    BONANZA = "bonanza", "DB Bonanza"
    MEMBER_WD = "member_wd", "Member WD"


class Role(models.TextChoices):
    """What a column of a customer list is for."""

    KEEP = "", _("Keep")
    USERNAME = "username", _("Username")
    NAME = "name", _("Name")
    PHONE = "phone", _("Phone")
    SENSITIVE = "sensitive", _("Sensitive")
    IGNORE = "ignore", _("Ignore")


class ProductQuerySet(models.QuerySet["Product"]):
    def visible_to(self, user: User) -> ProductQuerySet:
        """Products are no secret; changing them is for admins."""
        return self

    def current(self) -> ProductQuerySet:
        return self.filter(archived_at=None)


@pghistory.track(
    pghistory.UpdateEvent(),
    fields=["name", "archived_at"],
    model_name="ProductEvent",
    meta={
        "verbose_name": _("change of a product"),
        "verbose_name_plural": _("changes of products"),
    },
)
class Product(models.Model):
    """A brand or service that customer lists belong to."""

    name = models.CharField(_("name"), max_length=80)
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ProductQuerySet.as_manager()

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="product_name_once",
                violation_error_message=_("There is a product with this name already."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class DatabaseQuerySet(models.QuerySet["Database"]):
    def visible_to(self, user: User) -> DatabaseQuerySet:
        """Admins see all but deleted ones; staff what they can ask from: standard, not archived."""
        there = self.filter(deleted_at=None)
        if user.is_admin:
            return there
        return there.filter(program=Program.STANDARD, archived_at=None)

    def current(self) -> DatabaseQuerySet:
        """Keep those that records can be handed out from (a deleted one is archived too)."""
        return self.filter(archived_at=None)

    def in_program(self, program: str) -> DatabaseQuerySet:
        return self.filter(program=program)


@pghistory.track(
    pghistory.UpdateEvent(),
    fields=["product", "name", "description", "roles", "archived_at"],
    model_name="DatabaseEvent",
    meta={
        "verbose_name": _("change of a database"),
        "verbose_name_plural": _("changes of databases"),
    },
)
class Database(models.Model):
    """One imported customer list. It is created with its records, so it exists only when whole.

    A deleted one loses its records and is shown nowhere; its row stays for what points at it: who
    asked for its records, and what staff did on which day.
    """

    product = models.ForeignKey(
        Product, on_delete=models.PROTECT, null=True, blank=True, related_name="databases"
    )
    program = models.CharField(max_length=10, choices=Program.choices, default=Program.STANDARD)
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), blank=True, default="", max_length=2000)
    columns = ArrayField(models.TextField())
    roles = ArrayField(models.CharField(max_length=10, choices=Role.choices, blank=True))
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)
    archived_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    deleted_at = models.DateTimeField(null=True, blank=True)
    deleted_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = DatabaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("database")
        verbose_name_plural = _("databases")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(program__in=Program.values), name="database_program_known"
            ),
            models.CheckConstraint(
                condition=models.Q(roles__len=models.F("columns__len")),
                name="database_role_for_each_column",
            ),
            models.CheckConstraint(
                condition=models.Q(deleted_at=None) | models.Q(archived_at__isnull=False),
                name="database_deleted_is_archived",
            ),
        ]
        indexes = [
            models.Index(fields=["program", "-created_at"], name="database_newest"),
        ]
        triggers = database_triggers

    def __str__(self) -> str:
        return self.name

    @property
    def has_phone(self) -> bool:
        return Role.PHONE in self.roles

    @property
    def has_username(self) -> bool:
        return Role.USERNAME in self.roles

    def column_roles(self) -> list[tuple[str, str]]:
        """Give (name, role) of every column, the role in words."""
        return [
            (name, str(Role(role).label))
            for name, role in zip(self.columns, self.roles, strict=True)
        ]

    def hidden_columns(self) -> list[tuple[str, str]]:
        """Give (name, role) of the columns that staff never see."""
        shown = set(self.shown_positions())
        return [column for i, column in enumerate(self.column_roles()) if i not in shown]

    def shown_columns(self) -> list[str]:
        """Give the names of the columns that staff may see."""
        return [self.columns[i] for i in self.shown_positions()]

    def shown_positions(self) -> list[int]:
        hidden = {Role.SENSITIVE.value, Role.IGNORE.value}
        return [i for i, role in enumerate(self.roles) if role not in hidden]
