"""One URL answers a page or a fragment: the helpers for both."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails


def wants_fragment(request: HttpRequest) -> bool:
    """Say whether htmx asked for a part: a boosted link or a restored history entry is a page."""
    htmx: HtmxDetails | None = getattr(request, "htmx", None)
    if not htmx:
        return False
    return not htmx.boosted and not htmx.history_restore_request


def page_or_fragment(
    request: HttpRequest,
    page: str,
    fragment: str,
    context: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    """Render `fragment` (a file, or `file.html#partial`) for htmx and `page` for everybody else."""
    template = fragment if wants_fragment(request) else page
    response = render(request, template, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def redirect_to(request: HttpRequest, to: Any, *args: Any, **kwargs: Any) -> HttpResponse:
    """Send the reader to another page, whoever asked: htmx or a plain form."""
    if wants_fragment(request):
        answer: HttpResponse = HttpResponseClientRedirect(resolve_url(to, *args, **kwargs))
        return answer
    plain: HttpResponse = redirect(to, *args, **kwargs)
    return plain


def announce(response: HttpResponse, *events: str) -> HttpResponse:
    """Let the page know what happened, as past-tense events (`badges:changed`) on its body."""
    return _trigger(response, dict.fromkeys(events))


def toast(
    response: HttpResponse, text: str, *, tone: str = "ok", undo_url: str = ""
) -> HttpResponse:
    """Show `text` for some seconds on the page that receives this htmx answer."""
    return _trigger(response, {"toast:show": {"text": text, "tone": tone, "undo": undo_url}})


def _trigger(response: HttpResponse, events: dict[str, Any]) -> HttpResponse:
    known = json.loads(response.headers.get("HX-Trigger", "{}"))
    response.headers["HX-Trigger"] = json.dumps(known | events)
    return response
