"""Archives and XML made to do harm: bombs, lying headers, entities, parts that are not there."""

from __future__ import annotations

import shutil
import struct
import zipfile
from pathlib import Path

import pytest

from databases.importing import limits
from databases.importing.process import sentence
from tests.importing.makers import (
    BOOK,
    CSV,
    GOOD_ROWS,
    NS,
    RELATIONS,
    SAMPLES,
    STRINGS,
    TYPES,
    cell,
    changed,
    packed,
    parts,
    sheet,
    with_lying_sizes,
    xlsx,
)
from tests.importing.reading import inspect, problem_of

SHEET = "xl/worksheets/sheet1.xml"


class TestBombs:
    @pytest.mark.parametrize(
        ("name", "megabytes"), [("xl/media/image1.bin", 1_024), ("junk", 96), ("xl/styles.xml", 96)]
    )
    def test_a_megabyte_that_unpacks_to_a_gigabyte_is_refused(
        self, tmp_path: Path, name: str, megabytes: int
    ) -> None:
        path = xlsx(tmp_path / "a.xlsx", sheet(GOOD_ROWS))
        with (
            zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
            archive.open(name, "w", force_zip64=True) as entry,
        ):
            for _ in range(megabytes):
                entry.write(bytes(1024**2))
        assert path.stat().st_size < 2 * 1024**2
        assert problem_of(path).code == "inflates"

    def test_a_libreoffice_file_that_unpacks_without_end_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "a.ods"
        shutil.copy(SAMPLES / "13_libreoffice.ods", path)
        with (
            zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
            archive.open("Pictures/a.png", "w", force_zip64=True) as entry,
        ):
            for _ in range(96):
                entry.write(bytes(1024**2))
        assert problem_of(path).code == "inflates"

    def test_archives_inside_archives_are_never_opened(self, tmp_path: Path) -> None:
        inner = xlsx(tmp_path / "inner.xlsx", sheet(GOOD_ROWS))
        for _ in range(3):
            nine: dict[str, str | bytes] = {f"{i}.zip": inner.read_bytes() for i in range(9)}
            inner = packed(tmp_path / "next.zip", nine)
        more: dict[str, str | bytes] = {"xl/embeddings/a.zip": inner.read_bytes()}
        path = xlsx(tmp_path / "a.xlsx", sheet(GOOD_ROWS), more)
        assert inspect(path)[1].ready == 1

    @pytest.mark.parametrize("claim", [1_000, 40 * 1024**2, 3 * 1024**3])
    def test_a_size_that_is_a_lie_is_refused(self, tmp_path: Path, claim: int) -> None:
        filler = sheet(GOOD_ROWS + "<row/>" * 500_000)
        path = with_lying_sizes(tmp_path / "a.xlsx", SHEET, filler.encode(), claim)
        assert problem_of(path).code == ("damaged" if claim < 1024**3 else "inflates")

    def test_a_bomb_that_claims_to_be_small_is_refused(self, tmp_path: Path) -> None:
        path = with_lying_sizes(tmp_path / "a.xlsx", SHEET, bytes(256 * 1024**2), 64)
        assert path.stat().st_size < 1024**2
        assert problem_of(path).code == "damaged"

    def test_a_lie_in_a_part_that_nobody_reads_is_refused_too(self, tmp_path: Path) -> None:
        path = xlsx(tmp_path / "a.xlsx", sheet(GOOD_ROWS), {"xl/theme/theme1.xml": "x" * 4_321})
        content = path.read_bytes()
        true = struct.pack("<I", 4_321)
        assert content.count(true) == 2
        path.write_bytes(content.replace(true, struct.pack("<I", 43_210)))
        assert problem_of(path).code == "damaged"

    @pytest.mark.parametrize("extension", ["xlsx", "ods"])
    def test_too_many_entries_are_refused(self, tmp_path: Path, extension: str) -> None:
        junk: dict[str, str | bytes] = {f"xl/junk{i}": "" for i in range(limits.ZIP_ENTRIES + 1)}
        path = xlsx(tmp_path / f"a.{extension}", sheet(GOOD_ROWS), junk)
        assert problem_of(path).code == "too_complex"

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_two_entries_of_one_name_are_refused(self, tmp_path: Path) -> None:
        path = xlsx(tmp_path / "a.xlsx", sheet(GOOD_ROWS))
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("xl/workbook.xml", BOOK)
        assert problem_of(path).code == "damaged"

    @pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_a_packing_that_no_spreadsheet_uses_is_refused(
        self, tmp_path: Path, method: int
    ) -> None:
        path = packed(tmp_path / "a.xlsx", parts(sheet(GOOD_ROWS)), method)
        assert problem_of(path).code == "damaged"


