"""Every write about people who sign in.

Lock order: the active admins (ids ascending), then the person. Whatever may take an admin away
locks all active admins first, so that two who remove each other are decided one after the other.
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from accounts import activity
from accounts.errors import (
    ChangedMeanwhile,
    EmailTaken,
    HasHistory,
    LastAdmin,
    NotYourself,
    OwnPassword,
)
from accounts.models import User, normalise_email
from crm.kernel import clock
from crm.kernel.transactions import atomic_with_retry

# Nothing that is read aloud or typed wrongly: no 0/O, 1/l/I, no vowels that make words.
_LETTERS = "bcdfghjkmnpqrstvwxz23456789"


@dataclass(frozen=True, slots=True)
class GivenPassword:
    """A person and the password to hand them; it is shown once and kept nowhere."""

    user: User
    password: str


@atomic_with_retry
def create_user(*, email: str, name: str, role: str, by: User) -> GivenPassword:
    """Let somebody in, with a random password that they must change at their first sign-in.

    Raises EmailTaken.
    """
    user = User(email=normalise_email(email), name=name, role=role)
    password = _give_password(user)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as clash:
        raise _translated(clash, user.email) from clash
    activity.write(by=by, kind="user.created", subject=user, email=user.email, role=role)
    return GivenPassword(user, password)


@atomic_with_retry
def edit_user(*, user_id: int, version: int, email: str, name: str, role: str, by: User) -> User:
    """Change who somebody is. A new role counts from their very next request.

    Raises ChangedMeanwhile when `version` is not the current one, EmailTaken, NotYourself and
    LastAdmin.
    """
    refuse_losing_admin(user_id=user_id, role=role, is_active=None, by=by)
    user: User = User.objects.select_for_update(no_key=True).get(pk=user_id)
    if user.version != version:
        raise ChangedMeanwhile(user)
    wanted = {"email": normalise_email(email), "name": name, "role": role}
    changes = {
        field: [getattr(user, field), value]
        for field, value in wanted.items()
        if getattr(user, field) != value
    }
    if not changes:
        return user
    for field, value in wanted.items():
        setattr(user, field, value)
    user.version += 1
    try:
        with transaction.atomic():
            user.save(update_fields=[*wanted, "version"])
    except IntegrityError as clash:
        raise _translated(clash, user.email) from clash
    activity.write(by=by, kind="user.changed", subject=user, changes=changes)
    return user


@atomic_with_retry
def reset_password(*, user_id: int, by: User) -> GivenPassword:
    """Give somebody a new random password; all their sessions end. Raises OwnPassword."""
    if user_id == by.pk:
        raise OwnPassword
    user: User = User.objects.select_for_update(no_key=True).get(pk=user_id)
    password = _give_password(user)
    user.session_epoch += 1
    user.save(
        update_fields=["password", "must_change_password", "password_expires_at", "session_epoch"]
    )
    activity.write(by=by, kind="user.password_reset", subject=user)
    return GivenPassword(user, password)


@atomic_with_retry
def deactivate_user(*, user_id: int, by: User, **details: Any) -> User:
    """Shut somebody out at once, in every session. Their name stays in the history.

    Raises NotYourself and LastAdmin. `details` go into the line of the book.
    """
    refuse_losing_admin(user_id=user_id, role=None, is_active=False, by=by)
    user: User = User.objects.select_for_update(no_key=True).get(pk=user_id)
    if user.is_active:
        user.is_active = False
        user.session_epoch += 1
        user.version += 1
        user.save(update_fields=["is_active", "session_epoch", "version"])
        activity.write(by=by, kind="user.deactivated", subject=user, **details)
    return user


@atomic_with_retry
def reactivate_user(*, user_id: int, by: User) -> User:
    """Let somebody in again, with the password they had."""
    user: User = User.objects.select_for_update(no_key=True).get(pk=user_id)
    if not user.is_active:
        user.is_active = True
        user.version += 1
        user.save(update_fields=["is_active", "version"])
        activity.write(by=by, kind="user.reactivated", subject=user)
    return user


@atomic_with_retry
def delete_user(*, user_id: int, by: User) -> None:
    """Remove an account that nothing depends on: a mistake, never used.

    Raises HasHistory, NotYourself and LastAdmin.
    """
    refuse_losing_admin(user_id=user_id, role=None, is_active=False, by=by)
    user: User = User.objects.select_for_update(no_key=True).get(pk=user_id)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            # The foreign keys decide. They are asked now instead of at the commit, and Django's
            # own collector is not: it would load every row that points here.
            cursor.execute("DELETE FROM accounts_user WHERE id = %s", [user_id])
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except IntegrityError as kept:
        raise HasHistory(user.name) from kept
    activity.write(by=by, kind="user.deleted", subject=user, email=user.email)


def refuse_losing_admin(
    *, user_id: int, role: str | None, is_active: bool | None, by: User
) -> None:
    """Refuse what would take the access of an admin away from themselves, or from the last one.

    `role` and `is_active` are what they would become (None: as before). Call it in the
    transaction of the change: it locks all active admins until the end of it.
    """
    admins = list(User.objects.admins().active().order_by("pk").select_for_update(no_key=True))
    losing = role not in (None, User.Role.ADMIN) or is_active is False
    if not losing:
        return
    if user_id == by.pk:
        raise NotYourself
    person = next((admin for admin in admins if admin.pk == user_id), None)
    if person is not None and len(admins) == 1:
        raise LastAdmin(person.name)


@atomic_with_retry
def change_own_password(*, user: User, password: str) -> User:
    """Set the password `user` chose; all their other sessions end."""
    user.set_password(password)
    user.must_change_password = False
    user.password_expires_at = None
    user.session_epoch += 1
    user.save(
        update_fields=["password", "must_change_password", "password_expires_at", "session_epoch"]
    )
    activity.write(by=user, kind="user.password_changed", subject=user)
    return user


@atomic_with_retry
def update_profile(
    *, user: User, version: int, name: str, language: str, theme: str, shortcuts: bool
) -> User:
    """Save what people may say about themselves.

    Raises ChangedMeanwhile when `version` is not the current one.
    """
    current: User = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if current.version != version:
        raise ChangedMeanwhile(current)
    wanted = {"name": name, "language": language, "theme": theme, "shortcuts": shortcuts}
    changes = {
        field: [getattr(current, field), value]
        for field, value in wanted.items()
        if getattr(current, field) != value
    }
    if changes:
        for field, value in wanted.items():
            setattr(current, field, value)
        current.version += 1
        current.save(update_fields=[*wanted, "version"])
        activity.write(by=user, kind="profile.changed", subject=current, changes=changes)
    return current


def set_preference(*, user: User, language: str | None = None, theme: str | None = None) -> None:
    """Remember one switch of language or theme: a taste, not an act for the book."""
    wanted = {"language": language, "theme": theme}
    given = {field: value for field, value in wanted.items() if value is not None}
    User.objects.filter(pk=user.pk).update(**given)


def _give_password(user: User) -> str:
    password = "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))
    user.set_password(password)
    user.must_change_password = True
    user.password_expires_at = clock.now() + dt.timedelta(hours=settings.PASSWORD_GIVEN_HOURS)
    return password


def _translated(clash: IntegrityError, email: str) -> Exception:
    return EmailTaken(email) if "user_email_once" in str(clash) else clash
