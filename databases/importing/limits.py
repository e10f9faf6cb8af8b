"""How much a file may ask for. The upload form and the documentation state these."""

from __future__ import annotations

ROWS = 1_048_576
COLUMNS = 256
CELL_CHARACTERS = 32_767
SHEETS = 200

# What a zip archive may unfold to; an honest sheet of a million rows stays well below.
ZIP_ENTRIES = 5_000
INFLATED_BYTES = 4 * 1024**3
INFLATED_RATIO = 200
INFLATED_RATIO_FROM = 64 * 1024**2
# Texts of a workbook that are kept in memory; the rest is streamed.
SHARED_STRINGS = 16_000_000

# A quoted field that grows past this has lost its closing quote.
QUOTED_CHARACTERS = 8 * 1024**2
# All cells together: a text that a workbook holds once may be in each of its cells.
TEXT_CHARACTERS = 2 * 1024**3
# How much of a cell is looked at to guess what its column is for.
GUESSED_CHARACTERS = 200
# Excel takes 255; matching a pattern in more may take for ever.
FORMAT_CHARACTERS = 1_000

MEMORY_TEXT = 640 * 1024**2
MEMORY_WORKBOOK = 1_200 * 1024**2
CPU_SECONDS = 120
CPU_SECONDS_PER_MEGABYTE = 1.0
# How long the reader may stay silent before it is presumed stuck.
SILENCE_SECONDS = 120.0

NAME_CHARACTERS = 120
PREVIEW_ROWS = 20
PREVIEW_CHARACTERS = 300
PREVIEW_CHARACTERS_OF_ROW = 12_000
SAMPLE_ROWS = 200
# An index entry of PostgreSQL has room for 2,700 bytes.
KEY_CHARACTERS = 500


def memory(name: str) -> int:
    """Give the memory that reading a file of this name may take."""
    return MEMORY_TEXT if name.lower().endswith((".csv", ".txt", ".tsv")) else MEMORY_WORKBOOK


def cpu_seconds(size: int) -> int:
    """Give the CPU time that a file of `size` bytes may take."""
    return int(CPU_SECONDS + CPU_SECONDS_PER_MEGABYTE * size / 1024**2)
