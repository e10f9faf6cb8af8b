"""People who sign in, and the book of what was done."""

from __future__ import annotations

import unicodedata
from typing import Any

import pghistory
import pgtrigger
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from crm.kernel import clock


def normalise_email(email: str) -> str:
    """Give the one spelling of an e-mail: also what wrong passwords are counted by."""
    return unicodedata.normalize("NFKC", email).strip().lower()


class UserQuerySet(models.QuerySet["User"]):
    def visible_to(self, user: User) -> UserQuerySet:
        """Admins see everybody, others themselves."""
        return self if user.is_admin else self.filter(pk=user.pk)

    def staff(self) -> UserQuerySet:
        return self.filter(role=User.Role.STAFF)

    def admins(self) -> UserQuerySet:
        return self.filter(role=User.Role.ADMIN)

    def active(self) -> UserQuerySet:
        return self.filter(is_active=True)


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]  # built at run time
    def get_by_natural_key(self, email: str | None) -> User:
        """Find a person by e-mail, whatever its case."""
        user: User = self.get(email=normalise_email(email or ""))
        return user

    def create_user(self, *, email: str, name: str, role: str, password: str | None) -> User:
        """Make a person; `password` None means nobody can sign in as them yet."""
        user = User(email=normalise_email(email), name=name, role=role)
        user.set_password(password)
        user.save(using=self._db)
        return user


@pghistory.track(
    pghistory.UpdateEvent(),
    fields=["email", "name", "role", "is_active", "must_change_password"],
    model_name="UserEvent",
    meta={
        "verbose_name": _("change of a person"),
        "verbose_name_plural": _("changes of people"),
    },
)
class User(AbstractBaseUser):
    """A person who signs in: an admin, or a staff member who contacts customers."""

    class Role(models.TextChoices):
        ADMIN = "admin", _("Admin")
        STAFF = "staff", _("Staff")

    class Theme(models.TextChoices):
        SYSTEM = "system", _("As the device")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    email = models.EmailField(_("e-mail"), max_length=254)
    name = models.CharField(_("name"), max_length=80)
    role = models.CharField(_("role"), max_length=10, choices=Role.choices, default=Role.STAFF)
    is_active = models.BooleanField(_("active"), default=True)
    language = models.CharField(_("language"), max_length=5, blank=True, default="")
    theme = models.CharField(_("theme"), max_length=6, choices=Theme.choices, default=Theme.SYSTEM)
    shortcuts = models.BooleanField(
        _("keyboard shortcuts"),
        default=True,
        help_text=_("Single keys do things on a page, never while you type. “?” lists them."),
    )
    must_change_password = models.BooleanField(default=False)
    password_expires_at = models.DateTimeField(null=True, blank=True)
    # Raised to end every session of this person for good, also should they be let in again.
    session_epoch = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name", "role"]

    objects = UserManager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            # With the next one this is once in whatever case.
            models.UniqueConstraint(
                fields=["email"],
                name="user_email_once",
                violation_error_message=_("Somebody has this e-mail already."),
            ),
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="user_email_in_lower_case"
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=["admin", "staff"]), name="user_role_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    @property
    def is_admin(self) -> bool:
        return self.role == self.Role.ADMIN

    def clean(self) -> None:
        self.email = normalise_email(self.email)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Tie sessions to the password, as Django does, and to `session_epoch`."""
        return salted_hmac(
            "accounts.User.session",
            f"{self.session_epoch}:{self.password}",
            secret=secret,
            algorithm="sha256",
        ).hexdigest()

    # Django's own admin asks these four; the role is the only answer there is.
    @property
    def is_staff(self) -> bool:
        return self.is_admin

    @property
    def is_superuser(self) -> bool:
        return self.is_admin

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return self.is_active and self.is_admin

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and self.is_admin


class ActivityQuerySet(models.QuerySet["Activity"]):
    def visible_to(self, user: User) -> ActivityQuerySet:
        """The book is for admins."""
        return self if user.is_admin else self.none()


class Activity(models.Model):
    """One act: who did what to what, when and from where. Written once, never changed."""

    at = models.DateTimeField(default=clock.now)
    actor = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=40)
    subject_type = models.CharField(max_length=40, blank=True, default="")
    subject_id = models.BigIntegerField(null=True)
    label = models.CharField(max_length=200, blank=True, default="")
    details = models.JSONField(default=dict)
    address = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=32, blank=True, default="")

    objects = ActivityQuerySet.as_manager()

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activities")
        indexes = [
            models.Index(fields=["-at", "-id"], name="activity_newest"),
            models.Index(fields=["actor", "-id"], name="activity_by_actor"),
            models.Index(fields=["kind", "-id"], name="activity_by_kind"),
            models.Index(fields=["subject_type", "subject_id", "-id"], name="activity_by_subject"),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.label}".strip()
