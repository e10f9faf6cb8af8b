"""The quick ways through a file give what the thorough ones give."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from databases.importing import frames, limits, whole
from databases.importing.cell_text import RoundNumber
from databases.importing.outcomes import Judge, record_line
from databases.importing.problems import FileProblem
from databases.importing.process import Choices, Records, load
from databases.importing.shapes import ATTENTION, READY
from databases.importing.xlsx_parts import SharedStrings, SheetRows
from databases.importing.xlsx_shapes import RowShapes, learn

ROLES = ["username", "", "phone", "name"]
PHONES = ["0812345678", "62812345678", "+628123456789", "8.12E+11", "", "123", "0812 3456 7890"]
CELLS = st.one_of(
    st.text(max_size=12),
    st.text(alphabet='ab  \\"\t\n\u00e9\u200b', max_size=12),
    st.sampled_from(["Budi  Santoso", " budi ", "", "NULL", "{a,b}", "x" * 600]),
)
# A fresh clone gathers all of Unicode here, once, and not while the reader is measured.
CELLS.validate()
ROWS = st.lists(
    st.tuples(CELLS, CELLS, st.sampled_from([*PHONES, RoundNumber("81234567890")]), CELLS),
    max_size=12,
)


@given(ROWS)
def test_a_plain_row_becomes_the_line_that_judging_gives(
    rows: list[tuple[str, str, str, str]],
) -> None:
    quick, thorough = Judge(ROLES), Judge(ROLES)
    for number, cells in enumerate(rows, start=2):
        line = quick.plain_line("7", number, list(cells))
        judged = thorough.judge(number, list(cells))
        if line is None:
            quick.judge(number, list(cells))
            continue
        assert judged.outcome in (READY, ATTENTION)
        assert line == record_line("7", number, judged)
    assert quick.tally() == thorough.tally()


@given(ROWS)
def test_plain_rows_become_the_lines_that_judging_gives(
    rows: list[tuple[str, str, str, str]],
) -> None:
    quick, thorough = Judge(ROLES), Judge(ROLES)
    numbers = range(2, 2 + len(rows))
    lines = quick.plain_lines("7", numbers, [list(cells) for cells in rows])
    if lines is None:
        assert quick == Judge(ROLES), "nothing has happened"
        return
    judged = [
        thorough.judge(number, list(cells)) for number, cells in zip(numbers, rows, strict=True)
    ]
    assert {row.outcome for row in judged} <= {READY}
    assert lines == "".join(
        record_line("7", number, row) for number, row in zip(numbers, judged, strict=True)
    )
    assert quick == thorough


def test_most_rows_are_plain() -> None:
    judge = Judge(ROLES)
    cells = ["budi01", "Bekasi", "0812-3456-7801", "Budi Santoso"]
    assert judge.plain_line("7", 2, cells) is None, "a spelling to look at"
    cells[2] = "081234567801"
    assert judge.plain_line("7", 2, cells) is not None
    assert judge.plain_line("7", 3, cells) is None, "the same phone again"


# Mostly plain ones, so that some are taken together.
LISTS = st.lists(
    st.tuples(
        st.integers(1, 2),  # how many rows further: a sheet leaves gaps
        st.sampled_from(["budi", "Budi  01", " siti", "ibu \u00e9", 'a"b', "x" * 600, ""]),
        st.integers(0, 40).map("08123456{:03}".format) | st.sampled_from(["0812-3456-7801", ""]),
    ),
    max_size=60,
)


class _Sheet:
    """A source that gives the rows it was made of."""

    encoding, delimiter, mixed, rows_estimate = "", "", False, None
    sheets: tuple[str, ...] = ()

    def __init__(self, kind: str, rows: list[tuple[int, list[str]]]) -> None:
        self.kind, self._rows = kind, rows

    def fraction(self) -> float:
        return 0.0

    def hidden(self, _sheet: str) -> bool:
        return False

    def rows(self, _sheet: str) -> Iterator[tuple[int, list[str]]]:
        return ((number, list(cells)) for number, cells in self._rows)


class _Sent(whole.Output):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        self.lines = {frames.RECORDS: "", frames.SKIPPED: ""}

    def add(self, tag: bytes, line: str) -> None:
        self.lines[tag] += line

    def flush(self, tag: bytes) -> None:
        pass

    def send_json(self, tag: bytes, content: dict[str, object]) -> None:
        pass


def _sent(kind: str, rows: list[tuple[int, list[str]]], *, together: bool = True) -> list[object]:
    """Give what is sent of a file whose second row is its header."""
    judge, output = Judge(["username", "phone", "name"]), _Sent()
    load = {"database_id": 7, "import_id": 3}
    with pytest.MonkeyPatch.context() as patch:
        if not together:
            patch.setattr(Judge, "plain_lines", lambda *_: None)
        try:
            whole.Whole(_Sheet(kind, rows), 2, judge, output, load).run("")
        except FileProblem as problem:
            return [problem.code]
    return [output.lines, judge.tally()]


@given(LISTS, st.sampled_from(["csv", "xlsx"]))
def test_rows_taken_together_become_what_they_become_one_by_one(
    found: list[tuple[int, str, str]], kind: str
) -> None:
    rows, number = [(1, ["Daftar"]), (2, ["Username", "No HP", "Nama"])], 2
    for step, name, phone in found:
        number += 1 if kind == "csv" else step
        rows.append((number, [name, phone, name]))
    assert _sent(kind, rows) == _sent(kind, rows, together=False)


def test_most_rows_are_taken_together(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(number, ["budi", f"0812{number:08}", "Budi"]) for number in range(1, 500)]
    rows[100][1][1] = "0812-3456-7801"  # a spelling to look at
    alone: list[int] = []
    take = whole.Whole._take

    def take_alone(of: whole.Whole, number: int, cells: list[str]) -> None:
        alone.append(number)
        take(of, number, cells)

    monkeypatch.setattr(whole.Whole, "_take", take_alone)
    _sent("csv", rows)
    assert 101 in alone
    assert len(alone) <= 50


def test_an_empty_line_before_rows_taken_together_is_listed() -> None:
    rows = [(number, ["budi", f"0812{number:08}", "Budi"]) for number in range(1, 27)]
    rows[9] = (10, ["", "", ""])  # the last of the first that are tried together
    assert _sent("csv", rows) == _sent("csv", rows, together=False)


def test_rows_are_not_taken_together_past_the_last_one_a_file_may_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "ROWS", 105)
    rows = [(number, ["budi", f"0812{number:08}", "Budi"]) for number in range(1, 200)]
    assert _sent("csv", rows)[0] == "too_many_rows"
    assert _sent("csv", rows[:105])[0] != "too_many_rows"


KINDS = st.sampled_from(
    [
        '<c r="{at}" t="inlineStr"><is><t>{text}</t></is></c>',
        '<c r="{at}" t="inlineStr"><is><t xml:space="preserve"> {text}</t></is></c>',
        '<c r="{at}" t="s"><v>{small}</v></c>',
        '<c r="{at}" s="1"><v>{number}</v></c>',
        '<c r="{at}"><v>{number}</v></c>',
        '<c r="{at}" t="str"><f>A1&amp;B1</f><v>{text}</v></c>',
        '<c r="{at}" t="str"><f>A1</f><v>{text}</v></c>',
        '<c r="{at}" t="b"><v>1</v></c>',
        '<c r="{at}" t="e"><v>#N/A</v></c>',
        '<c r="{at}" s="1"/>',
        "",
    ]
)
SHEETS = st.lists(st.lists(KINDS, min_size=1, max_size=5), min_size=1, max_size=3)
TEXTS = st.text(alphabet="abc _x0041_1", max_size=8)


def _rows(shapes: list[list[str]], text: str, *, repeat: int) -> bytes:
    rows = []
    for number in range(1, repeat + 1):
        kinds = shapes[number % len(shapes)]
        cells = "".join(
            kind.format(at=f"{chr(65 + i)}{number}", text=text, small=number % 3, number=number * 7)
            for i, kind in enumerate(kinds)
        )
        rows.append(f'<row r="{number}" spans="1:5">{cells}</row>')
    return f"<worksheet><sheetData>{''.join(rows)}</sheetData></worksheet>".encode()


def _read(sheet: bytes, *, learns: bool) -> list[tuple[int, list[str]]]:
    shared = SharedStrings(
        iter([b"<sst><si><t>nol</t></si><si><t>satu</t></si><si><t/></si></sst>"])
    )
    handler = SheetRows(shared, ["", "date"], from_1904=False)
    if not learns:
        handler._shapes._left = 0
    from databases.importing.markup import feed, parser_for

    for _ in feed(parser_for(handler), handler.take_rows(iter([sheet]))):
        pass
    return [(number, _trimmed(cells)) for number, cells in handler.done]


def _trimmed(cells: list[str]) -> list[str]:
    while cells and not cells[-1]:
        cells.pop()
    return cells


@given(SHEETS, TEXTS)
def test_rows_of_a_learned_shape_have_the_cells_that_are_found_one_by_one(
    shapes: list[list[str]], text: str
) -> None:
    sheet = _rows(shapes, text, repeat=7)
    assert _read(sheet, learns=True) == _read(sheet, learns=False)


@pytest.mark.parametrize(
    "row",
    [
        '<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>1</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c> <c r="B1"><v>1</v></c></row>',
        '<row r="1"><c r="XFD1"><v>1</v></c></row>',
        '<row r="1"><c><v>1</v></c></row>',
        '<row r="1"></row>',
    ],
)
def test_an_unusual_row_is_not_learned(row: str) -> None:
    assert learn(row.removesuffix("</row>")) is None


def test_a_shape_is_learned_once() -> None:
    shapes = RowShapes()
    for number in range(1, 500):
        assert shapes.match(f'<row r="{number}"><c r="A{number}"><v>7</v></c>') is not None
    assert shapes._left == 63


def test_a_workbook_of_many_shapes_is_read_whole(tmp_path: Path) -> None:
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["Nama", "No HP", *[f"K{i}" for i in range(10)]])
    for row in range(1, 1200):
        sheet.write_row(row, 0, [f"Nama {row}", f"08123{row:07d}"])
        for column in range(10):
            if row >> column & 1:  # each row has another set of cells
                sheet.write(row, column + 2, row)
    book.close()
    path = tmp_path / "a.xlsx"
    path.write_bytes(content.getvalue())
    with load(
        path, original_name="a.xlsx", choices=Choices(), database_id=7, import_id=3
    ) as frames:
        lines = b"".join(f.payload for f in frames if isinstance(f, Records)).decode().splitlines()
    assert len(lines) == 1199
    for row, line in enumerate(lines, start=1):
        cells = [f"Nama {row}", f"08123{row:07d}"]
        cells += [str(row) if row >> column & 1 else "" for column in range(10)]
        assert line.split("\t")[2] == '{"' + '","'.join(cells) + '"}'