LAUGHS = (
    '<!DOCTYPE lolz [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(9))
    + "]>"
)
PASSWD = '<!DOCTYPE x [<!ENTITY j SYSTEM "file:///etc/passwd">]>'
REMOTE = '<!DOCTYPE x [<!ENTITY % j SYSTEM "http://127.0.0.1:1/x.dtd"> %j;]>'
HOSTILE = {"laughs": LAUGHS, "passwd": PASSWD, "remote": REMOTE}
PARTS = {
    "[Content_Types].xml": TYPES,
    "_rels/.rels": RELATIONS.format("officeDocument", "xl/workbook.xml"),
    "xl/workbook.xml": BOOK.replace('name="A"', 'name="&j;"'),
    "xl/_rels/workbook.xml.rels": RELATIONS.format("worksheet", "worksheets/sheet1.xml"),
    "xl/styles.xml": f'<?xml version="1.0"?><styleSheet {NS}>&j;</styleSheet>',
    "xl/sharedStrings.xml": STRINGS.replace("Siti", "&j;"),
    SHEET: sheet(GOOD_ROWS + f'<row r="3">{cell("A3", "&j;")}</row>'),
}


class TestEntities:
    @pytest.mark.parametrize("kind", HOSTILE)
    @pytest.mark.parametrize("part", PARTS)
    def test_they_are_refused_in_every_part_of_a_workbook(
        self, tmp_path: Path, part: str, kind: str
    ) -> None:
        rows = GOOD_ROWS + '<row r="3"><c r="A3" t="s"><v>0</v></c></row>'
        more: dict[str, str | bytes] = {"xl/sharedStrings.xml": STRINGS}
        more[part] = PARTS[part].replace("?>", "?>" + HOSTILE[kind], 1)
        problem = problem_of(xlsx(tmp_path / "a.xlsx", sheet(rows), more))
        assert problem.code == "dangerous"
        assert "root:" not in f"{problem} {sentence(problem.code, problem.detail)}"

    @pytest.mark.parametrize("kind", HOSTILE)
    def test_they_are_refused_in_a_libreoffice_file(self, tmp_path: Path, kind: str) -> None:
        path = changed(
            "13_libreoffice.ods",
            tmp_path / "a.ods",
            "content.xml",
            lambda old: old.replace(b"?>", b"?>" + HOSTILE[kind].encode(), 1),
        )
        problem = problem_of(path)
        assert problem.code == "dangerous"
        assert "root:" not in str(problem)

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
    def test_another_encoding_hides_none(self, tmp_path: Path, encoding: str) -> None:
        mark = "\ufeff" if encoding != "utf-16" else ""
        text = mark + PARTS[SHEET].replace("UTF-8", "UTF-16").replace("?>", "?>" + PASSWD, 1)
        assert problem_of(xlsx(tmp_path / "a.xlsx", text.encode(encoding))).code == "dangerous"

    def test_an_entity_that_is_declared_nowhere_is_damage(self, tmp_path: Path) -> None:
        assert problem_of(xlsx(tmp_path / "a.xlsx", PARTS[SHEET])).code == "damaged"

    def test_the_five_that_xml_itself_knows_are_read(self, tmp_path: Path) -> None:
        rows = GOOD_ROWS.replace("Siti", "&lt;b&gt; &amp; &quot;&apos; &#233;&#x1F600;")
        inspection, _ = inspect(xlsx(tmp_path / "a.xlsx", sheet(rows)))
        assert inspection.preview[0].cells[0] == "<b> & \"' é😀"

    def test_a_text_file_that_is_xml_with_entities_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text(f'<?xml version="1.0"?>{PASSWD}<x>&j;</x>')
        assert problem_of(path).code == "dangerous"


