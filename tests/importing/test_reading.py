"""What the reader makes of ordinary files: tables, headers, roles, and cells as text."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path

import pytest
import xlsxwriter
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from databases.importing.copy_format import copy_array, copy_plain_array, is_plain, storable
from databases.importing.csv_source import CsvSource
from databases.importing.detect import find_layout, header_role
from databases.importing.problems import SENTENCES, sentence
from databases.importing.process import (
    RECORD_COLUMNS,
    SKIPPED_COLUMNS,
    Choices,
    Records,
    Skipped,
    load,
)
from tests.importing.reading import array, bring_in, inspect, unescaped

CELLS = st.text(st.characters(codec="utf-8"), max_size=12)


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


class TestTables:
    def test_blank_and_repeated_headers_get_names_of_their_own(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", "Nama,Kota,,Kota,No HP\nSiti,Medan,x,Solo,082512345678\n")
        inspection, _ = inspect(path)
        names = [column.name for column in inspection.columns]
        assert names == ["Nama", "Kota", "Kolom 3", "Kota (2)", "No HP"]

    def test_a_list_without_a_header_loses_no_row(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", "Siti A,082512345678\nBudi B,082512345679\n")
        inspection, tally = inspect(path)
        assert (inspection.header_row, tally.ready) == (0, 2)
        assert inspection.warnings == ("no_header_row",)
        assert [column.role for column in inspection.columns] == ["", "phone"]

    def test_a_line_that_announces_the_delimiter_is_row_one(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", "sep=|\r\nNama|No HP\r\nSiti|082512345678\r\n")
        loaded = bring_in(path)
        assert (loaded.inspection.delimiter, loaded.inspection.header_row) == ("|", 2)
        assert loaded.records[0]["row"] == 3

    def test_title_rows_above_the_header_are_passed_over(self, tmp_path: Path) -> None:
        text = "DATA MEMBER AKTIF 2026\n\nNama;No HP;Kota\nSiti;082512345678;Medan\n"
        inspection, tally = inspect(write(tmp_path / "a.csv", text))
        assert (inspection.delimiter, inspection.header_row, tally.total) == (";", 3, 1)

    def test_the_choices_of_a_person_win(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.csv", "A;B\nNama;No HP\nJosé;082512345678\n", "cp1252")
        choices = Choices(
            encoding="latin-1", delimiter=";", header_row=2, roles=("username", "ignore")
        )
        inspection, tally = inspect(path, choices=choices)
        assert inspection.encoding == "latin-1"
        assert [(c.name, c.role) for c in inspection.columns] == [
            ("Nama", "username"),
            ("No HP", "ignore"),
        ]
        assert inspection.warnings == ("no_phone_column",)
        assert tally.ready == 1

    def test_without_phones_the_username_tells_customers_apart(self, tmp_path: Path) -> None:
        loaded = bring_in(write(tmp_path / "a.csv", "Username,Kota\nsiti1,A\n SITI1 ,B\n,C\n,D\n"))
        assert [record["row"] for record in loaded.records] == [2, 4, 5]
        assert [(s["row"], s["reason"], s["same_as"]) for s in loaded.skipped] == [
            (3, "duplicate_username", 2)
        ]

    def test_a_row_wider_than_its_header_keeps_all_its_cells(self, tmp_path: Path) -> None:
        rows = "".join(f"Siti,08251234{i:04d}\n" for i in range(300))
        loaded = bring_in(write(tmp_path / "a.csv", f"Nama,No HP\n{rows}Budi,0825,x,y\n"))
        assert loaded.records[-1]["cells"] == ["Budi", "0825", "x", "y"]
        assert loaded.tally.wide_rows == 1

    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "utf-8-sig"])
    def test_unicode_is_recognised_with_and_without_its_mark(
        self, tmp_path: Path, encoding: str
    ) -> None:
        text = "Nama,No HP\nZoë,082512345678\n"
        inspection, _ = inspect(write(tmp_path / "a.csv", text, encoding))
        assert inspection.encoding == encoding
        assert inspection.preview[0].cells[0] == "Zoë"


class TestRoles:
    @pytest.mark.parametrize(
        ("header", "role"),
        [
            ("No. HP", "phone"),
            ("NOMOR WHATSAPP", "phone"),
            ("phone_number", "phone"),
            ("Nama Lengkap", "name"),
            ("Customer Name", "name"),
            ("User ID", "username"),
            ("USERNAME", "username"),
            ("ID Pelanggan", "username"),
            ("Nama User", "username"),
            ("No Rekening", "sensitive"),
            ("Nama Bank", "sensitive"),
            ("NOREK", "sensitive"),
            ("Account Number", "sensitive"),
            ("Login Terakhir", ""),
            ("Kota", ""),
            ("No", ""),
            ("Tgl Daftar", ""),
        ],
    )
    def test_headers_in_both_languages_say_what_a_column_is(self, header: str, role: str) -> None:
        assert header_role(header)[0] == role

    def test_content_finds_the_phone_that_no_header_names(self) -> None:
        rows = [(1, ["Siapa", "Apa"])] + [(i, ["x", f"08251234{i:04d}"]) for i in range(2, 30)]
        assert [column.role for column in find_layout(rows).columns] == ["", "phone"]


class TestCells:
    def test_a_workbook_is_read_as_a_person_would_type_it(self, tmp_path: Path) -> None:
        path = tmp_path / "a.xlsx"
        with xlsxwriter.Workbook(path) as book:
            page = book.add_worksheet()
            day = book.add_format({"num_format": "dd/mm/yy"})
            clock = book.add_format({"num_format": "hh:mm"})
            rupiah = book.add_format({"num_format": '"Rp"#,##0;[Red]-"Rp"#,##0'})
            elapsed = book.add_format({"num_format": "[h]:mm"})
            page.write_row(0, 0, ["Nama", "No HP", *"ABCDEFGH"])
            page.write_row(1, 0, ["A & <B>", "082512345678", 12, 0.1, 16_000_000_000])
            page.write_datetime(1, 5, dt.date(2026, 1, 13), day)
            page.write_datetime(1, 6, dt.time(14, 5), clock)
            page.write_number(1, 7, 1_500_000, rupiah)
            page.write_number(1, 8, 1.5, elapsed)
            page.write_boolean(1, 9, True)
            page.write_row(2, 0, ["Budi", 8.25e11])
            page.write_formula(2, 2, "=1/0", None, "#DIV/0!")
        loaded = bring_in(path)
        assert loaded.records[0]["cells"] == [
            *("A & <B>", "082512345678", "12", "0.1", "16000000000", "2026-01-13", "14:05:00"),
            *("1500000", "36:00:00", "TRUE"),
        ]
        assert loaded.records[1]["attention"] == "phone_precision_lost"
        assert loaded.records[1]["cells"][2] == ""  # type: ignore[index]

    def test_both_ways_to_read_a_sheet_agree(self, tmp_path: Path) -> None:
        for name, constant_memory in (("a.xlsx", False), ("b.xlsx", True)):
            with xlsxwriter.Workbook(tmp_path / name, {"constant_memory": constant_memory}) as book:
                page = book.add_worksheet()
                page.write_row(0, 0, ["Nama", "No HP", "Saldo"])
                for i in range(1, 5_000):
                    odd = "&" if i % 1_000 == 0 else ""  # only the XML parser reads entities
                    page.write_row(i, 0, [f"Siti {odd} {i}", f"0825{i:08d}", i])
        assert bring_in(tmp_path / "a.xlsx").records == bring_in(tmp_path / "b.xlsx").records


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=8))
def test_csv_comes_back_as_it_was_written(tmp_path: Path, rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *rows])
    path = write(tmp_path / "a.csv", text.getvalue())
    source = CsvSource(path, encoding="utf-8", delimiter=",")
    assert [cells for _, cells in source.rows()][1:] == rows


@given(st.lists(st.text(max_size=20), max_size=5))
def test_copy_gives_back_every_storable_cell(cells: list[str]) -> None:
    kept = [storable(cell) for cell in cells]
    assert array(unescaped(copy_array(kept))) == kept
    "".join(kept).encode()
    if is_plain("".join(kept)):
        assert copy_plain_array(kept) == copy_array(kept)


@pytest.mark.django_db
def test_postgresql_takes_whatever_a_file_contained(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    full_width, nasty = "＼ＵＳＥＲ", 'a\\b "q" {x},\\N\t\x01é\u2028😀\n\\.'
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(
            [
                ["Nama", "No HP", "Username"],
                [nasty, "082512345678", full_width],
                ["", "082512345678", ""],
            ]
        )
    loaded, skipped = b"", b""
    choices = Choices()
    with load(path, original_name="a.csv", choices=choices, database_id=7, import_id=3) as frames:
        for frame in frames:
            loaded += frame.payload if isinstance(frame, Records) else b""
            skipped += frame.payload if isinstance(frame, Skipped) else b""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE taken (database_id bigint, row_number int, cells text[],"
            " username text, name text, phone text, username_key text, name_key text,"
            " attention text);"
            "CREATE TEMPORARY TABLE left_out (source_id bigint, row_number int, reason text,"
            " same_as int, cells text[])"
        )
        for table, columns, payload in (
            ("taken", RECORD_COLUMNS, loaded),
            ("left_out", SKIPPED_COLUMNS, skipped),
        ):
            with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                copy.write(payload)
        cursor.execute("SELECT cells, phone, username_key, attention FROM taken")
        assert cursor.fetchall() == [
            (
                [nasty.replace("\x01", ""), "082512345678", "＼ＵＳＥＲ"],
                "6282512345678",
                "\\user",
                None,
            )
        ]
        cursor.execute("SELECT * FROM left_out")
        assert cursor.fetchall() == [(3, 3, "duplicate_phone", 2, ["", "082512345678", ""])]


def test_every_problem_has_its_sentence() -> None:
    detail = {"extension": "csv", "found": "xlsx", "row": 3, "limit": 256, "address": "B7"}
    for code in SENTENCES:
        text = sentence(code, detail)
        assert "%" not in text
        assert text.endswith(".")
    assert sentence("far_cell", {}) == sentence("unreadable")
