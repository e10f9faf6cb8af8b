"""Cells where no cell belongs, numbers that point nowhere, sheets without end."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest
import xlsxwriter

from databases.importing import limits
from databases.importing.outcomes import Judge
from databases.importing.process import Choices, FileProblem
from tests.importing.makers import (
    BOOK,
    GOOD_ROWS,
    HEADER,
    NS,
    SAMPLES,
    STRINGS,
    cell,
    changed,
    packed,
    parts,
    sheet,
    xls,
    xlsx,
)
from tests.importing.reading import bring_in, code_of, inspect, problem_of


class TestFarCells:
    @pytest.mark.parametrize("address", ["XFD1048576", "XFD3", "IW3", "XFD2"])
    def test_a_cell_far_to_the_right_is_named(self, tmp_path: Path, address: str) -> None:
        row = address.lstrip("XFDIW")
        rows = GOOD_ROWS if row != "2" else HEADER
        rows += f'<row r="{row}">{cell("A" + row, "Siti")}{cell(address, "x")}</row>'
        problem = problem_of(xlsx(tmp_path / "a.xlsx", sheet(rows)))
        assert (problem.code, problem.detail) == ("far_cell", {"address": address})

    def test_a_stray_cell_far_below_is_only_another_row(self, tmp_path: Path) -> None:
        rows = GOOD_ROWS + f'<row r="65536">{cell("A65536", "solver")}</row>'
        _, tally = inspect(xlsx(tmp_path / "a.xlsx", sheet(rows)))
        assert (tally.ready, tally.attention, tally.blank) == (1, {"missing_phone": 1}, 65_533)

    def test_formatted_emptiness_counts_for_nothing(self, tmp_path: Path) -> None:
        rows = GOOD_ROWS + '<row r="1048576"><c r="XFD1048576" s="1"/></row>'
        _, tally = inspect(xlsx(tmp_path / "a.xlsx", sheet(rows)))
        assert (tally.total, tally.ready) == (1, 1)

    @pytest.mark.parametrize("dimension", ["A1:XFD1048576", "nonsense", ""])
    def test_the_size_that_a_sheet_claims_is_not_believed(
        self, tmp_path: Path, dimension: str
    ) -> None:
        page = sheet(GOOD_ROWS).replace("<sheetData>", f'<dimension ref="{dimension}"/><sheetData>')
        assert inspect(xlsx(tmp_path / "a.xlsx", page))[1].ready == 1

    @pytest.mark.parametrize(
        "address", ["A0", "0", "1A", "a-1", "$A$3", "AAAAAAAA3", "Ä3", "A٣", "A3:B4", " A3"]
    )
    def test_an_address_that_is_none_does_no_harm(self, tmp_path: Path, address: str) -> None:
        rows = GOOD_ROWS + f'<row r="3">{cell(address, "Budi")}</row>'
        path = xlsx(tmp_path / "a.xlsx", sheet(rows))
        assert code_of(path) in ("", "damaged", "far_cell")

    def test_a_stray_cell_in_an_xlsb_is_named_before_calamine_sees_it(self, tmp_path: Path) -> None:
        def stray(content: bytes) -> bytes:
            row = b"\0\x11" + struct.pack("<IIH3sI", 1_048_575, 0, 300, b"\0\0\0", 0)
            value = b"\x05\x10" + struct.pack("<IId", 16_383, 0, 1.0)
            end = content.rindex(b"\x92\x01\x00")
            return content[:end] + row + value + content[end:]

        path = changed("14_biner.xlsb", tmp_path / "a.xlsb", "xl/worksheets/sheet1.bin", stray)
        assert problem_of(path).code == "far_cell"

    def test_a_stray_cell_in_an_old_workbook_is_survived(self, tmp_path: Path) -> None:
        near = struct.pack("<HHHHH", 0xFD, 10, 1, 1, 17)
        content = xls((0, 0, "Nama"), (1, 1, "Siti"))
        assert content.count(near) == 1
        # calamine builds the rectangle of 4,294,967,296 cells and aborts.
        far = struct.pack("<HHHHH", 0xFD, 10, 65_535, 65_535, 17)
        path = tmp_path / "a.xls"
        path.write_bytes(content.replace(near, far))
        assert problem_of(path).code == "too_complex"


class TestRows:
    def test_rows_beyond_the_last_are_refused(self, tmp_path: Path) -> None:
        rows = GOOD_ROWS + f'<row r="1048577">{cell("A1048577", "x")}</row>'
        assert problem_of(xlsx(tmp_path / "a.xlsx", sheet(rows))).code == "too_many_rows"

    @pytest.mark.parametrize(
        "rows",
        [
            GOOD_ROWS + GOOD_ROWS,
            GOOD_ROWS + f'<row r="2">{cell("A2", "x")}</row>',
            f'<row r="9">{cell("A9", "x")}</row>' + GOOD_ROWS,
        ],
        ids=["twice", "repeated", "out of order"],
    )
    def test_rows_that_go_back_are_refused(self, tmp_path: Path, rows: str) -> None:
        assert problem_of(xlsx(tmp_path / "a.xlsx", sheet(rows))).code == "damaged"

    @pytest.mark.parametrize("number", ["-1", "0", "", "x", "1e9", "99999999999999999999", "3.5"])
    def test_a_row_without_a_usable_number_is_the_next_one(
        self, tmp_path: Path, number: str
    ) -> None:
        rows = GOOD_ROWS + f'<row r="{number}"><c><v>7</v></c></row>'
        _, tally = inspect(xlsx(tmp_path / "a.xlsx", sheet(rows)))
        assert (tally.total, tally.blank) == (2, 0)

    def test_empty_rows_without_end_are_no_customers(self, tmp_path: Path) -> None:
        rows = HEADER + "".join(f'<row r="{n}"/>' for n in range(2, 200_000))
        assert problem_of(xlsx(tmp_path / "a.xlsx", sheet(rows))).code == "header_only"

    def test_a_row_that_never_ends_is_survived(self, tmp_path: Path) -> None:
        rows = HEADER + '<row r="2">' + '<c r="A2"><v>1</v></c>' * 800_000
        problem = problem_of(xlsx(tmp_path / "a.xlsx", sheet(rows)))
        assert problem.code in ("damaged", "inflates")

    @pytest.mark.parametrize("times", [1_000_000_000, 1_048_577])
    def test_a_libreoffice_row_a_billion_times_is_refused(self, tmp_path: Path, times: int) -> None:
        path = changed(
            "13_libreoffice.ods",
            tmp_path / "a.ods",
            "content.xml",
            lambda old: old.replace(
                b"<table:table-row>", b'<table:table-row table:number-rows-repeated="%d">' % times
            ),
        )
        assert problem_of(path).code == "too_many_rows"

    @pytest.mark.parametrize("times", [b"-5", b"0", b"x", b"", b"9" * 300])
    def test_a_libreoffice_row_an_absurd_number_of_times_is_survived(
        self, tmp_path: Path, times: bytes
    ) -> None:
        path = changed(
            "13_libreoffice.ods",
            tmp_path / "a.ods",
            "content.xml",
            lambda old: old.replace(
                b"<table:table-row>",
                b'<table:table-row table:number-rows-repeated="%s">' % times,
            ),
        )
        if len(times) > 9:
            assert problem_of(path).code == "too_many_rows"
        else:
            assert inspect(path)[1] == inspect(SAMPLES / "13_libreoffice.ods")[1]

    def test_a_libreoffice_cell_a_billion_times_is_refused(self, tmp_path: Path) -> None:
        path = changed(
            "13_libreoffice.ods",
            tmp_path / "a.ods",
            "content.xml",
            lambda old: old.replace(
                b"<table:table-cell office:",
                b'<table:table-cell table:number-columns-repeated="1000000000" office:',
            ),
        )
        assert problem_of(path).code == "too_many_columns"


class TestSizes:
    @pytest.mark.parametrize("columns", [limits.COLUMNS + 1, 16_000])
    def test_too_many_columns_are_refused(self, tmp_path: Path, columns: int) -> None:
        with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
            page = book.add_worksheet()
            for row in range(3):
                page.write_row(row, 0, [f"K{i}" for i in range(columns)])
        assert problem_of(tmp_path / "a.xlsx").code == "too_many_columns"

    def test_as_many_columns_as_are_allowed_are_read(self, tmp_path: Path) -> None:
        with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
            page = book.add_worksheet()
            for row in range(3):
                page.write_row(row, 0, [f"K{i}" for i in range(limits.COLUMNS)])
        assert len(inspect(tmp_path / "a.xlsx")[0].columns) == limits.COLUMNS

    def test_a_wide_table_of_long_cells_can_still_be_shown(self, tmp_path: Path) -> None:
        path = tmp_path / "a.xlsx"
        with xlsxwriter.Workbook(path) as book:
            page = book.add_worksheet()
            page.write_row(0, 0, [f"K{i}" for i in range(limits.COLUMNS)])
            for row in range(1, 25):
                page.write_row(row, 0, ["😀" * 400] * limits.COLUMNS)
        inspection, tally = inspect(path)
        assert len(inspection.preview) == limits.PREVIEW_ROWS
        assert tally.total == 24
        shown = sum(len(text) for row in inspection.preview for text in row.cells)
        assert shown < limits.PREVIEW_ROWS * limits.PREVIEW_CHARACTERS_OF_ROW * 1.1

    def test_a_giant_cell_needs_attention_and_is_cut(self, tmp_path: Path) -> None:
        giant = cell("A3", "x" * 10 * 1024**2) + cell("B3", "082512345678")
        rows = GOOD_ROWS + f'<row r="3">{giant}</row>'
        loaded = bring_in(xlsx(tmp_path / "a.xlsx", sheet(rows)))
        assert loaded.records[-1]["attention"] == "cell_too_long"
        assert len(str(loaded.records[-1]["cells"][0])) == limits.CELL_CHARACTERS  # type: ignore[index]

    def test_one_text_in_every_cell_does_not_fill_the_disk(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A workbook holds a text once and points at it: a megabyte becomes terabytes."""
        monkeypatch.setattr(limits, "TEXT_CHARACTERS", 1_000_000)
        judge = Judge(["name", ""])
        for number in range(30):
            judge.judge(number, ["Siti", "x" * 32_000])
        with pytest.raises(FileProblem, match="inflates"):
            judge.judge(31, ["Siti", "x" * 50_000])

    def test_a_format_made_to_be_slow_is_not(self, tmp_path: Path) -> None:
        styles = (
            f'<?xml version="1.0"?><styleSheet {NS}><numFmts><numFmt numFmtId="200" formatCode="'
            + "[" * 4_000_000
            + '"/></numFmts><cellXfs><xf numFmtId="200"/></cellXfs></styleSheet>'
        )
        path = xlsx(tmp_path / "a.xlsx", sheet(GOOD_ROWS), {"xl/styles.xml": styles})
        assert inspect(path)[1].ready == 1

    def test_a_header_made_to_be_slow_is_not(self, tmp_path: Path) -> None:
        long = "1" * 5_000_000 + "x"
        accents = "e" + "\u0301\u0327" * 1_000_000
        path = tmp_path / "a.csv"
        path.write_text(f"{long},{accents}\n" + f"{long},082512345678\n" * 3)
        assert inspect(path)[1].total == 4


