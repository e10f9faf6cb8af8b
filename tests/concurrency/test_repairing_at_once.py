"""Repairs that meet each other, a file of corrected rows, or a recall of the record."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models import F

from accounts.models import User
from assignments.errors import CustomerIsThere, RepairedBefore
from assignments.models import Assignment
from assignments.services import corrections as applying
from assignments.services import recall as recalling
from assignments.services import repair as repairing
from assignments.services import shelf
from assignments.services.repair import repair_record
from crm.kernel import clock
from databases.models import Database, Import, Pool, Record, RepairedRow, SkippedRow
from databases.services.corrections import read_correction
from tests import factories
from tests.concurrency import racing
from tests.concurrency.racing import Meeting, at_once, broken_rules, kinds

pytestmark = pytest.mark.django_db(transaction=True)
ROW, OTHER_ROW = 4, 5
CELLS = ["u", "Nama", "081234567890", "Bekasi", "1"]


@pytest.fixture(autouse=True)
def _files(tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def database(citra: User) -> Database:
    """Two ready rows (2, 3) and two that need attention (4, 5)."""
    database = factories.make_database(records=2, attention=2, by=citra)
    _import(database, citra, ready=2, attention=2, rows_total=4, state=Import.State.DONE)
    return database


def _import(of: Database, by: User, **given: Any) -> Import:
    return Import.objects.create(
        **{
            "product": of.product,
            "name": of.name,
            "uploaded_by": by,
            "confirmed_by": by,
            "confirmed_at": clock.now(),
            "original_name": "data.csv",
            "size": 1,
            "sha256": "0" * 64,
            "database": of,
        }
        | given
    )


def accounted(database: Database) -> bool:
    source, records = Import.objects.get(database=database), Record.objects.all()
    return (
        source.read == source.rows_total == records.count() + SkippedRow.objects.count()
        and source.ready == records.filter(attention=None).count()
        and source.attention == records.needing_attention().count()
        and source.repaired == RepairedRow.objects.filter(became="ready").count()
        and broken_rules() == []
    )


def repair(database: Database, by: User, *, row: int = ROW) -> Callable[[], Record]:
    return partial(repair_record, database_id=database.pk, row_number=row, cells=CELLS, by=by)


@pytest.fixture
def correction(database: Database, citra: User) -> Import:
    """A queued file that corrects row 4."""
    header = ",".join(["Row", "Reason", *database.columns])
    content = f"{header}\n{ROW},x,u,Lain,081299999999,Depok,2\n".encode()
    stored = default_storage.save("uploads/a.csv", ContentFile(content))
    source = _import(
        database,
        citra,
        database=None,
        corrects=Import.objects.get(database=database),
        file=stored,
        attempt=1,
        state=Import.State.READING,
    )
    read_correction(import_id=source.pk, attempt=1)
    Import.objects.filter(pk=source.pk).update(state=Import.State.QUEUED)
    return source


def hold(database: Database, staff: User) -> Assignment:
    """Give row 4 by hand, though it needs attention."""
    batch = factories.make_batch(staff=staff, records=1, database=database)
    type(batch).objects.filter(pk=batch.pk).update(granted=F("granted") + 1)
    return Assignment.objects.create(
        record=Record.objects.get(row_number=ROW),
        database=database,
        staff=staff,
        request=batch,
        state=Assignment.State.ACTIVE,
        assigned_at=clock.now(),
    )


@pytest.fixture
def without_lock(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Take the product's lock from repairs and corrections."""

    def take() -> None:
        def unlocked(database_id: int, **_more: Any) -> Database:
            return Database.objects.get(pk=database_id)

        monkeypatch.setattr(repairing, "lock_database", unlocked)
        monkeypatch.setattr(applying, "lock_database", unlocked)

    return take


