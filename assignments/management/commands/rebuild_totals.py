"""Recompute every total from the records, after a bulk load or a changed time zone."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from assignments.services.totals import rebuild_totals


class Command(BaseCommand):
    help = "Recompute the totals from the records they sum up. Writers wait meanwhile."

    def handle(self, *_args: Any, **_options: Any) -> None:
        wrong = rebuild_totals()
        self.stdout.write(f"{wrong} rows were wrong." if wrong else "Nothing to do.")