class TestSharedTexts:
    @pytest.mark.parametrize(
        "index", ["1", "4294967295", "99999999999999999999", "-1", "x", "1.5", "²", "٣"]
    )
    def test_a_text_that_is_not_there_is_damage(self, tmp_path: Path, index: str) -> None:
        rows = GOOD_ROWS + f'<row r="3"><c r="A3" t="s"><v>{index}</v></c></row>'
        path = xlsx(tmp_path / "a.xlsx", sheet(rows), {"xl/sharedStrings.xml": STRINGS})
        assert problem_of(path).code == "damaged"

    @pytest.mark.parametrize("style", ["1", "999999", "-1", "x", ""])
    def test_a_style_that_is_not_there_is_none(self, tmp_path: Path, style: str) -> None:
        rows = GOOD_ROWS + f'<row r="3"><c r="A3" s="{style}"><v>44927</v></c></row>'
        loaded = bring_in(xlsx(tmp_path / "a.xlsx", sheet(rows)))
        assert loaded.records[-1]["cells"][0] == "44927"  # type: ignore[index]

    def test_half_a_surrogate_is_replaced(self, tmp_path: Path) -> None:
        rows = GOOD_ROWS + f'<row r="3">{cell("A3", "A_xD83D_B_x0000_")}</row>'
        loaded = bring_in(xlsx(tmp_path / "a.xlsx", sheet(rows)))
        assert loaded.records[-1]["cells"][0] == "A\ufffdB"  # type: ignore[index]

    def test_a_sheet_with_a_name_no_database_takes_is_shown_without_it(
        self, tmp_path: Path
    ) -> None:
        entry = '<sheet name="{}" sheetId="1" r:id="rId1"/>'
        entries = entry.format("&#x7f;A" + "x" * 300) + entry.format("B")
        book = BOOK.replace(entry.format("A"), entries)
        path = xlsx(tmp_path / "a.xlsx", sheet(GOOD_ROWS), {"xl/workbook.xml": book})
        names = inspect(path)[0].sheets
        assert names == ("A" + "x" * 119, "B")
        for name in names:  # what is shown can be chosen
            assert inspect(path, choices=Choices(sheet=name))[0].sheet == name


