"""Icons drawn in the page: no request, no font, the colour of the text beside them."""

from __future__ import annotations

from functools import lru_cache

from django import template
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide

register = template.Library()


@register.simple_tag
def icon(name: str, size: object = 18, css: str = "") -> SafeString:
    """Give the Lucide icon `name` as SVG; a screen reader skips it."""
    return _drawn(str(name), int(str(size)), str(css))


@lru_cache(maxsize=512)
def _drawn(name: str, size: int, css: str) -> SafeString:
    extra = {"class": css} if css else {}
    svg = lucide(name, size=size, aria_hidden="true", focusable="false", **extra)
    return mark_safe(" ".join(svg.split()))  # noqa: S308 -- drawn by the library, which escapes
