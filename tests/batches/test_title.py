"""What a staff calls their own batch."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Activity, User
from assignments.models import RecordRequest
from batches.errors import TitleChanged
from batches.keys import BatchKey
from batches.models import BatchSetting
from batches.reports import find_batch
from batches.services import settings
from tests import factories
from tests.concurrency.racing import Meeting, at_once, kinds
from tests.conftest import HX

pytestmark = pytest.mark.django_db


def url(batch: RecordRequest) -> str:
    return f"/batches/{batch.pk}/title/"


@pytest.fixture
def batch(ani: User) -> RecordRequest:
    return factories.make_batch(staff=ani, database=factories.make_database(name="Dari Berkas"))


def save(client: Client, batch: RecordRequest, title: str, version: int, **more: object) -> object:
    return client.post(url(batch), {"title": title, "version": version}, **more)  # type: ignore[arg-type]


class TestTitle:
    def test_a_batch_is_called_what_its_owner_wants(
        self, as_ani: Client, batch: RecordRequest
    ) -> None:
        answer = save(as_ani, batch, "  Deposit \t Jan #3 ", 0)
        assert answer.status_code == 302  # type: ignore[attr-defined]
        for page in ("/batches/", f"/batches/{batch.pk}/"):
            assert "Deposit Jan #3" in as_ani.get(page).content.decode()
        assert "Dari Berkas" in as_ani.get("/batches/").content.decode()  # where it comes from

    def test_blank_gives_the_first_name_back(self, as_ani: Client, batch: RecordRequest) -> None:
        save(as_ani, batch, "Lain", 0)
        save(as_ani, batch, "   ", 1)
        html = as_ani.get(f"/batches/{batch.pk}/").content.decode()
        assert re.search(r"<h1>Dari Berkas</h1>", html)

    def test_a_title_that_nobody_could_see_is_blank(
        self, as_ani: Client, batch: RecordRequest
    ) -> None:
        save(as_ani, batch, "\u200b\u200e", 0)
        html = as_ani.get(f"/batches/{batch.pk}/").content.decode()
        assert re.search(r"<h1>Dari Berkas</h1>", html)

    def test_a_second_editor_sees_both_texts_and_may_replace(
        self, as_ani: Client, batch: RecordRequest
    ) -> None:
        save(as_ani, batch, "Yang pertama", 0)
        for headers in ({}, HX):
            answer = save(as_ani, batch, "Yang kedua", 0, headers=headers)
            html = answer.content.decode()  # type: ignore[attr-defined]
            assert answer.status_code == 409  # type: ignore[attr-defined]
            assert "Yang pertama" in html
            assert 'value="Yang kedua"' in html
        assert BatchSetting.objects.get().title == "Yang pertama"
        version = re.search(r'name="version" value="(\d+)"', html)
        assert version
        save(as_ani, batch, "Yang kedua", int(version[1]))
        assert BatchSetting.objects.get().title == "Yang kedua"

    def test_what_is_too_long_stays_and_is_said(self, as_ani: Client, batch: RecordRequest) -> None:
        answer = save(as_ani, batch, "x" * 81, 0)
        assert answer.status_code == 422  # type: ignore[attr-defined]
        assert "x" * 81 in answer.content.decode()  # type: ignore[attr-defined]
        assert not BatchSetting.objects.exists()

    def test_it_opens_over_the_batch_and_as_a_page(
        self, as_ani: Client, batch: RecordRequest
    ) -> None:
        assert "<dialog" in as_ani.get(url(batch), headers=HX).content.decode()
        assert "<html" in as_ani.get(url(batch)).content.decode()
        assert save(as_ani, batch, "Baru", 0, headers=HX)["HX-Redirect"] == f"/batches/{batch.pk}/"  # type: ignore[index]

    def test_a_hostile_title_is_only_text(self, as_ani: Client, batch: RecordRequest) -> None:
        save(as_ani, batch, "<script>alert(1)</script>", 0)
        for page in ("/batches/", f"/batches/{batch.pk}/", url(batch)):
            assert "<script>alert" not in as_ani.get(page).content.decode()

    def test_the_book_names_the_batch_and_not_the_text(
        self, as_ani: Client, ani: User, batch: RecordRequest
    ) -> None:
        save(as_ani, batch, "Punya Bu Sari 0812", 0)
        line = Activity.objects.get(kind="batch.renamed")
        assert (line.actor, line.subject_id) == (ani, batch.pk)
        assert "Sari" not in line.label + str(line.details)

    def test_it_hides_other_peoples_batches(
        self, as_budi: Client, as_citra: Client, batch: RecordRequest
    ) -> None:
        assert as_budi.get(url(batch)).status_code == 404
        assert save(as_budi, batch, "x", 0).status_code == 404  # type: ignore[attr-defined]
        assert save(as_citra, batch, "x", 0).status_code == 403  # type: ignore[attr-defined]
        assert not BatchSetting.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("made", [True, False])
def test_of_two_at_once_one_is_told(made: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "_locked", Meeting().after(settings._locked))
    staff = factories.make_user()
    batch = factories.make_batch(staff=staff)
    if made:  # it was pinned, say
        BatchSetting.objects.create(staff=staff, database=batch.database, request=batch)
    found = find_batch(user=staff, key=BatchKey(batch.pk, None))
    assert found is not None

    def rename(title: str) -> Callable[[], BatchSetting]:
        return lambda: settings.rename_batch(batch=found, title=title, version=0, by=staff)

    outcomes = at_once(rename("Satu"), rename("Dua"))
    assert kinds(outcomes) == ["BatchSetting", "TitleChanged"]
    (refused,) = [one for one in outcomes if isinstance(one, TitleChanged)]
    assert refused.current.title == BatchSetting.objects.get().title
