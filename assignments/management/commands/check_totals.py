"""Compare every total that triggers keep with a plain count; exit 1 when one differs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from assignments.reports.totals import differences

_SHOWN = 20


class Command(BaseCommand):
    help = "Compare the totals with the records they sum up; exit 1 on any difference."

    def handle(self, *_args: Any, **_options: Any) -> None:
        outermost = not connection.in_atomic_block
        with transaction.atomic(), connection.cursor() as cursor:
            if outermost:
                # One snapshot for all tables: a write between two reads would be a difference.
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SET LOCAL statement_timeout = 0")
            found = differences()
        for difference in found[:_SHOWN]:
            self.stderr.write(str(difference))
        if found:
            raise CommandError(
                f"{len(found)} rows of totals differ. `manage.py rebuild_totals` repairs them."
            )
        self.stdout.write("All totals are right.")
