"""Where the bench works: a database of its own, on an embedded server of its own if need be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BASE = Path(__file__).resolve().parents[2]
DATABASE = "crm_bench"


def set_up() -> None:
    """Get Django ready; the server waits for the disk as it does in production."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
    os.environ.setdefault("CRM_MODE", "demo")
    os.environ.setdefault("STATIC_MANIFEST", "0")
    os.environ.setdefault("VAR_DIR", str(BASE / "var" / "bench"))
    os.environ["TEST_DATABASE"] = DATABASE
    import django

    django.setup()


@contextmanager
def empty_database() -> Iterator[None]:
    """Work in a new database with all tables, and remove it afterwards."""
    from django.conf import settings
    from django.db import connection

    from crm.postgres import server
    from crm.postgres.place import find_place

    embedded = connection.settings_dict["ENGINE"] == "crm.postgres.backend"
    place = find_place(Path(settings.VAR_DIR))
    started = embedded and server.ensure_running(place)
    usual = str(connection.settings_dict["NAME"])
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(usual, verbosity=0)
        if started:
            server.stop(place)


def use_database() -> None:
    """In a process that the bench started: work in the database of the bench."""
    from django.conf import settings
    from django.db import connection

    settings.DATABASES["default"]["NAME"] = DATABASE
    connection.settings_dict["NAME"] = DATABASE


def folder() -> Path:
    """Give the folder for files that are made once and kept for the next run."""
    from django.conf import settings

    path = Path(settings.VAR_DIR) / "files"
    path.mkdir(parents=True, exist_ok=True)
    return path
