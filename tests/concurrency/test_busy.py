"""What somebody else holds too long ends in a sentence, not in an error page."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction
from django.test import Client

from accounts.models import User
from assignments.models import Assignment
from tests.conftest import HX
from tests.factories import make_assignment

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_mark_on_a_locked_record_says_to_try_again(as_ani: Client, ani: User) -> None:
    User.objects.filter(pk=ani.pk).update(language="en")
    assignment = make_assignment(staff=ani)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                Assignment.objects.select_for_update().get(pk=assignment.pk)
                held.set()
                done.wait(20)
        finally:
            connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(10)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'")
    try:
        url = f"/batches/customers/{assignment.pk}/reach/"
        answer = as_ani.post(url, {"reach": "ada"}, headers=HX)
    finally:
        done.set()
        holder.join(20)
    assert answer.status_code == 503
    assert "Nothing was saved" in answer.content.decode()
    assignment.refresh_from_db()
    assert assignment.reach is None
