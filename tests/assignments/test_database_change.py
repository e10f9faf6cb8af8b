"""What is said about work on a whole database while it runs, when it stopped, when it is done."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from crm.kernel import clock
from databases.models import Database, DatabaseChange
from tests import factories
from tests.conftest import HX

pytestmark = pytest.mark.django_db
KINDS = DatabaseChange.Kind
STATES = DatabaseChange.State


@pytest.fixture
def database() -> Database:
    return factories.make_database(records=3)


def make_change(database: Database, by: User, **given: Any) -> DatabaseChange:
    fields = {"kind": KINDS.COLUMNS, "state": STATES.RUNNING, "rows_total": 4_000}
    return DatabaseChange.objects.create(database=database, created_by=by, **fields | given)


def ask(client: Client, database: Database) -> Any:
    return client.get(f"/manage/databases/{database.pk}/change/", headers=HX)


def test_while_it_runs_the_page_says_how_far_it_is_and_asks_again(
    as_citra: Client, citra: User, database: Database
) -> None:
    make_change(database, citra, rows_done=1_000, heartbeat_at=clock.now())
    page = as_citra.get(f"/manage/databases/{database.pk}/").content.decode()
    for answer in (page, ask(as_citra, database).content.decode()):
        assert "The columns are being read anew" in answer
        assert "1,000 of 4,000 rows" in answer
        assert re.search(r'data-hx-get="[^"]*/change/" data-hx-trigger="every 2s"', answer)
        assert "Citra" in answer
    assert ask(as_citra, database).status_code == 200


def test_when_it_is_done_the_page_around_it_is_loaded_anew(
    as_citra: Client, citra: User, database: Database
) -> None:
    make_change(database, citra, state=STATES.DONE, finished_at=clock.now())
    answer = ask(as_citra, database)
    assert (answer.status_code, answer["HX-Refresh"]) == (286, "true")
    page = as_citra.get(f"/manage/databases/{database.pk}/").content.decode()
    assert 'id="change"' not in page


def test_when_it_stopped_it_can_be_tried_again(
    as_citra: Client, citra: User, database: Database
) -> None:
    make_change(database, citra, kind=KINDS.UNDO, state=STATES.FAILED, rows_done=1_000)
    answer = ask(as_citra, database)
    assert answer.status_code == 286
    assert "HX-Refresh" not in answer
    page = answer.content.decode()
    assert "1,000 of 4,000 rows were done" in page
    assert f'action="/manage/databases/{database.pk}/retry-change/"' in page
    assert "every 2s" not in page


def test_the_newest_one_counts(as_citra: Client, citra: User, database: Database) -> None:
    make_change(database, citra, state=STATES.FAILED)
    make_change(database, citra, state=STATES.DONE, finished_at=clock.now())
    page = as_citra.get(f"/manage/databases/{database.pk}/").content.decode()
    assert 'id="change"' not in page


def test_a_deletion_is_followed_to_its_end(as_citra: Client, citra: User) -> None:
    now = clock.now()
    database = factories.make_database(
        archived_at=now, archived_by=citra, deleted_at=now, deleted_by=citra
    )
    change = make_change(database, citra, kind=KINDS.DELETE, heartbeat_at=now)
    page = as_citra.get(f"/manage/databases/{database.pk}/change/").content.decode()
    assert "The database is being deleted" in page
    assert "<h1" in page
    DatabaseChange.objects.filter(pk=change.pk).update(state=STATES.DONE, finished_at=now)
    page = as_citra.get(f"/manage/databases/{database.pk}/change/").content.decode()
    assert "The database was deleted" in page


def test_where_nothing_ever_changed_it_leads_to_the_database(
    as_citra: Client, database: Database
) -> None:
    path = f"/manage/databases/{database.pk}/"
    assert as_citra.get(f"{path}change/")["Location"] == path
    assert ask(as_citra, database)["HX-Redirect"] == path
    assert ask(as_citra, Database(pk=999_999)).status_code == 404
