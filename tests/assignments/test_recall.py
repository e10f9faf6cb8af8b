"""Taking records back, and into other hands: history stays, the new start is blank."""

import pytest

from accounts.models import Activity, User
from assignments.errors import SameStaff, StaffInactive
from assignments.models import Assignment, BatchStat, RecordRequest, StaffDay
from assignments.services.recall import Moved, hand_over_all, recall, recall_all
from databases.models import Pool, Record
from tests.factories import make_assignment, make_batch, make_database, make_pending

pytestmark = pytest.mark.django_db


def test_recalled_records_are_on_the_shelf_and_their_marks_are_history(
    ani: User, citra: User
) -> None:
    database = make_database(records=5)
    marked = make_assignment(staff=ani, database=database, reach="ada")
    make_batch(staff=ani, database=database, records=2)
    assert recall(assignment_ids=[marked.pk], by=citra) == 1
    marked.refresh_from_db()
    assert (marked.state, marked.released_by, marked.reach) == ("released", citra, "ada")
    assert Pool.objects.filter(record=marked.record_id).exists()
    assert Assignment.objects.visible_to(ani).count() == 2
    assert sum(BatchStat.objects.values_list("records", flat=True)) == 2
    day = StaffDay.objects.get(staff=ani)
    assert (day.assigned, day.ada) == (3, 1)


def test_what_left_before_is_not_recalled_twice(ani: User, citra: User) -> None:
    assignment = make_assignment(staff=ani)
    assert recall(assignment_ids=[assignment.pk, assignment.pk], by=citra) == 1
    assert recall(assignment_ids=[assignment.pk], by=citra) == 0
    assert Activity.objects.filter(kind="records.recalled").count() == 1


def test_a_record_needing_attention_does_not_go_to_the_shelf(ani: User, citra: User) -> None:
    assignment = make_assignment(staff=ani)
    Record.objects.filter(pk=assignment.record_id).update(attention="missing_phone")
    recall(assignment_ids=[assignment.pk], by=citra)
    assert not Pool.objects.filter(record=assignment.record_id).exists()


def test_all_of_a_staff_comes_back_and_what_they_wait_for_is_rejected(
    ani: User, budi: User, citra: User
) -> None:
    database = make_database(records=12)
    make_batch(staff=ani, database=database, records=3)
    make_batch(staff=ani, records=2)
    make_batch(staff=budi, database=database, records=1)
    asked = make_pending(staff=ani, database=database, quantity=4)
    assert recall_all(staff_id=ani.pk, by=citra, reason="Left") == Moved(records=5, requests=1)
    asked.refresh_from_db()
    assert (asked.status, asked.reason) == ("rejected", "Left")
    assert Assignment.objects.live().get().staff == budi
    line = Activity.objects.get(kind="records.recalled")
    assert (line.subject_id, line.details) == (ani.pk, {"records": 5, "requests_rejected": 1})


def test_handing_over_starts_blank_in_one_batch_for_each_database(
    ani: User, budi: User, citra: User
) -> None:
    database = make_database(records=6)
    make_assignment(staff=ani, database=database, reach="ada", response="ya", note="call at 5")
    make_batch(staff=ani, database=database, records=2)
    make_batch(staff=ani, records=4)
    before = set(Assignment.objects.active().values_list("record_id", flat=True))

    moved = hand_over_all(from_staff_id=ani.pk, to_staff_id=budi.pk, by=citra)

    assert moved == Moved(records=7)
    now = Assignment.objects.visible_to(budi)
    assert set(now.values_list("record_id", flat=True)) == before
    assert not Assignment.objects.visible_to(ani).exists()
    assert set(now.values_list("reach", "response", "note")) == {(None, None, "")}
    acts = RecordRequest.objects.filter(kind="handover").order_by("granted")
    assert [(act.granted, act.quantity, act.status, act.staff) for act in acts] == [
        (3, 3, "approved", budi),
        (4, 4, "approved", budi),
    ]
    batches = BatchStat.objects.visible_to(budi).order_by("records")
    assert [(batch.records, batch.checked) for batch in batches] == [(3, 0), (4, 0)]
    old = Assignment.objects.filter(staff=ani, reach="ada").get()
    assert (old.state, old.response, old.note) == ("released", "ya", "call at 5")


def test_nothing_is_handed_to_somebody_who_left(ani: User, budi: User, citra: User) -> None:
    make_batch(staff=ani)
    User.objects.filter(pk=budi.pk).update(is_active=False)
    with pytest.raises(StaffInactive):
        hand_over_all(from_staff_id=ani.pk, to_staff_id=budi.pk, by=citra)
    assert Assignment.objects.visible_to(ani).count() == 5


def test_nothing_is_handed_to_oneself(ani: User, citra: User) -> None:
    with pytest.raises(SameStaff):
        hand_over_all(from_staff_id=ani.pk, to_staff_id=ani.pk, by=citra)


def test_who_holds_nothing_has_nothing_to_give(ani: User, budi: User, citra: User) -> None:
    assert hand_over_all(from_staff_id=ani.pk, to_staff_id=budi.pk, by=citra) == Moved(0)
    assert recall_all(staff_id=ani.pk, by=citra) == Moved(0)
    assert not Activity.objects.exists()
