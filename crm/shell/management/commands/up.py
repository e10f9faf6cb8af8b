from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm.shell.launcher import Launcher, Refusal


class Command(BaseCommand):
    help = "Run everything: database, web server and worker, until Ctrl-C."
    # The checks run with the migrations; a database that is not there yet is no error here.
    requires_system_checks = []  # noqa: RUF012 - Django's own name

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            Launcher(self._say).run()
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