class TestCells:
    def test_formulas_give_their_last_value_and_are_never_reckoned(self, tmp_path: Path) -> None:
        call = "WEBSERVICE(&quot;http://127.0.0.1:1/&quot;)"
        rows = GOOD_ROWS + (
            f'<row r="3"><c r="A3" t="str"><f>{call}</f><v>Budi</v></c>'
            '<c r="B3"><f>1+1</f><v>82512345679</v></c></row>'
            '<row r="4"><c r="A4"><f>HYPERLINK("x","y")</f></c><c r="B4"><f>1</f><v>5</v></c></row>'
        )
        loaded = bring_in(xlsx(tmp_path / "a.xlsx", sheet(rows)))
        assert loaded.records[1]["cells"] == ["Budi", "82512345679"]
        assert loaded.records[2]["cells"] == ["", "5"]

    @pytest.mark.parametrize(
        ("value", "format_id", "text"),
        [
            ("8.2512345678E10", 0, "82512345678"),
            ("8.25E+11", 0, "825000000000"),
            ("0.155", 10, "0.155"),
            ("44927", 14, "2023-01-01"),
            ("1E400", 0, ""),
            ("NaN", 0, ""),
            ("-1", 14, "-1"),
            ("1E20", 14, "100000000000000000000"),
            ("0.1.2", 0, "0.1.2"),
        ],
    )
    def test_a_number_is_what_its_format_says(
        self, tmp_path: Path, value: str, format_id: int, text: str
    ) -> None:
        styles = (
            f'<?xml version="1.0"?><styleSheet {NS}><cellXfs><xf numFmtId="0"/>'
            f'<xf numFmtId="{format_id}"/></cellXfs></styleSheet>'
        )
        rows = GOOD_ROWS + f'<row r="3"><c r="A3" s="1"><v>{value}</v></c>{cell("B3", "x")}</row>'
        loaded = bring_in(xlsx(tmp_path / "a.xlsx", sheet(rows), {"xl/styles.xml": styles}))
        assert loaded.records[-1]["cells"][0] == text  # type: ignore[index]

    def test_digits_that_a_spreadsheet_threw_away_are_never_made_up(self, tmp_path: Path) -> None:
        rows = GOOD_ROWS + '<row r="3"><c r="A3"><v>1</v></c><c r="B3"><v>8.25E+11</v></c></row>'
        _, tally = inspect(xlsx(tmp_path / "a.xlsx", sheet(rows)))
        assert (tally.lost_digits, tally.attention) == (1, {"phone_precision_lost": 1})

    def test_a_strict_workbook_is_read_like_any(self, tmp_path: Path) -> None:
        """ISO strict: other namespaces, and dates as text."""
        usual = re.compile("http://schemas.openxmlformats.org/(officeDocument|spreadsheetml)/2006")
        page = sheet(GOOD_ROWS + '<row r="3"><c r="A3" t="d"><v>2026-01-13T00:00:00</v></c></row>')
        content: dict[str, str | bytes] = {
            name: usual.sub(r"http://purl.oclc.org/ooxml/\1", str(part))
            for name, part in parts(page).items()
        }
        loaded = bring_in(packed(tmp_path / "a.xlsx", content))
        assert loaded.tally.ready == 1
        assert loaded.records[-1]["cells"][0] == "2026-01-13"  # type: ignore[index]

    def test_names_before_every_element_change_nothing(self, tmp_path: Path) -> None:
        page = sheet(GOOD_ROWS).replace("<", "<x:").replace("<x:/", "</x:").replace("<x:?", "<?")
        page = page.replace("xmlns=", "xmlns:x=")
        assert inspect(xlsx(tmp_path / "a.xlsx", page))[1].ready == 1
