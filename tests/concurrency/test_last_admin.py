"""Two admins who remove each other at the same moment: one of them stays."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from accounts import services
from accounts.errors import LastAdmin
from accounts.models import User
from tests import factories


def _demote(target: User, by: User) -> None:
    services.edit_user(
        user_id=target.pk, version=1, email=target.email, name=target.name, role="staff", by=by
    )


def _deactivate(target: User, by: User) -> None:
    services.deactivate_user(user_id=target.pk, by=by)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("remove", [_demote, _deactivate])
def test_the_last_admin_stays_even_when_two_leave_at_once(
    remove: Callable[[User, User], None],
) -> None:
    for _turn in range(5):
        User.objects.update(is_active=False)
        one, other = factories.make_admin(), factories.make_admin()
        start, outcomes = threading.Barrier(2), []

        def leave(
            target: User,
            by: User,
            start: threading.Barrier = start,
            outcomes: list[str] = outcomes,
        ) -> None:
            start.wait()
            try:
                remove(target, by)
                outcomes.append("removed")
            except LastAdmin:
                outcomes.append("refused")
            finally:
                connection.close()

        pairs = [(one, other), (other, one)]
        threads = [threading.Thread(target=leave, args=pair) for pair in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert User.objects.admins().active().count() == 1
        assert sorted(outcomes) == ["refused", "removed"]
