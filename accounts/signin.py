"""Checking a password: the one place, so that the limit on wrong ones holds everywhere.

django-axes counts wrong passwords by account, in the database. Its count is read before the
password is checked and written after, so parallel guesses would all be checked; an advisory lock
per account lets one check of an account happen at a time.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.contrib.auth import authenticate, login
from django.db import OperationalError, connection, transaction
from django.http import HttpRequest  # noqa: TID251 -- the counter reads where the guess came from
from psycopg import errors

from accounts import activity
from accounts.models import User, normalise_email
from crm.kernel import clock


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check of a password came to: a person, or why not."""

    user: User | None = None
    retry_after: int = 0  # seconds; above 0 the password was not looked at
    expired: bool = False  # right, but given by an admin too long ago


def sign_in(*, request: HttpRequest, email: str, password: str) -> Outcome:
    """Sign a person in, or say why not. Unknown, wrong and inactive are told apart by nobody."""

    def enter(user: User) -> Outcome:
        given = user.password_expires_at if user.must_change_password else None
        if given is not None and given < clock.now():
            activity.write(by=None, kind="signin.failed", subject=user, why="expired")
            return Outcome(expired=True)
        login(request, user)  # a new session id and a new CSRF secret
        activity.write(by=user, kind="signin.ok", subject=user)
        return Outcome(user=user)

    outcome = _check(request, normalise_email(email), password, kind="signin", by=None)
    return outcome if outcome.user is None else enter(outcome.user)


def confirm_password(*, request: HttpRequest, user: User, password: str) -> Outcome:
    """Check the current password of somebody signed in, counted like a sign-in."""
    return _check(request, user.email, password, kind="password", by=user)


def _check(
    request: HttpRequest, email: str, password: str, *, kind: str, by: User | None
) -> Outcome:
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"password:{email}"]
                )
            return _evaluate(request, email, password, kind, by)
    except OperationalError as error:
        if not isinstance(error.__cause__, errors.LockNotAvailable):
            raise
        return Outcome(retry_after=5)  # so many guesses at once that the wait was too long


def _evaluate(
    request: HttpRequest, email: str, password: str, kind: str, by: User | None
) -> Outcome:
    credentials = {"email": email}
    if not AxesProxyHandler.is_allowed(request, credentials):
        _write(email, f"{kind}.throttled", by)
        return Outcome(retry_after=_seconds_left(request, email))
    user = authenticate(request, email=email, password=password)
    # The last wrong one sets this, for a middleware that would put a page of its own over ours.
    request.axes_locked_out = False  # type: ignore[attr-defined]  # axes' own
    if user is None:
        _write(email, f"{kind}.failed", by)
        return Outcome()
    assert isinstance(user, User)  # noqa: S101 -- AUTH_USER_MODEL
    return Outcome(user=user)


def _write(email: str, kind: str, by: User | None) -> None:
    """Write a refusal about the account, if there is one: as many queries either way."""
    user = User.objects.filter(email=email).first()
    activity.write(by=by, kind=kind, subject=user, label=email, email=email)


def _seconds_left(request: HttpRequest, email: str) -> int:
    last = AccessAttempt.objects.filter(username=email).order_by("-attempt_time").first()
    cool_off = get_cool_off(request) or dt.timedelta()
    if last is None:
        return 1
    seconds: float = (last.attempt_time + cool_off - clock.now()).total_seconds()
    return max(1, math.ceil(seconds))
