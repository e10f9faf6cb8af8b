"""The rows of a checked file as COPY takes them, kept beside it until they are imported.

A file is read once, for its check page; what was shown there is what the import stores, and a
workbook that took twenty seconds to read does not take them again. Without these files (they go
after a day, and a full disk never gets them) the import reads the upload once more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import IO

from django.core.files.storage import default_storage

from databases.importing.process import (
    Choices,
    Frame,
    Inspection,
    Progress,
    Records,
    Skipped,
    Tally,
    load,
)
from databases.models import Import

logger = logging.getLogger(__name__)

PIECE = 1 << 20
# The database does not exist yet: its place in each line, until the lines are given out.
NOBODY = 0
RECORDS, SKIPPED = "records", "skipped"


def read_and_keep(
    source: Import, *, choices: Choices, should_stop: Callable[[], bool]
) -> Iterator[Inspection | Progress | Tally]:
    """Read the file of `source` whole and keep its rows, as those of its current attempt.

    Gives and raises what `databases.importing.process.read` does.
    """
    forget_rows(source.file.name or "")
    with (
        load(
            source.file.path,
            original_name=source.original_name,
            choices=choices,
            database_id=NOBODY,
            import_id=source.pk,
            should_stop=should_stop,
        ) as frames,
        _Keeper(source) as keeper,
    ):
        for frame in frames:
            if isinstance(frame, Records | Skipped):
                keeper.keep(frame)
                continue
            if isinstance(frame, Tally):
                keeper.finish()
            yield frame


def kept_rows(source: Import, kind: str) -> Path | None:
    """Give the file of the kept rows of the reading that was checked, if it is there.

    `kind` is RECORDS (lines of `RECORD_COLUMNS`, their database NOBODY) or SKIPPED.
    """
    attempt = source.reading.get("attempt")
    if not source.file or attempt is None:
        return None
    path = _path(source.file.name or "", attempt, kind)
    return path if path.exists() else None


def kept_frames(source: Import, *, database_id: int) -> Iterator[Frame] | None:
    """Give the kept rows as `load` would give them, for `database_id`; None without them."""
    records, skipped = kept_rows(source, RECORDS), kept_rows(source, SKIPPED)
    if records is None or skipped is None:
        return None
    return _frames(source, records, skipped, database_id)


def _frames(source: Import, records: Path, skipped: Path, database_id: int) -> Iterator[Frame]:
    tally = Tally(**source.reading["tally"])
    size, read = records.stat().st_size or 1, 0
    for piece in pieces(records, database_id=database_id):
        read += len(piece)
        yield Records(piece)
        yield Progress(rows=min(tally.total, tally.total * read // size), fraction=read / size)
    with skipped.open("rb") as file:
        while piece := file.read(PIECE):
            yield Skipped(piece)
    yield tally


def pieces(records: Path, *, database_id: int = NOBODY) -> Iterator[bytes]:
    """Give the kept records piece by piece, as those of `database_id`."""
    # A line end inside a cell is written as two characters: this one only ends rows.
    nobody, owner = b"\n%d\t" % NOBODY, b"\n%d\t" % database_id
    rest = b"\n"
    with records.open("rb") as file:
        while piece := file.read(PIECE):
            lines, end, rest = (rest + piece).rpartition(b"\n")
            yield (lines + end).replace(nobody, owner)[1:]
            rest = b"\n" + rest


def forget_rows(stored: str) -> None:
    """Delete what is kept of the rows of a stored file, of whichever attempt."""
    if not stored:
        return
    path = Path(default_storage.path(stored))
    for kept in path.parent.glob(f"{path.name}.*"):
        try:
            kept.unlink(missing_ok=True)
        except OSError:
            logger.warning("The kept rows of an upload could not be deleted.")


def _path(stored: str, attempt: int, kind: str) -> Path:
    return Path(default_storage.path(f"{stored}.{attempt}.{kind}"))


class _Keeper:
    """Writes the rows to their files; gives up without a word when the disk refuses."""

    def __init__(self, source: Import) -> None:
        self._paths = {
            kind: _path(source.file.name or "", source.attempt, kind) for kind in (RECORDS, SKIPPED)
        }
        self._files: dict[str, IO[bytes]] = {}
        self._stack = ExitStack()
        self._works = True

    def __enter__(self) -> _Keeper:
        try:
            for kind, path in self._paths.items():
                self._files[kind] = self._stack.enter_context(_part(path).open("wb"))
        except OSError as error:
            self._give_up(error)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._close()
        self._forget_parts()

    def keep(self, frame: Records | Skipped) -> None:
        if self._works:
            try:
                kind = RECORDS if isinstance(frame, Records) else SKIPPED
                self._files[kind].write(frame.payload)
            except OSError as error:
                self._give_up(error)

    def finish(self) -> None:
        """Make the files those that an import may use."""
        self._close()
        if not self._works:
            return
        try:
            for path in self._paths.values():
                _part(path).rename(path)
        except OSError as error:
            self._give_up(error)

    def _close(self) -> None:
        try:
            self._stack.close()
        except OSError as error:  # the last bytes are written here
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        self._works = False
        logger.warning("The rows of an upload could not be kept: %s", error.strerror)
        self._forget_parts()

    def _forget_parts(self) -> None:
        for path in self._paths.values():
            with suppress(OSError):  # a read-only disk refuses even this
                _part(path).unlink(missing_ok=True)


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")
