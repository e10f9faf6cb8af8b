"""What time it is. Everything that needs the time asks here, so that a test can move it."""

import datetime as dt

from django.utils import timezone


def now() -> dt.datetime:
    """Give this moment, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


def today() -> dt.date:
    """Give the current day in the configured time zone (TIME_ZONE), never the browser's."""
    return timezone.localtime(now()).date()


def start_of_day(day: dt.date) -> dt.datetime:
    """Give the moment at which `day` begins in the configured time zone."""
    return dt.datetime.combine(day, dt.time(), timezone.get_default_timezone())


def bounds_of(day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """Give the moment at which `day` begins and the one at which it is over."""
    start = start_of_day(day)
    if day == dt.date.max:  # no day follows it, and an address may ask for it
        return start, dt.datetime.max.replace(tzinfo=start.tzinfo)
    return start, start_of_day(day + dt.timedelta(days=1))
