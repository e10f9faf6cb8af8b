"""A system check: the database counts days in the configured time zone."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import OperationalError, connections

from assignments.reports.totals import zone_of_days


@register(Tags.database)
def days_are_in_the_configured_zone(
    databases: Sequence[str] | None = None, **_kwargs: object
) -> list[CheckMessage]:
    """Report a TIME_ZONE that was changed after the totals were built in another one."""
    messages: list[CheckMessage] = []
    for alias in databases or []:
        try:
            zone = zone_of_days(connections[alias])
        except OperationalError:
            continue  # the command itself says better that the database is not there
        if zone is not None and zone != settings.TIME_ZONE:
            messages.append(
                Warning(
                    f"Totals by day are counted in {zone}, but TIME_ZONE is {settings.TIME_ZONE}.",
                    hint="Run `manage.py rebuild_totals` to count all days in the new zone.",
                    id="crm.W101",
                )
            )
    return messages
