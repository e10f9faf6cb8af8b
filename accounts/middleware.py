"""What happens around every request: who asks, from where, in which language, and may they."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Callable

import pghistory
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils import translation
from django.utils.cache import patch_cache_control
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRedirect

from accounts import activity
from accounts.access import Audience
from accounts.models import User
from crm.kernel import clock

Respond = Callable[[HttpRequest], HttpResponse]


def client_address(request: HttpRequest) -> str:
    """Give the caller's address.

    X-Forwarded-For counts only as far as TRUSTED_PROXIES proxies of ours wrote it: with one proxy
    its last entry, with two the last but one. A client can write all the others itself.
    """
    hops = settings.TRUSTED_PROXIES
    if hops:
        forwarded = [
            part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        ]
        if len(forwarded) >= hops and _is_address(forwarded[-hops]):
            return str(forwarded[-hops])
    remote = str(request.META.get("REMOTE_ADDR", ""))
    return remote if _is_address(remote) else ""  # a Unix socket has none


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


class ActMiddleware:
    """Lets the book of acts know where a request came from."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        source = activity.Source(client_address(request) or None, secrets.token_hex(8))
        request.request_id = source.request_id  # type: ignore[attr-defined]  # shown on the 500 page
        token = activity.current.set(source)
        try:
            return self.get_response(request)
        finally:
            activity.current.reset(token)


def written_every() -> int:
    """Give by how many seconds the visit a session remembers may be older than the last one."""
    return min(300, int(settings.SESSION_IDLE_SECONDS) // 2)


class SessionLifetimeMiddleware:
    """Ends sessions that were idle or lived too long; a poll does not keep one alive.

    The times stand in the session. They are written at most every five minutes, so that reading a
    page costs no write; requests that carry `X-Poll` never write them.
    """

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if user.is_authenticated:
            now = int(clock.now().timestamp())
            started = request.session.get("started_at", now)
            seen = request.session.get("seen_at", now)
            if (
                now - seen > settings.SESSION_IDLE_SECONDS
                or now - started > settings.SESSION_LIFETIME_SECONDS
            ):
                logout(request)
            elif "X-Poll" not in request.headers and (
                "seen_at" not in request.session or now - seen > written_every()
            ):
                request.session["started_at"], request.session["seen_at"] = started, now
        response = self.get_response(request)
        if request.user.is_authenticated and not response.has_header("Cache-Control"):
            # Customer data must not stay in a cache: Back shows nothing once signed out.
            patch_cache_control(response, no_store=True, private=True)
        return response


class LanguageMiddleware:
    """Chooses the language: the person's own choice, else one made before signing in (a cookie),
    else Indonesian for staff, else the browser's.
    """

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        language = translation.get_language_from_request(request)
        if isinstance(user, User):
            by_default = user.role == User.Role.STAFF and not self._chosen(request)
            language = user.language or ("id" if by_default else language)
        translation.activate(language)
        request.LANGUAGE_CODE = translation.get_language() or settings.LANGUAGE_CODE
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
        return response

    @staticmethod
    def _chosen(request: HttpRequest) -> bool:
        cookie = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        return cookie in dict(settings.LANGUAGES)


class AudienceMiddleware:
    """Refuses whoever the view did not name. A view that names nobody admits nobody."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if isinstance(request.user, User):
            # The history tables say who made a change; pages, bulk acts and the Django admin alike.
            with pghistory.context(user=request.user.pk):
                return self.get_response(request)
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        who: Audience | None = getattr(view, "audience", None)
        user = request.user
        if who is not None and who.admits(user):
            return None
        if who is None or user.is_authenticated:
            activity.write(
                by=user if isinstance(user, User) else None,
                kind="access.denied",
                label=request.resolver_match.view_name if request.resolver_match else "",
            )
            raise PermissionDenied
        if getattr(request, "htmx", False):
            # A sign-in page must never be swapped into a table cell. The way back is the page that
            # asked, not the part it asked for.
            try:
                page = request.htmx.current_url_abs_path  # type: ignore[attr-defined]
            except ValueError:  # the header may say anything
                page = None
            return HttpResponseClientRedirect(_sign_in_url(page))
        # Back to a page, never to an action: it would be asked for with the wrong verb.
        safe = request.method in ("GET", "HEAD")
        return redirect(_sign_in_url(request.get_full_path() if safe else None))


def _sign_in_url(back_to: str | None) -> str:
    query = f"?{urlencode({REDIRECT_FIELD_NAME: back_to})}" if back_to and back_to != "/" else ""
    return resolve_url(settings.LOGIN_URL) + query


class PasswordChangeMiddleware:
    """Holds a person whose password an admin set on the page where they choose their own."""

    allowed = frozenset({"accounts:change_password", "accounts:signout"})

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: object
    ) -> HttpResponse | None:
        user, match = request.user, request.resolver_match
        if not isinstance(user, User) or not user.must_change_password or match is None:
            return None
        if match.view_name in self.allowed or getattr(view, "audience", None) is Audience.PUBLIC:
            return None
        if getattr(request, "htmx", False):
            return HttpResponseClientRedirect(resolve_url("accounts:change_password"))
        return redirect("accounts:change_password")
