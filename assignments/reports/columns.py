"""What other roles of its columns would make of a database, before anybody decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from assignments.models import Assignment
from databases.importing.again import Again, Identity, StoredRow
from databases.models import Database, DatabaseChange, Import, Record
from databases.reports import ReasonCount, counts_by_reason, reason_text
from databases.reports_check import PreviewCell, PreviewLine

SAMPLE = 10_000  # judged while somebody waits
PREVIEW_ROWS = 20
PREVIEW_CHARACTERS = 300
_BATCH = 1_000  # rows in memory at a time; a cell may have 32,767 characters


def source_of(database: Database) -> Import | None:
    """Give the import that brought the records, not one that corrected some."""
    return Import.objects.filter(database=database, corrects=None).order_by("pk").first()


def judge_of(database: Database, after: Sequence[str]) -> Again:
    """Give what judges the rows of `database` under the roles `after`."""
    source = source_of(database)
    kind = source.reading.get("kind", "csv") if source is not None else "csv"
    return Again(before=database.roles, after=after, from_sheet=kind != "csv")


def stored_rows(
    database_id: int, again: Again, *, limit: int | None = None
) -> Iterator[tuple[int, StoredRow]]:
    """Give (id, row) in the file's order, with the cells that `again` asks for and no others."""
    rows: Any = (
        Record.objects.in_database(database_id)
        .order_by("row_number")
        .values_list(
            "pk",
            "row_number",
            *Identity._fields,
            *(f"cells__{position}" for position in again.positions),
        )[:limit]
    )
    size = len(Identity._fields)
    for pk, number, *rest in rows.iterator(chunk_size=_BATCH):
        yield pk, StoredRow(number, Identity(*rest[:size]), rest[size:])


def in_batches(rows: Iterator[tuple[int, StoredRow]]) -> Iterator[list[tuple[int, StoredRow]]]:
    """Give `rows` in lists that fit into memory whatever their cells hold."""
    while batch := list(islice(rows, _BATCH)):
        yield batch


@dataclass(frozen=True, slots=True)
class Effect:
    """What would become of the first `rows` of `total` records."""

    rows: int
    total: int
    ready: int
    reasons: list[ReasonCount]
    repaired: int
    set_aside: int
    in_hands: int
    duplicates: int

    @property
    def is_exact(self) -> bool:
        return self.rows >= self.total

    @property
    def attention(self) -> int:
        return self.rows - self.ready


def columns_effect(database: Database, after: Sequence[str]) -> Effect:
    """Judge the first records of a database under the roles `after`, changing nothing."""
    again = judge_of(database, after)
    reasons: dict[str, int] = {}
    seen: set[str] = set()
    aside: list[int] = []
    rows = repaired = duplicates = 0
    by_phone = "phone" in after
    for batch in in_batches(stored_rows(database.pk, again, limit=SAMPLE)):
        found = again.judge(row for _id, row in batch)
        for (pk, row), now in zip(batch, found, strict=True):
            rows += 1
            if now.attention is not None:
                reasons[now.attention] = reasons.get(now.attention, 0) + 1
                if row.was.attention is None:
                    aside.append(pk)
                continue
            repaired += row.was.attention is not None
            who = now.phone if by_phone else now.username_key
            duplicates += bool(who) and who in seen
            seen.add(who)
    return Effect(
        rows=rows,
        total=database.stat.total,
        ready=rows - sum(reasons.values()),
        reasons=counts_by_reason(reasons),
        repaired=repaired,
        set_aside=len(aside),
        in_hands=Assignment.objects.live().filter(record_id__in=aside).count() if aside else 0,
        duplicates=duplicates,
    )


def first_rows(database: Database, after: Sequence[str]) -> tuple[list[int], list[PreviewLine]]:
    """Give the first records, their ids and how they would be stored under the roles `after`."""
    again = judge_of(database, after)
    stored = list(stored_rows(database.pk, again, limit=PREVIEW_ROWS))
    cells = _first_cells(database.pk)
    found = again.judge(row for _id, row in stored)
    lines = [
        _line(row, cells.get(row.number, []), now, after)
        for (_id, row), now in zip(stored, found, strict=True)
    ]
    return [pk for pk, _row in stored], lines


def _first_cells(database_id: int) -> dict[int, list[str]]:
    """Give the cells of the first rows, long ones cut where they are stored."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT row_number, ARRAY(SELECT left(c, %s) FROM unnest(cells) WITH ORDINALITY u(c, n)
                                     ORDER BY n)
            FROM databases_record WHERE database_id = %s ORDER BY row_number LIMIT %s
            """,
            [PREVIEW_CHARACTERS, database_id, PREVIEW_ROWS],
        )
        return dict(cursor.fetchall())


def _line(row: StoredRow, texts: list[str], now: Identity, after: Sequence[str]) -> PreviewLine:
    cells = [PreviewCell(text) for text in texts[: len(after)]]
    cells += [PreviewCell("") for _missing in range(len(after) - len(cells))]
    by = list(after).index("phone") if "phone" in after else 0
    if now.attention is not None:
        at = by
        if now.attention == "cell_too_long":
            at = max(range(len(cells)), key=lambda i: len(cells[i].text))
        cells[at] = PreviewCell(cells[at].text, reason_text(now.attention), "warn")
    elif now.phone and now.phone != cells[by].text:
        cells[by] = PreviewCell(cells[by].text, now.phone, "norm")
    return PreviewLine(row.number, "attention" if now.attention else "ready", cells)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a change of columns did, or why it did nothing."""

    problem: str = ""
    ready: int = 0
    attention: int = 0
    reasons: list[ReasonCount] = field(default_factory=list)
    in_hands: int = 0
    duplicates: int = 0
    by_phone: bool = False


_PROBLEMS = {
    "crashed": lambda: _(
        "Something went wrong on the server and nothing was changed. Try again; if it fails once "
        "more, tell whoever runs the server."
    ),
    "disk_full": lambda: _(
        "The disk of the database is full. Nothing was changed. Tell whoever runs the server, "
        "then try again."
    ),
}


def outcome_of(change: DatabaseChange | None) -> Outcome | None:
    """Put into words how a change of columns ended; None when there is nothing to say."""
    if change is None or change.kind != DatabaseChange.Kind.COLUMNS:
        return None
    if change.state == DatabaseChange.State.FAILED:
        return Outcome(problem=_PROBLEMS.get(change.problem, _PROBLEMS["crashed"])())
    if change.state != DatabaseChange.State.DONE:
        return None
    found = change.result
    return Outcome(
        ready=found["ready"],
        attention=sum(found["attention"].values()),
        reasons=counts_by_reason(found["attention"]),
        in_hands=found["in_hands"],
        duplicates=found["duplicates"],
        by_phone=found["by_phone"],
    )
