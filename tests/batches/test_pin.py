"""Batches that stand before the others."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from accounts.models import User
from assignments.models import Assignment, RecordRequest
from batches.models import BatchSetting
from tests import factories
from tests.conftest import HX

pytestmark = pytest.mark.django_db
URL = "/batches/"


def url(batch: RecordRequest | str) -> str:
    return f"/batches/{batch if isinstance(batch, str) else batch.pk}/pin/"


def order(client: Client) -> list[str]:
    return re.findall(r'class="cover" href="/batches/([^/]+)/', client.get(URL).content.decode())


@pytest.fixture
def three(ani: User) -> list[RecordRequest]:
    """Ani's batches from the oldest to the newest."""
    return [factories.make_batch(staff=ani) for _ in range(3)]


class TestPin:
    def test_one_tap_puts_it_first_and_one_more_back(
        self, as_ani: Client, three: list[RecordRequest]
    ) -> None:
        old, middle, new = (str(batch.pk) for batch in three)
        assert order(as_ani) == [new, middle, old]
        assert as_ani.post(url(three[0]), {"pinned": "1"}).status_code == 302
        assert order(as_ani) == [old, new, middle]
        as_ani.post(url(three[1]), {"pinned": "1"})
        assert order(as_ani) == [middle, old, new]  # pinned ones are the newest first, too
        as_ani.post(url(three[0]), {"pinned": "0"})
        assert order(as_ani) == [middle, new, old]

    def test_legacy_can_be_pinned_and_is_last_otherwise(
        self, as_ani: Client, ani: User, three: list[RecordRequest]
    ) -> None:
        database = three[2].database
        Assignment.objects.filter(database=database).update(request=None)
        legacy = f"legacy-{database.pk}"
        assert order(as_ani)[-1] == legacy
        as_ani.post(url(legacy), {"pinned": "1"})
        assert order(as_ani)[0] == legacy
        assert BatchSetting.objects.get(staff=ani).request is None

    def test_twice_is_once(self, as_ani: Client, three: list[RecordRequest]) -> None:
        as_ani.post(url(three[0]), {"pinned": "1"})
        first = BatchSetting.objects.get().pinned_at
        as_ani.post(url(three[0]), {"pinned": "1"})
        assert BatchSetting.objects.get().pinned_at == first

    def test_it_returns_to_the_list_as_it_was_filtered(
        self, as_ani: Client, three: list[RecordRequest]
    ) -> None:
        answer = as_ani.post(url(three[0]) + "?show=unfinished&evil=1", {"pinned": "1"})
        assert answer["Location"] == "/batches/?show=unfinished"
        answer = as_ani.post(url(three[0]), {"pinned": "0"}, headers=HX, follow=True)
        assert 'id="batches"' in answer.content.decode()

    @pytest.mark.parametrize("data", [{}, {"pinned": "maybe"}])
    def test_it_refuses_what_is_no_wish(
        self, data: dict[str, str], as_ani: Client, three: list[RecordRequest]
    ) -> None:
        assert as_ani.post(url(three[0]), data).status_code == 422
        assert not BatchSetting.objects.exists()

    def test_it_hides_other_peoples_batches(
        self, as_budi: Client, as_citra: Client, three: list[RecordRequest]
    ) -> None:
        assert as_budi.post(url(three[0]), {"pinned": "1"}).status_code == 404
        assert as_citra.post(url(three[0]), {"pinned": "1"}).status_code == 403
        assert not BatchSetting.objects.exists()

    def test_everybody_pins_for_themselves(
        self, as_ani: Client, as_budi: Client, ani: User, budi: User
    ) -> None:
        database = factories.make_database(records=4)
        for staff in (ani, budi):
            factories.make_batch(staff=staff, records=2, database=database)
            Assignment.objects.filter(staff=staff).update(request=None)
        as_ani.post(url(f"legacy-{database.pk}"), {"pinned": "1"})
        assert 'class="cc bt pinned"' in as_ani.get(URL).content.decode()
        assert 'class="cc bt pinned"' not in as_budi.get(URL).content.decode()
