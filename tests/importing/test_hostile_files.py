"""Files made to do harm: each is refused with its own reason, or read without any."""

from __future__ import annotations

import io
import os
import resource
import struct
import subprocess
import sys
import threading
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import xlsxwriter
import xlwt

from databases.importing import limits
from databases.importing.process import Choices, Stopped, load, read
from tests.importing.reading import bring_in, inspect, problem_of

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
CSV = b"Nama,No HP\nSiti,082512345678\n"
NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/'
    'content-types"><Override PartName="/xl/workbook.xml" ContentType="application/vnd.'
    'openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)
RELATIONS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
    'relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/'
    'officeDocument/2006/relationships/{}" Target="{}"/></Relationships>'
)
BOOK = (
    f'<?xml version="1.0"?><workbook {NS} xmlns:r="http://schemas.openxmlformats.org/'
    'officeDocument/2006/relationships"><sheets><sheet name="A" sheetId="1" r:id="rId1"/></sheets>'
    "</workbook>"
)


def cell(address: str, text: str) -> str:
    return f'<c r="{address}" t="inlineStr"><is><t>{text}</t></is></c>'


GOOD_ROWS = (
    f'<row r="1">{cell("A1", "Nama")}{cell("B1", "No HP")}</row>'
    f'<row r="2">{cell("A2", "Siti")}{cell("B2", "082512345678")}</row>'
)


def sheet(rows: str, before: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}<worksheet {NS}><sheetData>{rows}'
        "</sheetData></worksheet>"
    )


