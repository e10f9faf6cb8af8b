"""The book of acts: written once, with where it came from, changed by nobody."""

from __future__ import annotations

import pytest
from django.db import InternalError, ProgrammingError, connection, transaction

from accounts import activity
from accounts.models import Activity, User

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "statement", ["UPDATE accounts_activity SET kind = 'x'", "DELETE FROM accounts_activity"]
)
def test_the_database_refuses_to_change_a_line(ani: User, statement: str) -> None:
    activity.write(by=ani, kind="test.act", subject=ani)
    refused = pytest.raises((InternalError, ProgrammingError), match=r"append_only|Cannot")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert Activity.objects.get().kind == "test.act"


def test_act_and_line_stand_or_fall_together(ani: User) -> None:
    def act_that_fails() -> None:
        activity.write(by=ani, kind="test.act")
        raise LookupError

    with pytest.raises(LookupError), transaction.atomic():
        act_that_fails()
    assert not Activity.objects.exists()


def test_a_line_names_its_subject_as_it_was(ani: User) -> None:
    act = activity.write(by=ani, kind="test.act", subject=ani, label="x" * 300, number=5)
    assert (act.subject_type, act.subject_id) == ("accounts.user", ani.pk)
    assert len(act.label) == 200
    assert act.details == {"number": 5}
