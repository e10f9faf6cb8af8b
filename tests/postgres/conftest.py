"""Servers of our own, in folders that their user can and cannot reach."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import pytest_django

from crm.postgres import server
from crm.postgres.place import DATABASE, OWNER, PORT, Place, find_place

MakePlace = Callable[..., Place]


@pytest.fixture
def make_place() -> Iterator[MakePlace]:
    """Give a function that makes a VAR_DIR and says where its server is."""
    folders: list[Path] = []
    places: list[Place] = []

    def make(*, closed: bool = False, below: str = "var") -> Place:
        folder = Path(tempfile.mkdtemp(prefix="crm-test-"))
        folder.chmod(0o700 if closed else 0o755)
        folders.append(folder)
        var_dir = folder / below
        var_dir.mkdir(parents=True)
        place = find_place(var_dir)
        places.append(place)
        return place

    yield make
    for place in places:
        if place.home.exists():
            server.stop(find_place(place.var_dir))  # whose it is may have changed
        for path in (place.home, place.sockets):
            shutil.rmtree(path, ignore_errors=True)
    for folder in folders:
        shutil.rmtree(folder)


@pytest.fixture
def django_db_blocker_open(django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[None]:
    """Let a test connect to servers of its own, with no test database made."""
    with django_db_blocker.unblock():
        yield


def ask(place: Place, sql: str, *, user: str = OWNER) -> object:
    """Give the one value that the server answers."""
    where = {"host": str(place.sockets), "port": PORT, "dbname": DATABASE, "user": user}
    with psycopg.connect(**where, autocommit=True) as connection:  # type: ignore[arg-type]
        found = connection.execute(sql.encode())
        row = found.fetchone() if found.description else None
    return row[0] if row else None


only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
