from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from crm.shell.demo import world


class Command(BaseCommand):
    help = (
        "Load invented products, customers and people into an empty database. Never in production."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError(
                "The demo is not loaded in production: everybody knows its passwords."
            )
        if real := world.real_users():
            raise CommandError(
                f"The demo is only loaded into an empty database; {real} people are in this one. "
                "Set VAR_DIR to another folder, or DATABASE_URL to another database."
            )
        if world.is_complete():
            self._say(options, "The demo is there already.")
            return
        try:
            world.load()
        except world.DemoFailed as failure:
            raise CommandError(str(failure)) from failure
        accounts = " or ".join(" / ".join(account) for account in (world.ADMIN, world.STAFF))
        self._say(options, f"The demo is loaded. Sign in as {accounts}.")

    def _say(self, options: dict[str, Any], line: str) -> None:
        if options["verbosity"]:
            self.stdout.write(line)
