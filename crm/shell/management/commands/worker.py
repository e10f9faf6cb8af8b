from typing import Any

from django.core.management.base import BaseCommand

from crm.shell import worker


class Command(BaseCommand):
    help = "Do the work in the background (reading files, importing), until told to stop."

    requires_system_checks = []  # noqa: RUF012 - Django's own name; whoever starts it has checked

    def handle(self, *args: Any, **options: Any) -> None:
        worker.run()
