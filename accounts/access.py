"""Who may see a view: every view names its audience, and one that names none admits nobody."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase
from django.urls import URLResolver

from accounts.models import User

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails


class MemberRequest(HttpRequest):
    """A request that passed the audience middleware: its user is one of ours."""

    user: User
    htmx: HtmxDetails


class Audience(StrEnum):
    """Who a view is for."""

    PUBLIC = "public"
    MEMBERS = "members"  # anyone signed in
    STAFF = "staff"
    ADMIN = "admin"

    def admits(self, user: User | AnonymousUser) -> bool:
        """Say whether this audience includes `user`."""
        if self is Audience.PUBLIC:
            return True
        if not isinstance(user, User) or not user.is_active:
            return False
        return self is Audience.MEMBERS or user.role == self.value


View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def audience(who: Audience) -> Callable[[View], View]:
    """Mark a view with the audience that `AudienceMiddleware` enforces."""

    def mark(view: View) -> View:
        view.audience = who  # type: ignore[attr-defined]  # a function may carry attributes
        return view

    return mark


Patterns = TypeVar("Patterns", bound=Any)


def mark_urls(patterns: Patterns, who: Audience) -> Patterns:
    """Mark every view of a list of patterns, or of `AdminSite.urls`, that came without a mark.

    For the views of somebody else's code: ours say it themselves. Gives what it was given.
    """
    for entry in patterns[0] if isinstance(patterns, tuple) else patterns:
        if isinstance(entry, URLResolver):
            mark_urls(entry.url_patterns, who)
        elif not hasattr(entry.callback, "audience"):
            # A bound method takes no attributes; its function does.
            getattr(entry.callback, "__func__", entry.callback).audience = who
    return patterns
