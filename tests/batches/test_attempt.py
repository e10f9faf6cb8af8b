"""That a customer was gone after: copied or opened, when, by whom."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import User
from assignments.models import Assignment
from batches.models import ContactAttempt, MessageTemplate
from batches.services.attempts import MOST_AN_HOUR
from crm.kernel import clock
from tests import factories
from tests.conftest import HX

pytestmark = pytest.mark.django_db


def url(assignment: Assignment) -> str:
    return f"/batches/customers/{assignment.pk}/attempt/"


def row(client: Client, mine: Assignment) -> str:
    html = client.get(f"/batches/{mine.request_id}/").content.decode()
    return html.split(f'id="tries-{mine.pk}"')[1].split(">", 1)[1].split("<")[0]


@pytest.fixture
def mine(ani: User) -> Assignment:
    User.objects.filter(pk=ani.pk).update(language="en")
    return factories.make_assignment(staff=ani)


class TestAttempt:
    def test_it_is_recorded_and_shown_in_the_row(
        self, as_ani: Client, ani: User, mine: Assignment
    ) -> None:
        assert row(as_ani, mine) == ""
        for kind in ("copy", "copy", "open"):
            assert as_ani.post(url(mine), {"kind": kind}).status_code == 204
        attempts = ContactAttempt.objects.filter(assignment=mine, by=ani).order_by("pk")
        assert [a.kind for a in attempts] == ["copy", "copy", "open"]
        at = timezone.localtime(attempts[2].at)
        assert row(as_ani, mine) == f"Opened {at:%H.%M} · Copied 2×"

    def test_an_older_day_is_named(self, as_ani: Client, ani: User, mine: Assignment) -> None:
        at = dt.datetime(2026, 1, 13, 3, tzinfo=dt.UTC)
        ContactAttempt.objects.create(assignment=mine, kind="open", by=ani, at=at)
        assert row(as_ani, mine) == "Opened 13 Jan"

    def test_htmx_is_given_what_the_row_says(self, as_ani: Client, mine: Assignment) -> None:
        html = as_ani.post(url(mine), {"kind": "copy"}, headers=HX).content.decode()
        assert html.startswith(f'<span id="tries-{mine.pk}" class="tries num">Copied ')

    def test_it_stands_in_the_history(self, as_ani: Client, mine: Assignment) -> None:
        as_ani.post(url(mine), {"kind": "open"})
        html = as_ani.get(f"/batches/customers/{mine.pk}/history/").content.decode()
        assert "<b>Opened</b>" in html
        assert "Ani ·" in html

    def test_the_message_is_named_as_it_was_called_then(
        self, as_ani: Client, ani: User, citra: User, mine: Assignment
    ) -> None:
        template = MessageTemplate.objects.create(
            product=mine.database.product, name="Sapaan", body="Halo {name}", created_by=citra
        )
        as_ani.post(url(mine), {"kind": "copy", "template": template.pk})
        MessageTemplate.objects.filter(pk=template.pk).update(name="Lain", archived_at=clock.now())
        as_ani.post(url(mine), {"kind": "open", "template": template.pk})  # from an older page
        names = ContactAttempt.objects.order_by("pk").values_list("template_name", flat=True)
        assert list(names) == ["Sapaan", "Lain"]
        html = as_ani.get(f"/batches/customers/{mine.pk}/history/").content.decode()
        assert "Copied, message Sapaan" in html

    @pytest.mark.parametrize("data", [{}, {"kind": "shout"}, {"kind": "copy", "template": "999"}])
    def test_it_refuses_what_is_no_attempt(
        self, data: dict[str, str], as_ani: Client, mine: Assignment
    ) -> None:
        assert as_ani.post(url(mine), data).status_code == 422
        assert not ContactAttempt.objects.exists()

    def test_the_message_of_another_product_is_none(
        self, as_ani: Client, citra: User, mine: Assignment
    ) -> None:
        other = MessageTemplate.objects.create(
            product=factories.make_product(), name="x", body="x", created_by=citra
        )
        data = {"kind": "copy", "template": other.pk}
        assert as_ani.post(url(mine), data).status_code == 422

    def test_a_flood_is_counted_up_to_what_a_hand_can_do(
        self, as_ani: Client, ani: User, mine: Assignment
    ) -> None:
        now = clock.now()
        long_ago, lately = now - dt.timedelta(hours=2), now - dt.timedelta(minutes=5)
        for at in (long_ago, lately):
            ContactAttempt.objects.bulk_create(
                ContactAttempt(assignment=mine, kind="open", by=ani, at=at)
                for _ in range(MOST_AN_HOUR - 1)
            )
        for _ in range(3):
            answer = as_ani.post(url(mine), {"kind": "copy"}, headers=HX)
            assert answer.status_code == 200
        assert ContactAttempt.objects.filter(kind="copy").count() == 1
        assert "Copied" in answer.content.decode()

    def test_it_hides_other_peoples_customers(
        self, as_budi: Client, as_citra: Client, as_ani: Client, mine: Assignment
    ) -> None:
        assert as_budi.post(url(mine), {"kind": "copy"}).status_code == 404
        assert as_citra.post(url(mine), {"kind": "copy"}).status_code == 403
        Assignment.objects.filter(pk=mine.pk).update(
            state=Assignment.State.RELEASED, released_at=clock.now()
        )
        assert as_ani.post(url(mine), {"kind": "copy"}, headers=HX).status_code == 409
        assert not ContactAttempt.objects.exists()

    def test_nobody_rewrites_it(self, ani: User, mine: Assignment) -> None:
        ContactAttempt.objects.create(assignment=mine, kind="copy", by=ani)
        for act in (
            "UPDATE batches_contactattempt SET kind = 'open'",
            "DELETE FROM batches_contactattempt",
        ):
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(act)
