"""The first admin of a new installation."""

import secrets
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts import activity
from accounts.models import User, normalise_email
from crm.kernel import clock


class Command(BaseCommand):
    help = (
        "Make an admin with a password that is shown once and must be changed at the first "
        "sign-in. Asks for what is not given."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", default="")
        parser.add_argument("--name", default="")
        parser.add_argument("--noinput", action="store_true", help="Ask nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        email = self._value(options, "email", "E-mail: ")
        name = self._value(options, "name", "Name: ")
        password = secrets.token_urlsafe(15)
        admin = User(
            email=normalise_email(email),
            name=name.strip(),
            role=User.Role.ADMIN,
            must_change_password=True,
            password_expires_at=clock.now() + timedelta(hours=settings.PASSWORD_GIVEN_HOURS),
        )
        admin.set_password(password)
        try:
            admin.full_clean()
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        with transaction.atomic():
            admin.save()
            activity.write(by=None, kind="person.created", subject=admin, role=admin.role)
        self.stdout.write(
            f"{admin.email} is an admin now. Password for the first sign-in within "
            f"{settings.PASSWORD_GIVEN_HOURS} hours: {password}"
        )

    def _value(self, options: dict[str, Any], name: str, question: str) -> str:
        value: str = options[name]
        if not value and not options["noinput"]:
            value = input(question)
        if not value.strip():
            raise CommandError(f"Needs --{name}.")
        return value
