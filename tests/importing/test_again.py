"""Stored rows under other roles are what an import of the file with these roles would have made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from databases.importing.again import Again, Identity, StoredRow
from databases.importing.process import Choices
from tests.importing.reading import Loaded, bring_in

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
FILES = [
    entry["file"]
    for entry in json.loads((SAMPLES / "manifest.json").read_text(encoding="utf-8"))["files"]
]
READY = Identity("", "", "", "", "", None)


def rolled(roles: list[str], by: int) -> list[str]:
    """Give every column the role of another one."""
    return [*roles[by:], *roles[:by]]


def identity(record: dict[str, Any]) -> Identity:
    fields = ("username", "name", "phone", "ukey", "nkey", "attention")
    return Identity(*(record[field] for field in fields))


def again(loaded: Loaded, after: list[str]) -> dict[int, Identity]:
    """Judge the records of a file anew, as the job does with what is stored."""
    found = loaded.inspection
    before = [column.role for column in found.columns]
    judge = Again(before=before, after=after, from_sheet=found.kind != "csv")
    rows = [
        StoredRow(
            record["row"],
            identity(record),
            [record["cells"][at] if at < len(record["cells"]) else None for at in judge.positions],
        )
        for record in loaded.records
    ]
    return {row.number: now for row, now in zip(rows, judge.judge(rows), strict=True)}


@pytest.mark.parametrize("by", [0, 1, 2, 3])
@pytest.mark.parametrize("name", FILES)
def test_rows_judged_anew_equal_those_of_a_fresh_import(name: str, by: int) -> None:
    loaded = bring_in(SAMPLES / name)
    after = rolled([column.role for column in loaded.inspection.columns], by)
    fresh = bring_in(SAMPLES / name, choices=Choices(roles=tuple(after)))
    imported = {record["row"]: identity(record) for record in fresh.records}
    skipped = {row["row"] for row in fresh.skipped}
    judged = again(loaded, after)
    assert {row: now for row, now in judged.items() if row in imported} == {
        row: now for row, now in imported.items() if row in judged
    }
    # What an import would have skipped stays: a row is never deleted because of its columns.
    assert judged.keys() - imported.keys() <= skipped


class TestWhatAFileTellsAndAStoredRowDoesNot:
    def judge(self, cell: str, was: Identity, *, sheet: bool, before: list[str]) -> Identity:
        judge = Again(before=before, after=["phone", ""], from_sheet=sheet)
        return next(judge.judge([StoredRow(2, was, [cell])]))

    @pytest.mark.parametrize("sheet", [True, False])
    def test_round_numbers_of_a_workbook_are_not_trusted(self, sheet: bool) -> None:
        now = self.judge("81234000000", READY, sheet=sheet, before=["", "phone"])
        assert now.attention == ("phone_precision_lost" if sheet else None)
        assert now.phone == ("" if sheet else "6281234000000")

    def test_what_was_text_in_a_workbook_is(self) -> None:
        now = self.judge("081234000000", READY, sheet=True, before=["", "phone"])
        assert (now.phone, now.attention) == ("6281234000000", None)

    def test_a_repaired_phone_is_not_asked_again_while_its_column_stays(self) -> None:
        was = READY._replace(phone="6281234000000")
        now = self.judge("81234000000", was, sheet=True, before=["phone", "name"])
        assert now == was

    @pytest.mark.parametrize("before", [["phone", "name"], ["", "phone"]])
    def test_a_cell_that_was_cut_stays_so(self, before: list[str]) -> None:
        was = READY._replace(attention="cell_too_long")
        assert self.judge("081234567801", was, sheet=False, before=before).attention == (
            "cell_too_long"
        )

    def test_without_a_phone_column_no_phone_is_missed(self) -> None:
        judge = Again(before=["phone", "name"], after=["", "name"], from_sheet=False)
        was = READY._replace(attention="missing_phone")
        assert next(judge.judge([StoredRow(2, was, ["Sari"])])) == READY._replace(
            name="Sari", name_key="sari"
        )

    def test_a_row_that_is_blank_where_it_counts_needs_attention(self) -> None:
        now = self.judge("", READY, sheet=False, before=["", "phone"])
        assert now.attention == "missing_phone"
