"""What the reader is asked and what it answers: plain data that both processes understand."""

from __future__ import annotations

from dataclasses import dataclass, field

# The columns that `Records` and `Skipped` carry, in COPY text format.
RECORD_COLUMNS = (
    "database_id",
    "row_number",
    "cells",
    "username",
    "name",
    "phone",
    "username_key",
    "name_key",
    "attention",
)
SKIPPED_COLUMNS = ("source_id", "row_number", "reason", "same_as", "cells")

READY = "ready"
ATTENTION = "attention"
DUPLICATE = "duplicate"
BLANK = "blank"


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person decided about the file; None leaves it to the reader.

    `header_row` is 1-based; 0 says that the file has no header row. `roles` has one role for each
    column of the chosen sheet.
    """

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header_row: int | None = None
    roles: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file: its unique name, what it is for, and how sure the guess is (0 to 1)."""

    name: str
    role: str = ""
    confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One of the first rows, as it will be stored (long cells cut for the screen).

    `outcome` is ready, attention, duplicate or blank; `reason` says why it is not ready;
    `same_as` is the row that a duplicate repeats.
    """

    row_number: int
    cells: tuple[str, ...]
    outcome: str
    reason: str = ""
    phone: str = ""
    same_as: int | None = None


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the first part of the file shows.

    `encoding` and `delimiter` are empty for workbooks, `sheet` and `sheets` for text files.
    `header_row` 0 means that there is none. `warnings` are codes: no_phone_column,
    no_header_row, mixed_encoding.
    """

    kind: str
    encoding: str
    delimiter: str
    sheets: tuple[str, ...]
    sheet: str
    header_row: int
    columns: tuple[Column, ...]
    preview: tuple[PreviewRow, ...]
    rows_estimate: int | None
    header_fingerprint: str
    warnings: tuple[str, ...] = ()

    def position(self, role: str) -> int | None:
        """Give where the column with `role` stands, the first if there are several."""
        return next((i for i, c in enumerate(self.columns) if c.role == role), None)


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of every row below the header: the four outcomes add up to `total`.

    `attention` and `duplicate` count by reason. `lost_digits` counts phone cells whose digits a
    spreadsheet had already thrown away, `wide_rows` rows with more cells than the header has.
    """

    total: int
    ready: int
    attention: dict[str, int] = field(default_factory=dict)
    duplicate: dict[str, int] = field(default_factory=dict)
    blank: int = 0
    lost_digits: int = 0
    wide_rows: int = 0

    @property
    def needs_attention(self) -> int:
        return sum(self.attention.values())

    @property
    def duplicates(self) -> int:
        return sum(self.duplicate.values())


@dataclass(frozen=True, slots=True)
class Progress:
    """How many rows are done, and which share of the file that is (0 to 1)."""

    rows: int
    fraction: float


@dataclass(frozen=True, slots=True)
class Records:
    """A piece of COPY text for `RECORD_COLUMNS`; pieces need not end where rows end."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Skipped:
    """A piece of COPY text for `SKIPPED_COLUMNS`; pieces need not end where rows end."""

    payload: bytes
