"""Rows that were downloaded, corrected and uploaded again: read, and told what becomes of each.

The file is read like any other, into a temporary table. Each of its lines names a row of the
database by number; only what still needs attention or was skipped can change. Nothing is written
here: `assignments.services.corrections` does that, under the product's lock.
"""

from __future__ import annotations

import tempfile
import uuid
from dataclasses import asdict, dataclass, replace

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext, override

from accounts.models import User
from crm.kernel.csv_out import safe_cell
from databases.errors import BeingChanged, NothingToCorrect
from databases.importing.detect import find_layout
from databases.importing.process import (
    RECORD_COLUMNS,
    SKIPPED_COLUMNS,
    Choices,
    FileProblem,
    Inspection,
    Progress,
    Records,
    Skipped,
    Stopped,
    load,
    read,
)
from databases.importing.shapes import BLANK
from databases.models import Database, DatabaseChange, Import, ReceivedFile
from databases.services.correction_lines import BEFORE, classify, judge_lines, outcome
from databases.services.pulse import Pulse
from databases.services.reading import choices_of, read_file
from databases.services.uploads import start_import


def start_correction(
    *, original: Import, received: ReceivedFile, token: uuid.UUID, by: User
) -> Import:
    """Have a received file of corrected rows of `original` read; twice is once.

    Raises NothingToCorrect, BeingChanged; FileGone when another form took the file.
    """
    database = original.database
    if original.state != Import.State.DONE or database is None or database.deleted_at is not None:
        raise NothingToCorrect
    if DatabaseChange.objects.unfinished().filter(database=database).exists():
        raise BeingChanged(database.name)
    return start_import(
        received=received,
        product=original.product,
        name=database.name,
        description="",
        token=token,
        by=by,
        corrects=original,
    )


def read_correction(*, import_id: int, attempt: int) -> None:
    """Read a file of corrected rows and note what it would change, or why it is refused."""
    read_file(import_id=import_id, attempt=attempt, how=_examine)


def _examine(source: Import, pulse: Pulse) -> None:
    with transaction.atomic():
        no_limits()
        staged = stage(source, pulse)
        classify(staged.database)
        found = outcome()
        # The temporary tables go with the transaction; nothing else was written.
    mine = Import.objects.filter(pk=source.pk, attempt=source.attempt, state=Import.State.READING)
    mine.update(
        state=Import.State.WAITING,
        reading=asdict(staged.inspection) | {"preview": [], "correction": found},
        rows_total=sum(found["lines"].values()),
        rows_done=0,
    )


def no_limits() -> None:
    """Let this transaction take longer than a page may; what hangs still ends."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '1h'")
        cursor.execute("SET LOCAL lock_timeout = '30s'")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '10min'")


@dataclass(frozen=True, slots=True)
class Staged:
    """A file of corrected rows in the temporary table `correction`, and what it is for."""

    original: Import
    database: Database
    inspection: Inspection


def stage(source: Import, pulse: Pulse) -> Staged:
    """Read the file into the temporary table `correction`, a verdict for each line.

    Raises FileProblem (also for a file of other columns, and when the database is gone), Stopped.
    """
    original = Import.objects.select_related("database").get(corrections=source)
    database = original.database
    if database is None or database.deleted_at is not None:
        raise FileProblem("database_gone")
    inspection = _inspect(source, database, pulse)
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
    _copy(source, database, inspection, pulse)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE corrected_line")
    judge_lines(original, database, pulse)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE correction")
    return Staged(original, database, inspection)


_TABLES = """
CREATE TEMPORARY TABLE corrected_line (
    database_id bigint, row_number int, cells text[], username text, name text, phone text,
    username_key text, name_key text, attention text
) ON COMMIT DROP;
CREATE TEMPORARY TABLE corrected_skipped (
    source_id bigint, row_number int, reason text, same_as int, cells text[]
) ON COMMIT DROP;
CREATE TEMPORARY TABLE correction (
    line int, row_number int, record_id bigint, skipped_id bigint,
    outcome text, reason text, same_as int,
    cells text[], username text, name text, phone text, username_key text, name_key text
) ON COMMIT DROP;
"""


def _inspect(source: Import, database: Database, pulse: Pulse) -> Inspection:
    """Look whether the file has the columns of the download; its first row must name them."""
    choices = replace(choices_of(source), header_row=1, roles=None)
    for found in read(
        source.file.path,
        original_name=source.original_name,
        choices=choices,
        whole=False,
        should_stop=pulse.should_stop,
    ):
        if isinstance(found, Inspection):
            names = [column.name for column in found.columns]
            if names not in expected_headers(database, width=len(names)):
                raise FileProblem("not_the_download")
            return found
    raise Stopped


def expected_headers(database: Database, *, width: int) -> list[list[str]]:
    """Give the names that the columns of the download have once they are read, per language.

    A row may have more cells than the header: the columns from there on have no name.
    """
    headers = []
    for language, _name in settings.LANGUAGES:
        with override(language):
            header = [gettext("Row"), gettext("Reason"), *map(safe_cell, database.columns)]
        below = ["x"] * max(width, len(header))
        layout = find_layout([(1, header), (2, below)], header_row=1)
        headers.append([column.name for column in layout.columns])
    return headers


def _copy(source: Import, database: Database, inspection: Inspection, pulse: Pulse) -> None:
    extra = len(inspection.columns) - BEFORE - len(database.columns)
    choices = Choices(
        encoding=inspection.encoding or None,
        delimiter=inspection.delimiter or None,
        sheet=inspection.sheet or None,
        header_row=1,
        roles=("", "", *database.roles, *[""] * extra),
    )
    with (
        tempfile.SpooledTemporaryFile(max_size=1 << 20) as skipped,
        connection.cursor() as cursor,
        load(
            source.file.path,
            original_name=source.original_name,
            choices=choices,
            database_id=database.pk,
            import_id=source.pk,
            should_stop=pulse.should_stop,
        ) as frames,
    ):
        columns = ", ".join(RECORD_COLUMNS)
        with cursor.copy(f"COPY corrected_line ({columns}) FROM STDIN") as copy:
            for frame in frames:
                if isinstance(frame, Records):
                    copy.write(frame.payload)
                elif isinstance(frame, Skipped):
                    skipped.write(frame.payload)
                elif isinstance(frame, Progress):
                    pulse.rows = frame.rows
        skipped.seek(0)
        columns = ", ".join(SKIPPED_COLUMNS)
        with cursor.copy(f"COPY corrected_skipped ({columns}) FROM STDIN") as copy:
            while piece := skipped.read(1 << 16):
                copy.write(piece)
        cursor.execute(
            """
            INSERT INTO corrected_line (row_number, cells)
            SELECT row_number, cells FROM corrected_skipped WHERE reason <> %s
            """,
            [BLANK],
        )