def xlsx(path: Path, sheet_xml: str | bytes, **more: str | bytes) -> Path:
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": RELATIONS.format("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": BOOK,
        "xl/_rels/workbook.xml.rels": RELATIONS.format("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": sheet_xml,
    } | {name.replace("__", "/").replace("_xml", ".xml"): part for name, part in more.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return path


@pytest.fixture(autouse=True)
def _quick_and_small() -> Iterator[None]:
    """No file may cost more than half a minute, or this process more than a few megabytes."""
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    yield
    assert time.monotonic() - started < 60
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < limits.MEMORY_WORKBOOK / 1024


class TestArchives:
    def test_a_megabyte_that_unpacks_to_a_gigabyte_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "a.xlsx"
        xlsx(path, b"")
        with (
            zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
            archive.open("xl/media/image1.bin", "w", force_zip64=True) as entry,
        ):
            for _ in range(128):
                entry.write(bytes(8 * 1024**2))
        assert path.stat().st_size < 2 * 1024**2
        assert problem_of(path).code == "inflates"

    @pytest.mark.parametrize("claim", [1_000, 40 * 1024**2])
    def test_a_size_that_is_a_lie_is_refused(self, tmp_path: Path, claim: int) -> None:
        filler = sheet(GOOD_ROWS + "<row/>" * 500_000)
        path = xlsx(tmp_path / "a.xlsx", filler)
        content = path.read_bytes()
        true = struct.pack("<I", len(filler))
        assert content.count(true) == 2
        path.write_bytes(content.replace(true, struct.pack("<I", claim)))
        assert problem_of(path).code == "damaged"

    def test_a_bomb_that_claims_to_be_small_is_refused(self, tmp_path: Path) -> None:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = b"".join(packer.compress(bytes(1024**2)) for _ in range(256)) + packer.flush()
        path = xlsx(tmp_path / "a.xlsx", "MARK" * 4)
        with zipfile.ZipFile(path) as archive:
            small = archive.getinfo("xl/worksheets/sheet1.xml")
        content = path.read_bytes()
        name = b"xl/worksheets/sheet1.xml"
        start = content.index(name) + len(name)
        sizes = struct.pack("<II", small.compress_size, small.file_size)
        content = (
            content[:start].replace(sizes, struct.pack("<II", len(packed), 64))
            + packed
            + content[start + small.compress_size :].replace(
                sizes, struct.pack("<II", len(packed), 64)
            )
        )
        path.write_bytes(_with_moved_directory(content, len(packed) - small.compress_size))
        assert problem_of(path).code == "damaged"

    def test_too_many_entries_are_refused(self, tmp_path: Path) -> None:
        more = {f"xl__junk{i}": "" for i in range(limits.ZIP_ENTRIES + 1)}
        assert problem_of(xlsx(tmp_path / "a.xlsx", sheet(GOOD_ROWS), **more)).code == "too_complex"

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_two_entries_of_one_name_are_refused(self, tmp_path: Path) -> None:
        path = xlsx(tmp_path / "a.xlsx", sheet(GOOD_ROWS))
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("xl/workbook.xml", BOOK)
        assert problem_of(path).code == "damaged"


def _with_moved_directory(content: bytes, by: int) -> bytes:
    end = content.rindex(b"PK\x05\x06")
    (offset,) = struct.unpack_from("<I", content, end + 16)
    return content[: end + 16] + struct.pack("<I", offset + by) + content[end + 20 :]


class TestEntities:
    LAUGHS = (
        '<!DOCTYPE lolz [<!ENTITY a "ha">'
        + "".join(f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(9))
        + "]>"
    )
    PASSWD = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'

    @pytest.mark.parametrize("before", [LAUGHS, PASSWD], ids=["laughs", "passwd"])
    def test_entities_in_a_sheet_are_refused(self, tmp_path: Path, before: str) -> None:
        rows = GOOD_ROWS + f'<row r="3">{cell("A3", "&a;")}</row>'
        path = xlsx(tmp_path / "a.xlsx", sheet(rows, before))
        problem = problem_of(path)
        assert problem.code == "dangerous"
        assert "root:" not in str(problem)

    @pytest.mark.parametrize(
        "part", ["xl__sharedStrings_xml", "xl__styles_xml", "xl__workbook_xml"]
    )
    def test_entities_in_any_other_part_are_refused(self, tmp_path: Path, part: str) -> None:
        rows = GOOD_ROWS + '<row r="3"><c r="A3" t="s"><v>0</v></c></row>'
        content = f'<?xml version="1.0"?>{self.LAUGHS}<sst {NS}><si><t>&j;</t></si></sst>'
        path = xlsx(tmp_path / "a.xlsx", sheet(rows), **{part: content})
        assert problem_of(path).code == "dangerous"

    def test_entities_in_a_libreoffice_file_are_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "a.ods"
        with (
            zipfile.ZipFile(SAMPLES / "13_libreoffice.ods") as old,
            zipfile.ZipFile(path, "w") as new,
        ):
            for name in old.namelist():
                content = old.read(name).decode()
                if name == "content.xml":
                    content = content.replace("?>", "?>" + self.PASSWD, 1)
                new.writestr(name, content)
        assert problem_of(path).code == "dangerous"


class TestFarCells:
    def test_a_cell_in_the_last_corner_is_named(self, tmp_path: Path) -> None:
        rows = GOOD_ROWS + f'<row r="1048576">{cell("XFD1048576", "x")}</row>'
        problem = problem_of(xlsx(tmp_path / "a.xlsx", sheet(rows)))
        assert (problem.code, problem.detail) == ("far_cell", {"address": "XFD1048576"})

    def test_a_stray_cell_far_below_is_only_another_row(self, tmp_path: Path) -> None:
        rows = GOOD_ROWS + f'<row r="65536">{cell("A65536", "solver")}</row>'
        _, tally = inspect(xlsx(tmp_path / "a.xlsx", sheet(rows)))
        assert (tally.ready, tally.attention, tally.blank) == (1, {"missing_phone": 1}, 65_533)

    def test_formatted_emptiness_counts_for_nothing(self, tmp_path: Path) -> None:
        rows = GOOD_ROWS + '<row r="1048576"><c r="XFD1048576" s="1"/></row>'
        _, tally = inspect(xlsx(tmp_path / "a.xlsx", sheet(rows)))
        assert (tally.total, tally.ready) == (1, 1)

    def test_rows_beyond_the_last_are_refused(self, tmp_path: Path) -> None:
        rows = GOOD_ROWS + f'<row r="1048577">{cell("A1048577", "x")}</row>'
        assert problem_of(xlsx(tmp_path / "a.xlsx", sheet(rows))).code == "too_many_rows"

    def test_rows_out_of_order_are_refused(self, tmp_path: Path) -> None:
        path = xlsx(tmp_path / "a.xlsx", sheet(GOOD_ROWS + GOOD_ROWS))
        assert problem_of(path).code == "damaged"

    def test_a_stray_cell_in_an_xlsb_is_named_before_calamine_sees_it(self, tmp_path: Path) -> None:
        path = tmp_path / "a.xlsb"
        with (
            zipfile.ZipFile(SAMPLES / "14_biner.xlsb") as old,
            zipfile.ZipFile(path, "w") as new,
        ):
            for name in old.namelist():
                content = old.read(name)
                if name.endswith("sheet1.bin"):
                    stray = b"\0\x11" + struct.pack("<IIH3sI", 1_048_575, 0, 300, b"\0\0\0", 0)
                    stray += b"\x05\x10" + struct.pack("<IId", 16_383, 0, 1.0)
                    end = content.rindex(b"\x92\x01\x00")
                    content = content[:end] + stray + content[end:]
                new.writestr(name, content)
        assert problem_of(path).code == "far_cell"

    def test_a_libreoffice_row_a_billion_times_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "a.ods"
        with (
            zipfile.ZipFile(SAMPLES / "13_libreoffice.ods") as old,
            zipfile.ZipFile(path, "w") as new,
        ):
            for name in old.namelist():
                content = old.read(name).decode()
                if name == "content.xml":
                    content = content.replace(
                        "<table:table-row>",
                        '<table:table-row table:number-rows-repeated="1000000000">',
                    )
                new.writestr(name, content)
        assert problem_of(path).code == "too_many_rows"


class TestSizes:
    def test_twenty_thousand_columns_are_refused(self, tmp_path: Path) -> None:
        wide = tmp_path / "a.csv"
        header = ",".join(f"K{i}" for i in range(20_000))
        wide.write_text(f"{header}\n" + (",".join("x" for _ in range(20_000)) + "\n") * 50)
        assert problem_of(wide).code == "too_many_columns"
        with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
            book.add_worksheet().write_row(0, 0, [f"K{i}" for i in range(16_000)])
        assert problem_of(tmp_path / "a.xlsx").code == "too_many_columns"

    def test_more_rows_than_excel_has_are_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes(b"No HP\n" + b"1\n" * limits.ROWS)
        assert problem_of(path).code == "too_many_rows"

    def test_a_giant_cell_needs_attention_and_is_cut(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text(f"Nama,No HP\n{'x' * 100_000},082512345678\nBudi,082512345678\n")
        loaded = bring_in(path)
        giant, budi = loaded.records
        assert giant["attention"] == "cell_too_long"
        assert len(str(giant["cells"][0])) == limits.CELL_CHARACTERS  # type: ignore[index]
        assert budi["attention"] is None  # the giant is no customer yet, so Budi repeats nobody

    def test_a_quote_that_never_closes_is_named_with_its_row(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes(CSV + b'Budi,"0825\n' + CSV * 3)
        problem = problem_of(path)
        assert (problem.code, problem.detail) == ("unclosed_quote", {"row": 3})

    def test_a_quote_that_swallows_megabytes_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes(CSV + b'Budi,"0825\n' + b"Siti,0825\n" * 2_000_000)
        assert problem_of(path).code == "unclosed_quote"


class TestCharacters:
    def test_control_characters_never_reach_the_database(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes(
            b"Na\x00ma,No HP,Catatan\n"
            + b"Si\x00ti\x07 R,0825\x0012345678,a\x0bb\\\x1b[31m\n"
            + b'Budi,082512345679,"x\ty\nz\r\n\xed\xa0\x80"\n'
        )
        loaded = bring_in(path)
        assert [c.name for c in loaded.inspection.columns] == ["Nama", "No HP", "Catatan"]
        siti, budi = loaded.records
        assert siti["name"] == "Siti R"
        assert siti["phone"] == "6282512345678"
        assert siti["cells"] == ["Siti R", "082512345678", "ab\\[31m"]
        assert str(budi["cells"][2]).startswith("x\ty\nz\n")  # type: ignore[index]
        for record in loaded.records:
            text = "".join(map(str, record["cells"]))  # type: ignore[call-overload]
            assert not any(ord(c) < 32 and c not in "\t\n" for c in text)
            text.encode()

    def test_half_a_surrogate_in_a_workbook_is_replaced(self, tmp_path: Path) -> None:
        rows = GOOD_ROWS + f'<row r="3">{cell("A3", "A_xD83D_B_x0000_")}</row>'
        loaded = bring_in(xlsx(tmp_path / "a.xlsx", sheet(rows)))
        assert loaded.records[-1]["cells"][0] == "A\ufffdB"  # type: ignore[index]

    def test_stray_bytes_do_not_garble_a_file_of_unicode(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        names = "".join(f"Zoë {i},0825{i:08d}\n" for i in range(100))
        path.write_bytes(b"Nama,No HP\n" + names.encode() + b"Jos\xe9,082999999999\n")
        loaded = bring_in(path)
        assert loaded.inspection.warnings == ("mixed_encoding",)
        assert (loaded.records[0]["name"], loaded.records[-1]["name"]) == ("Zoë 0", "José")


class TestContents:
    @pytest.mark.parametrize(
        ("name", "content", "code"),
        [
            ("a.csv", b"", "empty"),
            ("a.csv", b"\xef\xbb\xbf \r\n\r\n", "empty"),
            ("a.csv", b",,,\n,,\n", "empty"),
            ("a.csv", b"Nama,No HP\n", "header_only"),
            ("a.csv", b"Nama,No HP\n,\n\n", "header_only"),
            ("a.xlsx", CSV, "disguised"),
            ("a.xls", CSV, "disguised"),
            ("a.xls", b"<html><table><tr><td>Nama</td></tr></table></html>", "web_page"),
            ("a.csv", b"\n <!DOCTYPE html><html></html>", "web_page"),
            ("a.xls", b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:'
             b'spreadsheet"/>', "xml_spreadsheet"),
            ("a.csv", b"%PDF-1.7\n" + CSV, "not_a_table"),
            ("a.csv", b"\x89PNG\r\n\x1a\n" + bytes(100), "not_a_table"),
            ("a.csv", b"MZ" + bytes(500), "not_a_table"),
            ("a.csv", bytes(range(256)) * 40, "not_a_table"),
            ("a.xlsm", CSV, "macros"),
            ("a.exe", CSV, "extension"),
            ("noextension", CSV, "extension"),
            ("a.csv.zip", CSV, "extension"),
            ("a.xlsx", b"PK\x03\x04" + bytes(200), "damaged"),
            ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4000), "not_a_table"),
        ],
    )  # fmt: skip
    def test_each_content_has_its_own_reason(
        self, tmp_path: Path, name: str, content: bytes, code: str
    ) -> None:
        path = tmp_path / "stored"
        path.write_bytes(content)
        assert problem_of(path, name).code == code

    def test_a_workbook_called_csv_is_told_to_take_its_own_name(self) -> None:
        problem = problem_of(SAMPLES / "10_judul_baris4.xlsx", "liste.csv")
        assert (problem.code, problem.detail["found"]) == ("disguised", "xlsx")

    def test_a_macro_workbook_under_another_name_is_refused(self, tmp_path: Path) -> None:
        path = xlsx(tmp_path / "a.xlsx", sheet(GOOD_ROWS), **{"xl__vbaProject.bin": b"x"})
        assert problem_of(path).code == "macros"

    def test_a_text_that_is_an_archive_too_is_refused(self, tmp_path: Path) -> None:
        archive = xlsx(tmp_path / "a.xlsx", sheet(GOOD_ROWS)).read_bytes()
        (tmp_path / "a.csv").write_bytes(CSV + archive)
        assert problem_of(tmp_path / "a.csv").code == "not_a_table"
        (tmp_path / "b.xlsx").write_bytes(b"%PDF-1.4\n" + archive)
        assert problem_of(tmp_path / "b.xlsx").code == "not_a_table"

    @pytest.mark.parametrize("name", ["10_judul_baris4.xlsx", "12_lama.xls", "14_biner.xlsb"])
    def test_half_a_workbook_is_refused(self, tmp_path: Path, name: str) -> None:
        content = (SAMPLES / name).read_bytes()
        path = tmp_path / name
        path.write_bytes(content[: len(content) // 2])
        assert problem_of(path).code in ("damaged", "not_a_table")

    def test_an_encrypted_workbook_says_so(self, tmp_path: Path) -> None:
        ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1016)
        path = tmp_path / "a.xlsx"
        path.write_bytes(ole + "EncryptedPackage".encode("utf-16-le") + bytes(1000))
        assert problem_of(path).code == "encrypted"

    def test_an_encrypted_archive_says_so(self, tmp_path: Path) -> None:
        path = xlsx(tmp_path / "a.xlsx", sheet(GOOD_ROWS))
        content = bytearray(path.read_bytes())
        at = content.index(b"PK\x01\x02")
        content[at + 8] |= 1
        path.write_bytes(content)
        assert problem_of(path).code == "encrypted"

    def test_an_encrypted_xls_says_so(self, tmp_path: Path) -> None:
        book = xlwt.Workbook()
        book.add_sheet("A").write(0, 0, "Nama")
        buffer = io.BytesIO()
        book.save(buffer)
        content = buffer.getvalue()
        # FILEPASS takes the place of the record right after the first BOF.
        at = content.index(b"\x09\x08") + 4 + struct.unpack_from("<H", content, 514)[0]
        path = tmp_path / "a.xls"
        path.write_bytes(content[:at] + b"\x2f\x00" + content[at + 2 :])
        assert problem_of(path).code in ("encrypted", "damaged")


class TestTheProcess:
    def test_it_ends_when_told_to_stop(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes(b"Nama,No HP\n" + b"Siti,082512345678\n" * 500_000)
        with pytest.raises(Stopped):
            list(read(path, original_name="a.csv", choices=Choices(), should_stop=lambda: True))
        assert _children() == []

    def test_it_ends_when_the_caller_leaves_early(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes(b"Nama,No HP\n" + b"Siti,082512345678\n" * 500_000)
        with load(
            path, original_name="a.csv", choices=Choices(), database_id=1, import_id=1
        ) as frames:
            next(frames)
        assert _children() == []

    def test_running_out_of_memory_is_a_problem_of_the_file(self, tmp_path: Path) -> None:
        book = xlwt.Workbook()
        page = book.add_sheet("A")
        page.write(0, 0, "Nama")
        page.write(1, 1, "Siti")
        buffer = io.BytesIO()
        book.save(buffer)
        content = buffer.getvalue()
        near = struct.pack("<HHHHH", 0xFD, 10, 1, 1, 17)
        assert content.count(near) == 1
        # calamine builds the rectangle of 4,294,967,296 cells and aborts.
        far = struct.pack("<HHHHH", 0xFD, 10, 65_535, 65_535, 17)
        path = tmp_path / "a.xls"
        path.write_bytes(content.replace(near, far))
        assert problem_of(path).code == "too_complex"

    def test_it_knows_none_of_our_secrets(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from databases.importing.process import _environment

        monkeypatch.setenv("SECRET_KEY", "x")
        monkeypatch.setenv("DATABASE_URL", "x")
        assert not {"SECRET_KEY", "DATABASE_URL"} & set(_environment())

    def test_it_dies_with_its_parent(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_bytes(b"Nama,No HP\n" + b"Siti,082512345678\n" * 500_000)
        script = (
            "import sys, time\n"
            "from databases.importing.process import Choices, read\n"
            "found = read(sys.argv[1], original_name='a.csv', choices=Choices())\n"
            "next(found)\n"
            "child = open(f'/proc/self/task/{__import__(\"os\").getpid()}/children').read()\n"
            "print(child, flush=True)\n"
            "time.sleep(60)\n"
        )
        parent = subprocess.Popen(
            [sys.executable, "-c", script, str(path)],
            cwd=SAMPLES.parent.parent,
            stdout=subprocess.PIPE,
        )
        assert parent.stdout is not None
        child = parent.stdout.readline().decode().strip()
        assert b"importing.child" in _command(child)
        parent.kill()
        parent.wait()
        parent.stdout.close()
        deadline = time.monotonic() + 10
        while b"importing.child" in _command(child):
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def test_it_can_be_used_from_a_thread(self) -> None:
        found: list[object] = []
        thread = threading.Thread(
            target=lambda: found.append(inspect(SAMPLES / "01_bersih.csv")[1].ready)
        )
        thread.start()
        thread.join(30)
        assert found == [40]


def _children() -> list[int]:
    listing = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in listing if b"importing.child" in _command(pid)]


def _command(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""
