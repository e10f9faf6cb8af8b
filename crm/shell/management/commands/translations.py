from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm.shell import translations


class Command(BaseCommand):
    help = "Translations: extract (update the catalogues), check (all complete?) or compile."
    requires_system_checks = []  # noqa: RUF012 - Django's own name; nothing of the project is needed

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=["extract", "check", "compile"])

    def handle(self, *args: Any, **options: Any) -> None:
        match options["what"]:
            case "extract":
                for language in translations.languages():
                    translations.update(language)
                    self.stdout.write(f"{translations.catalogue_path(language)} is up to date.")
            case "check":
                lacking = [
                    line
                    for language in translations.languages()
                    for line in translations.missing(language)
                ]
                if lacking:
                    raise CommandError(
                        "\n".join([*lacking, f"{len(lacking)} texts lack a translation."])
                    )
                self.stdout.write("Every text is translated.")
            case _:
                for language in translations.compile_all():
                    self.stdout.write(f"{language} compiled.")