class TestTwoRepairs:
    def test_of_one_row_make_one_repair(self, database: Database, citra: User) -> None:
        outcomes = at_once(repair(database, citra), repair(database, factories.make_admin()))
        assert kinds(outcomes) == ["Record", "RepairedBefore"]
        assert accounted(database)

    def test_of_one_row_are_decided_by_the_update_even_without_the_lock(
        self, database: Database, citra: User, without_lock: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        without_lock()
        monkeypatch.setattr(repairing, "_judge", Meeting().after(repairing._judge))
        outcomes = at_once(repair(database, citra), repair(database, factories.make_admin()))
        assert kinds(outcomes) == ["Record", "RepairedBefore"]
        assert any(isinstance(outcome, RepairedBefore) for outcome in outcomes)
        assert accounted(database)

    @pytest.mark.parametrize("locked", [True, False])
    def test_to_one_number_make_one_record(
        self,
        database: Database,
        citra: User,
        without_lock: Any,
        monkeypatch: pytest.MonkeyPatch,
        locked: bool,
    ) -> None:
        if not locked:
            without_lock()
        monkeypatch.setattr(repairing, "twin_of", Meeting().after(repairing.twin_of))
        outcomes = at_once(repair(database, citra), repair(database, citra, row=OTHER_ROW))
        same = Record.objects.filter(phone="6281234567890").count()
        assert same == (1 if locked else 2)
        assert any(isinstance(outcome, CustomerIsThere) for outcome in outcomes) == locked


class TestRepairAndCorrection:
    def test_of_one_row_follow_each_other(
        self, database: Database, citra: User, correction: Import
    ) -> None:
        apply = partial(applying.apply_correction, import_id=correction.pk, attempt=1)
        at_once(repair(database, citra), apply)
        correction.refresh_from_db()
        assert accounted(database)
        assert correction.state == Import.State.DONE
        assert RepairedRow.objects.count() == 1

    @pytest.mark.parametrize("locked", [True, False])
    def test_of_two_rows_to_one_number_make_one_record(
        self,
        database: Database,
        citra: User,
        correction: Import,
        without_lock: Any,
        monkeypatch: pytest.MonkeyPatch,
        locked: bool,
    ) -> None:
        if not locked:
            without_lock()
            monkeypatch.setattr(racing, "PATIENCE", 10)  # the reader of the file has to start
        meet, classify = Meeting(), applying.correction_lines.classify
        monkeypatch.setattr(repairing, "twin_of", meet.after(repairing.twin_of))
        monkeypatch.setattr(applying.correction_lines, "classify", meet.after(classify))
        cells = [*CELLS[:2], "081299999999", *CELLS[3:]]
        other = partial(
            repair_record, database_id=database.pk, row_number=OTHER_ROW, cells=cells, by=citra
        )
        at_once(partial(applying.apply_correction, import_id=correction.pk, attempt=1), other)
        assert Record.objects.filter(phone="6281299999999").count() == (1 if locked else 2)
        assert accounted(database)


class TestRepairAndRecall:
    @pytest.mark.parametrize("how", ["recall", "hand_over"])
    def test_of_a_record_given_by_hand_it_is_never_nowhere(
        self,
        database: Database,
        citra: User,
        ani: User,
        budi: User,
        monkeypatch: pytest.MonkeyPatch,
        how: str,
    ) -> None:
        """A recall shelves what it sees ready; a repair shelves what it sees in no hands."""
        held = hold(database, ani)
        meet = Meeting()
        monkeypatch.setattr(shelf, "shelve", meet.before(shelf.shelve))
        if how == "recall":
            monkeypatch.setattr(shelf, "release", meet.after(shelf.release))
            other = partial(recalling.recall, assignment_ids=[held.pk], by=citra)
        else:
            monkeypatch.setattr(shelf, "hand_over", meet.after(shelf.hand_over))
            other = partial(
                recalling.hand_over_all, from_staff_id=ani.pk, to_staff_id=budi.pk, by=citra
            )
        outcomes = at_once(repair(database, citra), other)
        assert not any(isinstance(outcome, Exception) for outcome in outcomes), outcomes
        assert accounted(database)
        assert Pool.objects.filter(record__row_number=ROW).exists() == (how == "recall")

    def test_with_a_correction_it_is_the_same(
        self, database: Database, citra: User, ani: User, correction: Import
    ) -> None:
        held = hold(database, ani)
        at_once(
            partial(applying.apply_correction, import_id=correction.pk, attempt=1),
            partial(recalling.recall, assignment_ids=[held.pk], by=citra),
        )
        assert accounted(database)
        assert Pool.objects.filter(record__row_number=ROW).exists()