class TestParts:
    @pytest.mark.parametrize(
        ("without", "code"),
        [
            ("xl/workbook.xml", "damaged"),
            (SHEET, "damaged"),
            ("xl/_rels/workbook.xml.rels", "no_sheet"),
        ],
    )
    def test_a_part_that_is_missing_has_its_reason(
        self, tmp_path: Path, without: str, code: str
    ) -> None:
        assert problem_of(xlsx(tmp_path / "a.xlsx", sheet(GOOD_ROWS), without=without)).code == code

    @pytest.mark.parametrize("without", ["[Content_Types].xml", "_rels/.rels"])
    def test_a_part_that_only_points_may_be_missing(self, tmp_path: Path, without: str) -> None:
        path = xlsx(tmp_path / "a.xlsx", sheet(GOOD_ROWS), without=without)
        assert inspect(path)[1].ready == 1

    @pytest.mark.parametrize(
        "target",
        [
            "../../../../etc/passwd",
            "/etc/passwd",
            "file:///etc/passwd",
            "http://127.0.0.1:1/sheet.xml",
            "..\\..\\etc\\passwd",
            "worksheets/\x7f",
            "",
            "x" * 10_000,
        ],
    )
    def test_a_relation_leads_nowhere_but_into_the_archive(
        self, tmp_path: Path, target: str
    ) -> None:
        relations: dict[str, str | bytes] = {
            "xl/_rels/workbook.xml.rels": RELATIONS.format("worksheet", target)
        }
        assert problem_of(xlsx(tmp_path / "a.xlsx", sheet(GOOD_ROWS), relations)).code == "damaged"

    @pytest.mark.parametrize(
        "name", ["../../evil.xml", "/etc/evil.xml", "C:\\evil.xml", "a\\..\\b"]
    )
    def test_a_part_with_a_hostile_name_is_never_written(self, tmp_path: Path, name: str) -> None:
        folder = tmp_path / "inside"
        folder.mkdir()
        path = xlsx(folder / "a.xlsx", sheet(GOOD_ROWS), {name: "x"})
        assert inspect(path)[1].ready == 1
        assert [found.name for found in tmp_path.rglob("*") if found.is_file()] == ["a.xlsx"]

    @pytest.mark.parametrize(
        "target", ["xl/workbook.xml", "workbook.xml", "_rels/workbook.xml.rels", "styles.xml"]
    )
    def test_relations_in_a_circle_end(self, tmp_path: Path, target: str) -> None:
        content: dict[str, str | bytes] = {
            "_rels/.rels": RELATIONS.format("officeDocument", "xl/workbook.xml"),
            "xl/_rels/workbook.xml.rels": RELATIONS.format("worksheet", target),
            "xl/styles.xml": f'<?xml version="1.0"?><styleSheet {NS}/>',
        }
        path = xlsx(tmp_path / "a.xlsx", sheet(GOOD_ROWS), content)
        assert problem_of(path).code in ("damaged", "empty", "header_only")

    def test_a_thousand_sheets_are_looked_at_only_so_far(self, tmp_path: Path) -> None:
        sheets = "".join(f'<sheet name="{i}" sheetId="{i}" r:id="rId1"/>' for i in range(1, 2_000))
        book = BOOK.replace('<sheet name="A" sheetId="1" r:id="rId1"/>', sheets)
        path = xlsx(tmp_path / "a.xlsx", sheet(GOOD_ROWS), {"xl/workbook.xml": book})
        assert len(inspect(path)[0].sheets) == limits.SHEETS

    def test_a_document_of_another_kind_is_no_table(self, tmp_path: Path) -> None:
        word: dict[str, str | bytes] = {"[Content_Types].xml": TYPES, "word/document.xml": "<x/>"}
        assert problem_of(packed(tmp_path / "a.xlsx", word)).code == "not_a_table"
        text: dict[str, str | bytes] = {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": "<x/>",
        }
        assert problem_of(packed(tmp_path / "a.ods", text)).code == "not_a_table"
        assert problem_of(packed(tmp_path / "b.xlsx", {"a.csv": CSV})).code == "not_a_table"

    def test_elements_nested_without_end_are_refused(self, tmp_path: Path) -> None:
        path = xlsx(tmp_path / "a.xlsx", sheet(GOOD_ROWS + "<x>" * 1_000_000))
        assert problem_of(path).code in ("damaged", "too_complex")
