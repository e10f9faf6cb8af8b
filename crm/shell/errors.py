"""Error pages: what happened, what to do now; in the reader's language, signed in or not.

None of them asks the database for anything: it may be what broke.
"""

from __future__ import annotations

import logging

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.cache import add_never_cache_headers
from django.views.decorators.csrf import requires_csrf_token

logger = logging.getLogger(__name__)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400: the request itself is broken."""
    return _page(request, "400.html", 400, host_refused=isinstance(exception, DisallowedHost))


@requires_csrf_token
def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403: signed in, but this is not for their role."""
    return _page(request, "403.html", 403)


@requires_csrf_token
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404: not there, or not theirs; nobody learns which."""
    return _page(request, "404.html", 404)


def conflict(request: HttpRequest, message: str, *, back: str = "") -> HttpResponse:
    """Answer 409: what was asked no longer fits; `message` says why, `back` is where to look."""
    return _page(request, "409.html", 409, message=message, back=back)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 with the number under which the log has the details."""
    incident = getattr(request, "request_id", "")
    logger.error("incident %s: %s %s", incident, request.method, request.path)
    response = _page(request, "500.html", 500, incident=incident)
    if incident:
        response.headers["X-Request-Id"] = incident
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer 403 to a form that was open too long, or that came from elsewhere."""
    return _page(request, "403_csrf.html", 403, back=request.path)


def _page(request: HttpRequest, template: str, status: int, **context: object) -> HttpResponse:
    # Rendered without the request: no context processor runs, so nothing can fail a second time.
    language = getattr(request, "LANGUAGE_CODE", None)
    if language is None:
        # Broken before the language was chosen: what the browser asks for needs no database.
        language = translation.get_language_from_request(request)
    with translation.override(language):
        theme = request.COOKIES.get("theme", "")
        context |= {
            "LANGUAGE_CODE": language,
            "theme": theme if theme in ("light", "dark") else "system",
        }
        response = HttpResponse(render_to_string(template, context), status=status)
    response.headers["Content-Language"] = language
    add_never_cache_headers(response)
    return response
