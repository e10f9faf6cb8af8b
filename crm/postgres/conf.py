"""The configuration of the embedded server, written anew before each start.

It lies beside the data, not in it: root writes it, and must not write into a folder where the
server's user could have put a link. `local.conf` is the owner's; nothing here touches it.
"""

import os
import pwd
from pathlib import Path

from crm.postgres.place import OWNER, SUPERUSER, Place

MAIN = "postgresql.conf"
MB = 1024 * 1024


def write(place: Place) -> None:
    """Write the three files."""
    _write(place.conf / MAIN, _main(place))
    # Who connects is what the system says of the process at the other end of the socket.
    _write(place.conf / "pg_hba.conf", "local all all peer map=crm\n")
    names = {pwd.getpwuid(os.geteuid()).pw_name}
    if place.user is not None:
        names.add(place.user.name)
    roles = (OWNER, SUPERUSER)
    lines = [f'crm "{name}" {role}\n' for name in sorted(names) for role in roles]
    _write(place.conf / "pg_ident.conf", "".join(lines))


def _main(place: Place) -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    settings: dict[str, str | int] = {
        "hba_file": str(place.conf / "pg_hba.conf"),
        "ident_file": str(place.conf / "pg_ident.conf"),
        "listen_addresses": "",
        "unix_socket_directories": str(place.sockets),
        "unix_socket_permissions": "0700" if place.user is None else "0770",
        "max_connections": 200,
        # A query over all records locks each table of a long list, with its indexes.
        "max_locks_per_transaction": 512,
        "shared_buffers": f"{_between(64, memory // MB // 8, 1024)}MB",
        "effective_cache_size": f"{_between(128, memory // MB // 2, 65536)}MB",
        "maintenance_work_mem": f"{_between(64, memory // MB // 16, 512)}MB",
        "work_mem": "16MB",
        # Nobody but this server reads its log, so a table that is made and filled in one
        # transaction (a long list) is written once, not twice. Who sends the log elsewhere
        # (a standby, an archive, pg_basebackup) sets both otherwise in local.conf.
        "wal_level": "minimal",
        "max_wal_senders": 0,
        "max_wal_size": "4GB",
        "min_wal_size": "256MB",
        "wal_compression": "pglz",  # this build has neither lz4 nor zstd
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] ",
        # Statements and details of errors carry names and phone numbers.
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "lc_messages": "C",
        # A small container may have no shared memory file system worth the name.
        "dynamic_shared_memory_type": "posix" if Path("/dev/shm").is_dir() else "sysv",  # noqa: S108 - asked for, not written to
    }
    lines = [f"{name} = {_quoted(value)}\n" for name, value in settings.items()]
    return "".join(lines) + "include_if_exists 'local.conf'\n"


def _between(low: int, value: int, high: int) -> int:
    return max(low, min(value, high))


def _quoted(value: str | int) -> str:
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def _write(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    with part.open("x") as file:  # never through a link
        file.write(text)
    part.chmod(0o644)
    part.replace(path)
