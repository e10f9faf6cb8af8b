"""A system check: every URL says who it is for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.access import Audience


def walk(
    patterns: Sequence[URLPattern | URLResolver], prefix: str = ""
) -> Iterator[tuple[str, str, Any]]:
    """Give every (path, name, view callable) below `patterns`."""
    for entry in patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            namespace = f"{entry.namespace}:" if entry.namespace else ""
            for deep, name, view in walk(entry.url_patterns, path):
                yield deep, namespace + name, view
        else:
            yield path, entry.name or "", entry.callback


@register()
def every_view_names_its_audience(**_kwargs: object) -> list[CheckMessage]:
    """Report each view that `AudienceMiddleware` would refuse to everybody."""
    return [
        Error(
            f"The view at '{path}' names no audience, so nobody can open it.",
            hint="Put @audience(Audience.…) above the view.",
            id="crm.E001",
        )
        for path, _name, view in walk(get_resolver().url_patterns)
        if not isinstance(getattr(view, "audience", None), Audience)
    ]
