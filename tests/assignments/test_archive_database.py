"""Archiving a database: nothing more is handed out, what waited is rejected."""

import pytest
from django.test import Client

from accounts.models import Activity, User
from assignments.errors import ArchivedBefore
from assignments.models import Assignment, RecordRequest
from assignments.services.archive import archive_database, unarchive_database
from databases.models import Database, Pool
from tests.factories import make_batch, make_database, make_pending

pytestmark = pytest.mark.django_db


@pytest.fixture
def database(ani: User, budi: User) -> Database:
    """Ten records: three assigned, two and four held, one on the shelf."""
    database = make_database(records=10, name="Deposit Jan")
    make_batch(staff=ani, database=database, records=3)
    make_pending(staff=ani, database=database, quantity=2)
    make_pending(staff=budi, database=database, quantity=4)
    return database


def test_what_waited_is_rejected_and_goes_back(database: Database, ani: User, citra: User) -> None:
    elsewhere = make_pending(staff=ani, database=make_database(), quantity=1)
    assert archive_database(database_id=database.pk, by=citra) == 2
    database.refresh_from_db()
    assert (database.archived_by, database.archived_at is None) == (citra, False)
    assert Pool.objects.filter(database=database).count() == 7
    assert Assignment.objects.visible_to(ani).count() == 3
    assert list(RecordRequest.objects.pending()) == [elsewhere]
    rejected = RecordRequest.objects.filter(status="rejected")
    assert set(rejected.values_list("reason", flat=True)) == {"The database was archived."}
    line = Activity.objects.get(kind="database.archived")
    assert (line.subject_id, line.details) == (database.pk, {"requests_rejected": 2})


def test_twice_is_refused_and_it_can_be_opened_again(database: Database, citra: User) -> None:
    archive_database(database_id=database.pk, by=citra)
    with pytest.raises(ArchivedBefore):
        archive_database(database_id=database.pk, by=citra)
    opened = unarchive_database(database_id=database.pk, by=citra)
    assert (opened.archived_at, opened.archived_by) == (None, None)
    with pytest.raises(ArchivedBefore):
        unarchive_database(database_id=database.pk, by=citra)


class TestThePage:
    def test_it_says_before_how_many_requests_it_rejects(
        self, database: Database, as_citra: Client
    ) -> None:
        url = f"/manage/databases/{database.pk}/archive/"
        said = as_citra.get(url).content.decode()
        assert "2 waiting requests will be rejected" in said
        assert "the 6 records they hold" in said
        response = as_citra.post(url)
        assert (response.status_code, response["Location"]) == (
            302,
            f"/manage/databases/{database.pk}/",
        )
        database.refresh_from_db()
        assert database.archived_at is not None

    def test_a_second_time_it_says_so(self, database: Database, as_citra: Client) -> None:
        url = f"/manage/databases/{database.pk}/archive/"
        as_citra.post(url)
        assert "archived already" in as_citra.get(url).content.decode()
        assert as_citra.post(url).status_code == 302

    def test_it_opens_again(self, database: Database, as_citra: Client) -> None:
        as_citra.post(f"/manage/databases/{database.pk}/archive/")
        as_citra.post(f"/manage/databases/{database.pk}/unarchive/")
        database.refresh_from_db()
        assert database.archived_at is None

    @pytest.mark.parametrize("act", ["archive", "unarchive"])
    def test_a_database_that_is_not_there_is_a_404(self, as_citra: Client, act: str) -> None:
        assert as_citra.post(f"/manage/databases/999999/{act}/").status_code == 404

    def test_opening_takes_a_post(self, database: Database, as_citra: Client) -> None:
        url = f"/manage/databases/{database.pk}/unarchive/"
        assert as_citra.get(url).status_code == 405
