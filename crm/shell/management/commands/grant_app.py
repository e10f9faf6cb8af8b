"""Let the web server and the worker use the database without owning it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from psycopg import sql

from accounts.models import Activity

GRANTS = (
    "GRANT USAGE ON SCHEMA public TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {role}",
    # What later migrations make.
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public"
    " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO {role}",
    # The book of acts is written and read. Its owner alone could lift the trigger that guards it.
    "REVOKE UPDATE, DELETE, TRUNCATE ON {book} FROM {role}",
)


class Command(BaseCommand):
    help = (
        "Give a database role what web server and worker need, and no more: it owns nothing, so it "
        "cannot change the book of acts or its guard. Run it as the owner, after migrate."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("role", help="An existing role, not the owner and no superuser.")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        role = options["role"]
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT rolsuper, rolname = current_user FROM pg_roles WHERE rolname = %s", [role]
            )
            found = cursor.fetchone()
            if found is None:
                raise CommandError(f"There is no role {role}. Make it first: CREATE ROLE … LOGIN.")
            if any(found):
                raise CommandError(f"{role} is a superuser or the owner: it needs no grants.")
            names = {"role": sql.Identifier(role), "book": sql.Identifier(Activity._meta.db_table)}
            for grant in GRANTS:
                cursor.execute(sql.SQL(grant).format(**names).as_string(cursor.connection))
        self.stdout.write(f"{role} may serve the web and the worker now.")
