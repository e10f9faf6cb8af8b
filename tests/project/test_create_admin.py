"""The first admin of a new installation."""

from __future__ import annotations

import re

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Activity, User

pytestmark = pytest.mark.django_db


def test_it_makes_an_admin_and_shows_the_password_once(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_admin", "--noinput", email="Dewi@Example.com", name="Dewi")
    said = capsys.readouterr().out
    admin = User.objects.get(email="dewi@example.com")
    password = re.search(r"hours: (\S+)", said)
    assert password is not None
    assert admin.check_password(password[1])
    assert admin.is_admin
    assert admin.must_change_password
    assert admin.password_expires_at is not None
    assert Activity.objects.get(subject_id=admin.pk, subject_type="accounts.user").actor is None


def test_it_asks_for_what_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["eka@example.com", "Eka"])
    monkeypatch.setattr("builtins.input", lambda question: next(answers))
    call_command("create_admin")
    assert User.objects.filter(email="eka@example.com", name="Eka").exists()


@pytest.mark.parametrize(("email", "name"), [("", "Eka"), ("eka@example.com", ""), ("eka", "Eka")])
def test_it_refuses_what_is_no_person(email: str, name: str) -> None:
    with pytest.raises(CommandError):
        call_command("create_admin", "--noinput", email=email, name=name)
    assert not User.objects.exists()


def test_it_refuses_an_e_mail_that_somebody_has(ani: User) -> None:
    with pytest.raises(CommandError):
        call_command("create_admin", "--noinput", email=ani.email.upper(), name="Eka")
    assert User.objects.count() == 1
