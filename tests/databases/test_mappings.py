"""What columns were for the last time is proposed for the next file with such a header."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from databases.models import ColumnMapping, Import
from tests import factories
from tests.databases.helpers import MIXED, csv_file, form

Work = Callable[[], None]
TURNED = ["name", "username", "phone", "sensitive", "ignore"]  # username and name the other way
GUESSED = ["username", "name", "phone", "", "sensitive"]


def uploaded(client: Client, work: Work, content: bytes = MIXED) -> Import:
    client.post(
        "/manage/databases/upload/",
        form(factories.make_product(), file=csv_file(content=content)),
    )
    work()
    return Import.objects.latest("pk")


def roles_of(source: Import) -> list[str]:
    return [column["role"] for column in source.reading["columns"]]


def page_of(client: Client, source: Import) -> str:
    return client.get(f"/manage/databases/imports/{source.pk}/check/").content.decode()


def send(client: Client, source: Import, what: str, roles: list[str], **more: Any) -> Any:
    sent = {f"role{i}": role for i, role in enumerate(roles)}
    sent |= {"encoding": "utf-8", "delimiter": ";", "header_row": "1"}
    return client.post(f"/manage/databases/imports/{source.pk}/{what}/", sent | more)


@pytest.fixture
def remembered(as_citra: Client, work: Work) -> Import:
    """A file that was imported with other columns than guessed."""
    source = uploaded(as_citra, work)
    assert roles_of(source) == GUESSED
    send(as_citra, source, "read-again", TURNED)
    work()
    send(as_citra, source, "confirm", TURNED)
    work()
    source.refresh_from_db()
    assert source.state == Import.State.DONE
    return source


def test_the_next_file_is_read_as_the_last_one_was(
    as_citra: Client, work: Work, remembered: Import, citra: User
) -> None:
    source = uploaded(as_citra, work, MIXED + b"tono05;Tono;081234567899;Solo;1\n")
    assert (source.state, roles_of(source)) == (Import.State.WAITING, TURNED)
    assert source.reading["tally"]["ready"] == 4
    page = page_of(as_citra, source)
    assert "Columns as last time" in page
    assert f"by {citra.name}" in page
    assert "Use the guess instead" in page
    assert "as last time</span>" in page


def test_the_guess_can_be_had_instead_and_is_then_remembered(
    as_citra: Client, work: Work, remembered: Import
) -> None:
    source = uploaded(as_citra, work)
    send(as_citra, source, "read-again", TURNED, guess="1")
    work()
    source.refresh_from_db()
    assert (source.state, roles_of(source)) == (Import.State.WAITING, GUESSED)
    assert "Columns as last time" not in page_of(as_citra, source)
    send(as_citra, source, "confirm", GUESSED)
    assert ColumnMapping.objects.get().roles == GUESSED
    again = uploaded(as_citra, work)
    assert roles_of(again) == GUESSED
    assert "Columns as last time" not in page_of(as_citra, again)


def test_another_header_is_not_touched(as_citra: Client, work: Work, remembered: Import) -> None:
    source = uploaded(as_citra, work, MIXED.replace(b"Kota", b"Wilayah"))
    assert roles_of(source) == GUESSED
    assert "Columns as last time" not in page_of(as_citra, source)


def test_the_spelling_of_the_header_does_not_matter(
    as_citra: Client, work: Work, remembered: Import
) -> None:
    assert roles_of(uploaded(as_citra, work, MIXED.replace(b"Nama", b"NAMA "))) == TURNED


def test_one_that_does_not_fit_any_more_is_ignored(
    as_citra: Client, work: Work, remembered: Import
) -> None:
    ColumnMapping.objects.update(roles=["name", "phone"])
    source = uploaded(as_citra, work)
    assert (source.state, roles_of(source)) == (Import.State.WAITING, GUESSED)


def test_columns_without_a_header_are_not_remembered(as_citra: Client, work: Work) -> None:
    content = b"budi01;Budi Santoso;081234567801\nsari02;Sari Dewi;081234567802\n"
    source = uploaded(as_citra, work, content)
    assert source.reading["header_row"] == 0
    sent = {f"role{i}": role for i, role in enumerate(roles_of(source))}
    sent |= {"encoding": "utf-8", "delimiter": ";", "header_row": "0"}
    as_citra.post(f"/manage/databases/imports/{source.pk}/confirm/", sent)
    source.refresh_from_db()
    assert source.state == Import.State.QUEUED
    assert not ColumnMapping.objects.exists()


def test_the_columns_that_were_chosen_for_this_file_are_not_overruled(
    as_citra: Client, work: Work, remembered: Import
) -> None:
    source = uploaded(as_citra, work)
    send(as_citra, source, "read-again", GUESSED)
    work()
    source.refresh_from_db()
    assert roles_of(source) == GUESSED
