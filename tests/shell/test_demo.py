"""The demo: whole, once, and nowhere but in a demo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.models import Activity, User
from assignments.models import Assignment, BatchStat, RecordRequest
from crm.shell.demo import world
from crm.shell.demo.customers import csv_file
from databases.models import Database, DatabaseStat, Import, Product, Record
from tests import factories

Request = RecordRequest.Status


def _signs_in(email: str, password: str) -> bool:
    answer = Client().post(reverse("accounts:signin"), {"email": email, "password": password})
    return answer.status_code == 302


# The heartbeat of an import looks on over a connection of its own: nothing may be rolled back.
@pytest.mark.django_db(transaction=True)
def test_it_is_whole_and_loading_it_again_changes_nothing(
    settings: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.MEDIA_ROOT = tmp_path
    call_command("demo")
    assert " / ".join(world.ADMIN) in capsys.readouterr().out

    assert Product.objects.count() == 3
    assert Database.objects.count() == 5
    assert Database.objects.exclude(archived_at=None).count() == 1
    for database in Database.objects.all():
        assert "No Rekening" in database.columns
        assert "No Rekening" not in database.shown_columns()
    assert Record.objects.needing_attention().exists()
    assert set(RecordRequest.objects.values_list("status", flat=True)) == set(Request)
    assert RecordRequest.objects.get(status=Request.REJECTED).reason
    assert BatchStat.objects.filter(ya__gt=0, ceklis1__gt=0, tidak__gt=0).count() > 3
    done = Import.objects.filter(state=Import.State.DONE)
    assert sum(done.values_list("duplicate", flat=True)) > 0
    assert Import.objects.filter(state=Import.State.WAITING).count() == 1
    call_command("check_totals")
    assert _signs_in(*world.ADMIN)
    assert _signs_in(*world.STAFF)

    before = _all_there_is()
    call_command("demo")
    assert "there already" in capsys.readouterr().out
    assert _all_there_is() == before


@pytest.mark.django_db
def test_only_the_two_accounts_have_a_password_that_is_known() -> None:
    world._open(world._people())
    assert not User.objects.filter(must_change_password=True).exists()
    for person in User.objects.all():
        known = person.email in (world.ADMIN[0], world.STAFF[0])
        guesses = [world.ADMIN[1], world.STAFF[1]]
        assert any(person.check_password(guess) for guess in guesses) == known


def _all_there_is() -> list[int]:
    models = (User, Product, Database, Import, Record, Assignment, RecordRequest, Activity)
    return [model.objects.count() for model in models]


@pytest.mark.django_db(transaction=True)
def test_a_demo_that_was_interrupted_is_completed(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    people = world._people()
    world._import(world.OLD, by=people[world.ADMIN[0]])
    assert world.is_wanted()
    assert not _signs_in(*world.ADMIN)

    call_command("demo")

    assert not world.is_wanted()
    assert Database.objects.filter(name=world.OLD.name).count() == 1
    assert _signs_in(*world.ADMIN)


@pytest.mark.django_db
def test_it_refuses_in_production(settings: Any) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="production"):
        call_command("demo")
    assert not User.objects.exists()


@pytest.mark.django_db
def test_it_refuses_where_somebody_real_is() -> None:
    factories.make_user(email="orang@example.com")
    assert not world.is_wanted()
    with pytest.raises(CommandError, match="empty database"):
        call_command("demo")
    assert User.objects.count() == 1
    assert not DatabaseStat.objects.exists()


def test_the_customers_are_the_same_every_time_and_have_no_phone_that_rings() -> None:
    text = csv_file(world.PROMO).decode()
    assert text == csv_file(world.PROMO).decode()
    phones = [line.split(",")[2] for line in text.splitlines()[1:]]
    usable = [phone for phone in phones if len(phone) == 12]
    assert len(usable) >= world.PROMO.customers
    assert all(phone.startswith(("0824", "0825", "0826", "0827")) for phone in usable)
