"""Files that are something else than their name says, or not whole: each told with its reason."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from django.utils import translation

from databases.importing import limits
from databases.importing.problems import SENTENCES
from databases.importing.process import sentence
from tests.importing.makers import (
    CSV,
    GOOD_ROWS,
    OLE,
    SAMPLES,
    TYPES,
    changed,
    encrypted_office,
    sheet,
    xls,
    xlsx,
)
from tests.importing.reading import code_of, inspect, problem_of

XML_2003 = (
    b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>'
    b'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>'
)
PAGE = b"<html><table><tr><td>Nama</td></tr></table></html>"
WORKBOOKS = ("10_judul_baris4.xlsx", "12_lama.xls", "13_libreoffice.ods", "14_biner.xlsb")
GIF = b"GIF89a" + bytes(100)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"\xef\xbb\xbf", "empty"),
        ("a.csv", b"\xff\xfe", "empty"),
        ("a.csv", b"\xef\xbb\xbf \r\n\r\n", "empty"),
        ("a.csv", b" \t\r\n" * 100_000, "empty"),
        ("a.csv", bytes(5_000), "empty"),
        ("a.csv", b",,,\n,,\n", "empty"),
        ("a.csv", b"Nama,No HP\n", "header_only"),
        ("a.csv", b"Nama,No HP", "header_only"),
        ("a.csv", b"Nama,No HP\n,\n\n", "header_only"),
        ("a.xlsx", CSV, "disguised"),
        ("a.xls", CSV, "disguised"),
        ("a.xlsb", CSV, "disguised"),
        ("a.ods", CSV, "disguised"),
        ("a.xls", PAGE, "web_page"),
        ("a.xlsx", b"\xef\xbb\xbf\n  " + PAGE, "web_page"),
        ("a.xls", PAGE.decode().encode("utf-16"), "web_page"),
        ("a.csv", b"\n <!DOCTYPE html><html></html>", "web_page"),
        ("a.csv", b"MIME-Version: 1.0\nContent-Type: text/html\n\n" + PAGE, "web_page"),
        ("a.xls", XML_2003, "xml_spreadsheet"),
        ("a.csv", b'{"Nama": "Siti"}', "not_a_table"),
        ("a.csv", b"%PDF-1.7\n" + CSV, "not_a_table"),
        ("a.pdf", b"%PDF-1.7\n" + CSV, "extension"),
        ("a.csv", b"\x89PNG\r\n\x1a\n" + bytes(100), "not_a_table"),
        ("a.xlsx", GIF, "not_a_table"),
        ("a.csv", b"GIF89a,No HP\n" + CSV, "not_a_table"),
        ("a.csv", b"#!/bin/sh\nrm -rf /\n", "not_a_table"),
        ("a.csv", b"MZ" + bytes(500), "not_a_table"),
        ("a.csv", b"\x7fELF" + bytes(500), "not_a_table"),
        ("a.csv", b"\x1f\x8b\x08" + bytes(500), "not_a_table"),
        ("a.csv", bytes(range(256)) * 40, "not_a_table"),
        ("a.xlsm", CSV, "macros"),
        ("a.XLSM", CSV, "macros"),
        ("a.exe", CSV, "extension"),
        ("noextension", CSV, "extension"),
        (".csv.", CSV, "extension"),
        ("a.csv.zip", CSV, "extension"),
        ("a.xlsx", b"PK\x03\x04" + bytes(200), "damaged"),
        ("a.xlsx", b"PK\x05\x06" + bytes(18), "not_a_table"),
        ("a.xls", OLE + bytes(4_000), "not_a_table"),
        ("a.xls", OLE, "damaged"),
        ("a.xls", b"\x09\x00\x04\x00\x02\x00\x10\x00" + bytes(100), "old_excel"),
    ],
)  # fmt: skip
def test_each_content_has_its_own_reason(
    tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    path = tmp_path / "stored"
    path.write_bytes(content)
    problem = problem_of(path, name)
    assert problem.code == code
    assert code in SENTENCES


@pytest.mark.parametrize("sample", WORKBOOKS)
def test_a_workbook_called_csv_is_told_to_take_its_own_name(sample: str) -> None:
    problem = problem_of(SAMPLES / sample, "liste.csv")
    assert (problem.code, problem.detail) == (
        "disguised",
        {"extension": "csv", "found": sample.rsplit(".", 1)[-1]},
    )
    assert ".csv" in sentence(problem.code, problem.detail)


class TestMacros:
    def test_a_workbook_that_holds_them_is_refused(self, tmp_path: Path) -> None:
        path = xlsx(tmp_path / "a.xlsx", sheet(GOOD_ROWS), {"xl/vbaProject.bin": b"x"})
        assert problem_of(path).code == "macros"

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    def test_a_workbook_that_is_made_for_them_is_refused(
        self, tmp_path: Path, encoding: str
    ) -> None:
        types = TYPES.replace(
            "vnd.openxmlformats-officedocument.spreadsheetml.sheet.main",
            "vnd.ms-excel.sheet.macroEnabled.main",
        )
        more: dict[str, str | bytes] = {"[Content_Types].xml": types.encode(encoding)}
        assert problem_of(xlsx(tmp_path / "a.xlsx", sheet(GOOD_ROWS), more)).code == "macros"


class TestTwoInOne:
    def test_a_text_that_is_an_archive_too_is_refused(self, tmp_path: Path) -> None:
        archive = xlsx(tmp_path / "a.xlsx", sheet(GOOD_ROWS)).read_bytes()
        (tmp_path / "a.csv").write_bytes(CSV + archive)
        assert problem_of(tmp_path / "a.csv").code == "not_a_table"

    @pytest.mark.parametrize("before", [b"%PDF-1.4\n", PAGE, GIF, OLE + bytes(2_000), b"\0", b"x"])
    def test_an_archive_behind_something_else_is_refused(
        self, tmp_path: Path, before: bytes
    ) -> None:
        archive = xlsx(tmp_path / "a.xlsx", sheet(GOOD_ROWS)).read_bytes()
        (tmp_path / "b.xlsx").write_bytes(before + archive)
        assert problem_of(tmp_path / "b.xlsx").code in ("not_a_table", "web_page", "disguised")

    def test_what_follows_an_archive_is_not_read(self, tmp_path: Path) -> None:
        path = xlsx(tmp_path / "a.xlsx", sheet(GOOD_ROWS))
        path.write_bytes(path.read_bytes() + PAGE)
        found = inspect(path)[0].preview[0].cells
        assert found == ("Siti", "082512345678")


class TestNotWhole:
    @pytest.mark.parametrize("sample", WORKBOOKS)
    @pytest.mark.parametrize("percent", [0, 1, 10, 25, 50, 75, 90, 99])
    def test_the_start_of_a_workbook_is_refused(
        self, tmp_path: Path, sample: str, percent: int
    ) -> None:
        content = (SAMPLES / sample).read_bytes()
        path = tmp_path / sample
        path.write_bytes(content[: max(9, len(content) * percent // 100)])
        assert problem_of(path).code in ("damaged", "not_a_table")

    @pytest.mark.parametrize("keep", [4, 100, 1_000])
    def test_the_end_of_an_archive_without_its_start_is_refused(
        self, tmp_path: Path, keep: int
    ) -> None:
        content = xlsx(tmp_path / "a.xlsx", sheet(GOOD_ROWS)).read_bytes()
        (tmp_path / "a.xlsx").write_bytes(content[-keep:])
        assert problem_of(tmp_path / "a.xlsx").code in ("not_a_table", "disguised")

    @pytest.mark.parametrize("part", ["xl/workbook.bin", "xl/worksheets/sheet1.bin"])
    def test_a_binary_part_that_is_cut_is_survived(self, tmp_path: Path, part: str) -> None:
        path = changed("14_biner.xlsb", tmp_path / "a.xlsb", part, lambda old: old[: len(old) // 3])
        assert code_of(path) in ("", "damaged", "no_sheet", "empty", "header_only")


class TestEncrypted:
    @pytest.mark.parametrize("name", ["a.xlsx", "a.xls", "a.xlsb"])
    def test_a_workbook_says_so(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / name
        path.write_bytes(encrypted_office())
        assert problem_of(path).code == "encrypted"

    def test_an_archive_says_so(self, tmp_path: Path) -> None:
        path = xlsx(tmp_path / "a.xlsx", sheet(GOOD_ROWS))
        content = bytearray(path.read_bytes())
        at = content.index(b"PK\x01\x02")
        content[at + 8] |= 1
        path.write_bytes(content)
        assert problem_of(path).code == "encrypted"

    def test_a_libreoffice_file_says_so(self, tmp_path: Path) -> None:
        path = changed(
            "13_libreoffice.ods",
            tmp_path / "a.ods",
            "META-INF/manifest.xml",
            lambda old: old.replace(
                b"</manifest:manifest>",
                b'<manifest:file-entry manifest:full-path="content.xml">'
                b"<manifest:encryption-data/></manifest:file-entry></manifest:manifest>",
            ),
        )
        assert problem_of(path).code == "encrypted"

    def test_an_old_workbook_says_so(self, tmp_path: Path) -> None:
        content = xls((0, 0, "Nama"))
        # FILEPASS takes the place of the record right after the first BOF.
        at = content.index(b"\x09\x08") + 4 + struct.unpack_from("<H", content, 514)[0]
        path = tmp_path / "a.xls"
        path.write_bytes(content[:at] + b"\x2f\x00" + content[at + 2 :])
        assert problem_of(path).code == "encrypted"

    def test_it_says_to_remove_the_password_first_in_both_languages(self) -> None:
        assert "remove the password" in sentence("encrypted")
        with translation.override("id"):
            assert "hapus kata sandinya" in sentence("encrypted")


class TestSentences:
    DETAIL = {"extension": "csv", "found": "xlsx", "row": 3, "limit": limits.ROWS, "address": "B7"}
    TO_DO = ("ave ", "upload", "Choose", "Rename", "Delete", "plit", "Put ", "Check ", "try again")

    @pytest.mark.parametrize("code", SENTENCES)
    def test_each_says_what_to_do(self, code: str) -> None:
        text = sentence(code, self.DETAIL)
        assert any(word in text for word in self.TO_DO), text
        assert "%" not in text
        assert text.endswith(".")

    def test_a_detail_that_is_missing_is_no_error(self) -> None:
        assert sentence("far_cell", {}) == sentence("unreadable")

    def test_what_a_file_contains_never_becomes_a_format(self) -> None:
        hostile = "%(limit)s %s <b>"
        assert hostile in sentence("far_cell", {"address": hostile})
