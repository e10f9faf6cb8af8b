"""In production the program owns nothing: it can work, and cannot touch the book of acts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import ProgrammingError, connection, transaction

from accounts import activity
from accounts.models import User
from databases import rooms
from databases.models import Pool, Record
from tests.factories import make_batch, make_database, make_user

pytestmark = pytest.mark.django_db
ROLE = "crm_app_of_a_test"


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def _as_app() -> Iterator[None]:
    _run(f"SET LOCAL ROLE {ROLE}")
    try:
        yield
    finally:
        _run("RESET ROLE")


@pytest.fixture
def app_role(db: None) -> None:
    """Make the role; the test's transaction takes it away again."""
    _run("SET LOCAL createrole_self_grant = 'set'")
    _run(f"CREATE ROLE {ROLE}")
    call_command("grant_app", ROLE, verbosity=0)


def _forbidden(statement: str) -> None:
    refused = pytest.raises(ProgrammingError, match=r"permission denied|must be owner")
    with refused, transaction.atomic():
        _run(statement)


@pytest.mark.usefixtures("app_role")
def test_it_can_give_a_long_list_a_room() -> None:
    database = make_database(records=0)
    with _as_app():
        rooms.make(database.pk)
        _run(
            f"INSERT INTO {rooms.table(database.pk)} (database_id, row_number, cells, username, "
            f"name, phone, username_key, name_key) VALUES ({database.pk}, 2, '{{}}', '', '', "
            "'6281234567801', '', '')"
        )
        rooms.move_in(database.pk)
        assert Record.objects.in_database(database.pk).count() == 1
        assert Pool.objects.filter(database=database).count() == 1
        _forbidden(f"DROP TABLE {rooms.table(database.pk)}")


@pytest.mark.usefixtures("app_role")
def test_it_works_and_cannot_touch_the_book() -> None:
    ani = make_user()
    with _as_app():
        activity.write(by=ani, kind="signin.ok", subject=ani)
        make_batch(staff=ani, records=3, database=make_database(records=5))
        assert User.objects.filter(pk=ani.pk).update(name="Ani") == 1
        _forbidden("UPDATE accounts_activity SET label = ''")
        _forbidden("DELETE FROM accounts_activity")
        _forbidden("TRUNCATE accounts_activity")
        _forbidden("ALTER TABLE accounts_activity DISABLE TRIGGER ALL")


def test_it_refuses_who_owns_everything_anyway(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        owner = cursor.fetchone()[0]
    with pytest.raises(CommandError, match="the owner"):
        call_command("grant_app", owner)
    with pytest.raises(CommandError, match="no role"):
        call_command("grant_app", "nobody_of_that_name")
