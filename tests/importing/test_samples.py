"""The twenty files of the corpus give exactly what its manifest says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.importing.reading import bring_in

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
FILES = json.loads((SAMPLES / "manifest.json").read_text(encoding="utf-8"))["files"]


@pytest.mark.parametrize("entry", FILES, ids=lambda entry: entry["file"])
def test_a_sample_gives_exactly_what_the_manifest_says(entry: dict[str, Any]) -> None:
    path, expected = SAMPLES / entry["file"], entry["expect"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]

    loaded = bring_in(path)
    found = loaded.inspection
    names = [column.name for column in found.columns]
    name_at, phone_at = found.position("name"), found.position("phone")
    assert name_at is not None
    assert phone_at is not None
    answers = {
        "encoding": found.encoding,
        "delimiter": found.delimiter,
        "sheet": found.sheet,
        "sheets": list(found.sheets),
        "header_row": found.header_row,
        "columns": names,
        "name_column": names[name_at],
        "phone_column": names[phone_at],
    }
    for what, answer in answers.items():
        assert answer == expected.get(what, answer), what

    ready = [record for record in loaded.records if record["attention"] is None]
    lines = "\n".join(f"{record['phone']}\t{record['name']}" for record in ready)
    assert hashlib.sha256(lines.encode()).hexdigest() == expected["records_digest"]
    assert len(ready) == expected["accepted"] == loaded.tally.ready
    for want, record in zip(expected["records"], ready, strict=False):
        assert (record["row"], record["name"], record["phone"]) == (
            want["row"],
            want["name"],
            want["phone"],
        )

    rejected = sorted(
        [(r["row"], r["attention"]) for r in loaded.records if r["attention"]]
        + [(s["row"], s["reason"]) for s in loaded.skipped if s["reason"] != "blank"]
    )
    assert len(rejected) == expected["rejected_rows"]
    wanted = [(row["row"], row["reason"]) for row in expected["rejected"]]
    assert rejected[: len(wanted)] == wanted

    rows = {record["row"]: record["cells"] for record in loaded.records}
    for cell in expected.get("cells", ()):
        assert rows[cell["row"]][names.index(cell["column"])] == cell["value"]


@pytest.mark.parametrize("entry", FILES, ids=lambda entry: entry["file"])
def test_every_row_has_exactly_one_outcome(entry: dict[str, Any]) -> None:
    loaded = bring_in(SAMPLES / entry["file"])
    tally = loaded.tally
    assert tally.total == tally.ready + tally.needs_attention + tally.duplicates + tally.blank
    assert len(loaded.records) == tally.ready + tally.needs_attention
    assert len(loaded.skipped) == tally.duplicates + tally.blank
    rows = [row["row"] for row in [*loaded.records, *loaded.skipped]]
    assert len(set(rows)) == len(rows) == tally.total


@pytest.mark.parametrize("entry", FILES, ids=lambda entry: entry["file"])
def test_the_preview_is_what_will_be_stored(entry: dict[str, Any]) -> None:
    loaded = bring_in(SAMPLES / entry["file"])
    stored = {record["row"]: record for record in loaded.records}
    for row in loaded.inspection.preview:
        if row.outcome in ("ready", "attention"):
            record = stored[row.row_number]
            assert (list(row.cells), row.phone) == (record["cells"], record["phone"])
            assert (row.reason or None) == record["attention"]
