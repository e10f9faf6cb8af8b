"""The totals that triggers keep are what a plain count says, whatever was done."""

import random
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings

from accounts.models import User
from assignments.checks import days_are_in_the_configured_zone
from assignments.models import Assignment, BatchStat, RecordRequest, StaffDay
from assignments.services.archive import archive_database, unarchive_database
from assignments.services.recall import hand_over_all, recall, recall_all
from assignments.services.requests import (
    approve_request,
    cancel_request,
    reject_request,
    request_records,
)
from crm.kernel import clock
from crm.kernel.errors import DomainError
from databases.models import DatabaseStat
from tests.factories import make_admin, make_assignment, make_database, make_user

pytestmark = pytest.mark.django_db


def check() -> str:
    out = StringIO()
    call_command("check_totals", stdout=out, stderr=out)
    return out.getvalue()


def test_a_storm_of_everything_leaves_no_difference() -> None:
    chance = random.Random(20260113)
    admin, staff = make_admin(), [make_user() for _ in range(3)]
    databases = [make_database(records=n, attention=2) for n in (4, 15, 40)]
    for _ in range(90):
        person, database = chance.choice(staff), chance.choice(databases)
        waiting = RecordRequest.objects.pending().order_by("pk").first()
        held = Assignment.objects.active().order_by("?")
        act = chance.randrange(10)
        try:
            if act <= 2:
                number = chance.randint(1, 6)
                request_records(database_id=database.pk, quantity=number, by=person)
            elif act == 3 and waiting:
                some = chance.randint(1, waiting.quantity)
                approve_request(request_id=waiting.pk, by=admin, quantity=some)
            elif act == 4 and waiting:
                reject_request(request_id=waiting.pk, by=admin, reason="no")
            elif act == 5 and waiting:
                cancel_request(request_id=waiting.pk, by=waiting.staff)
            elif act in (6, 7) and (assignment := held.first()):
                Assignment.objects.filter(pk=assignment.pk).update(
                    reach=(reach := chance.choice([None, "ada", "ceklis1", "tidak"])),
                    reach_at=clock.now() if reach else None,
                    response=(response := chance.choice([None, "ya", "tidak"])),
                    response_at=clock.now() if response else None,
                )
            elif act == 8:
                ids = list(held.values_list("pk", flat=True)[:3])
                recall(assignment_ids=ids, by=admin)
            elif act == 9 and (rare := chance.randrange(4)) == 0:
                hand_over_all(from_staff_id=person.pk, to_staff_id=staff[0].pk, by=admin)
            elif act == 9 and rare == 1:
                recall_all(staff_id=person.pk, by=admin)
            elif act == 9 and rare == 2:
                archive_database(database_id=database.pk, by=admin)
                unarchive_database(database_id=database.pk, by=admin)
        except DomainError:
            pass
    assert "right" in check()
    assert RecordRequest.objects.filter(status="approved").count() > 5
    assert StaffDay.objects.filter(ada__gt=0).exists()


def test_a_wrong_total_is_named_and_rebuilt(ani: User) -> None:
    assignment = make_assignment(staff=ani, reach="ada")
    DatabaseStat.objects.update(available=77)
    BatchStat.objects.update(ada=0)
    StaffDay.objects.all().delete()
    errors = StringIO()
    with pytest.raises(CommandError, match="3 rows of totals differ"):
        call_command("check_totals", stderr=errors)
    said = errors.getvalue()
    assert f"(database_id {assignment.database_id}): available 77, should be 0" in said
    assert "ada 0, should be 1" in said
    out = StringIO()
    call_command("rebuild_totals", stdout=out)
    assert "3 rows were wrong" in out.getvalue()
    assert "right" in check()


def test_a_row_of_totals_about_nothing_becomes_zero(ani: User) -> None:
    assignment = make_assignment(staff=ani)
    BatchStat.objects.create(staff=ani, database=assignment.database, request=None, records=9)
    with pytest.raises(CommandError):
        check()
    call_command("rebuild_totals", stdout=StringIO())
    assert "right" in check()


def test_legacy_records_without_a_request_are_counted(ani: User) -> None:
    assignment = make_assignment(staff=ani)
    Assignment.objects.filter(pk=assignment.pk).update(request=None)
    assert "right" in check()


def test_a_changed_zone_is_reported_and_rebuilding_moves_the_days(ani: User) -> None:
    assignment = make_assignment(staff=ani)
    moment = clock.start_of_day(clock.today())  # 00.00 here is 17.00 of the day before in UTC
    Assignment.objects.filter(pk=assignment.pk).update(assigned_at=moment)
    day = StaffDay.objects.filter(assigned=1).get().day
    assert days_are_in_the_configured_zone(databases=["default"]) == []
    with override_settings(TIME_ZONE="UTC"):
        (warning,) = days_are_in_the_configured_zone(databases=["default"])
        assert warning.id == "crm.W101"
        call_command("rebuild_totals", stdout=StringIO())
        assert (day - StaffDay.objects.filter(assigned=1).get().day).days == 1
        assert days_are_in_the_configured_zone(databases=["default"]) == []


def test_a_day_begins_at_midnight_in_the_configured_zone() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT crm_day('2026-01-12 16:59:59Z'), crm_day('2026-01-12 17:00Z'), crm_day(NULL)"
        )
        before, after, never = cursor.fetchone()
    assert (str(before), str(after), never) == ("2026-01-12", "2026-01-13", None)
