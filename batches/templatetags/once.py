"""Parts of a page that say the same to everybody."""

from __future__ import annotations

from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

register = template.Library()


@register.simple_tag
def once(name: str) -> SafeString:
    """Include the template `name`, which needs nothing, as it was drawn the first time."""
    return _drawn(name, get_language())


@lru_cache(maxsize=64)
def _drawn(name: str, _language: str | None) -> SafeString:
    return render_to_string(name)
