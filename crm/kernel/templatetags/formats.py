"""Numbers, money, times and phones as people here read them."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from crm.kernel import clock
from crm.kernel.contact import local_phone

register = template.Library()

NOTHING = "–"
_MINUTE, _HOUR, _DAY = 60, 3600, 24 * 3600


@register.filter
def thousands(value: Any) -> str:
    """Write a whole number in the reader's language: 12.480 or 12,480; nothing is "–"."""
    if value is None or value == "":
        return NOTHING
    if type(value) is int and -1000 < value < 1000:
        return str(value)  # the same in every language, and most numbers of a page are small
    try:
        return number_format(int(value), use_l10n=True, force_grouping=True)
    except (TypeError, ValueError):
        return str(value)


@register.filter
def rupiah(value: Any) -> str:
    """Write an amount as Rp 1.500.000 in both languages; the space does not break."""
    if value is None or value == "":
        return NOTHING
    whole = int(Decimal(value).quantize(Decimal(1), ROUND_HALF_UP))
    sign = "-" if whole < 0 else ""
    return f"{sign}Rp\N{NO-BREAK SPACE}{abs(whole):,}".replace(",", ".")


@register.filter
def percent(value: Any) -> str:
    """Write 75 (already a percentage, not a ratio) as 75%; None, a part of nothing, as "–"."""
    if value is None or value == "":
        return NOTHING
    return f"{int(Decimal(value).quantize(Decimal(1), ROUND_HALF_UP))}%"


@register.filter
def day(value: dt.date | dt.datetime | None) -> str:
    """Write a date as 13 Jan 2026; a moment as its day in TIME_ZONE."""
    if not value:
        return NOTHING
    if isinstance(value, dt.datetime):
        value = timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    return date_format(value, "j M Y")


@register.filter
def moment(value: dt.datetime | None) -> str:
    """Write a moment as 13 Jan 2026 14.05, in TIME_ZONE."""
    if not value:
        return NOTHING
    return date_format(timezone.localtime(value), "j M Y H.i")


@register.filter
def when(value: dt.datetime | None) -> SafeString | str:
    """Write how long ago a moment was, up to a day; then its date. The full time is the title."""
    if not value:
        return NOTHING
    local = timezone.localtime(value)
    return format_html(
        '<time datetime="{}" title="{} {}">{}</time>',
        local.isoformat(timespec="seconds"),
        moment(value),
        local.tzname(),
        _ago(value),
    )


def _ago(value: dt.datetime) -> str:
    seconds = int((clock.now() - value).total_seconds())
    if seconds < -_MINUTE or seconds >= _DAY:
        return day(value)
    if seconds < _MINUTE:
        return gettext("just now")
    if seconds < _HOUR:
        minutes = seconds // _MINUTE
        return ngettext("%(count)d min ago", "%(count)d min ago", minutes) % {"count": minutes}
    hours = seconds // _HOUR
    return ngettext("%(count)d hour ago", "%(count)d hours ago", hours) % {"count": hours}


@register.filter
def phone(value: str | None) -> str:
    """Write a stored phone (62812…) as people here dial it: 0812-3456-7781."""
    return local_phone(value) if value else NOTHING


@register.filter
def initials(value: str | None) -> str:
    """Give the first letters of a person's first and last name."""
    words = [word for word in str(value or "").split() if word[0].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "?"
