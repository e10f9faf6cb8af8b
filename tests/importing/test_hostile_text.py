"""Text files whose quotes, characters or sizes lead a reader astray."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from databases.importing import limits
from databases.importing.process import Choices
from tests.importing.makers import CSV
from tests.importing.reading import bring_in, code_of, inspect, problem_of

ENCODINGS = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig")


def stored(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


class TestQuotes:
    def test_one_that_never_closes_is_named_with_its_row(self, tmp_path: Path) -> None:
        path = stored(tmp_path / "a.csv", CSV + b'Budi,"0825\n' + CSV * 3)
        problem = problem_of(path)
        assert (problem.code, problem.detail) == ("unclosed_quote", {"row": 3})

    @pytest.mark.parametrize("megabytes", [20, 100])
    def test_one_that_swallows_megabytes_is_refused(self, tmp_path: Path, megabytes: int) -> None:
        path = tmp_path / "a.csv"
        with path.open("wb") as file:
            file.write(CSV + b'Budi,"0825\n')
            for _ in range(megabytes):
                file.write(b"Siti,0825\n" * 100_000)
        problem = problem_of(path)
        assert (problem.code, problem.detail) == ("unclosed_quote", {"row": 3})

    def test_nothing_in_a_file_passes_for_its_end(self, tmp_path: Path) -> None:
        path = stored(tmp_path / "a.csv", CSV + b"\x00end of file\nBudi,082512345679\n")
        assert inspect(path)[1].total == 3

    @pytest.mark.parametrize("line", [b'"Bu"di,0825"1"\n', b'Bu"di,"0825"\n', b'"",""""\n'])
    def test_odd_ones_that_close_are_read(self, tmp_path: Path, line: bytes) -> None:
        assert inspect(stored(tmp_path / "a.csv", CSV + line))[1].total == 2


class TestSizes:
    def test_a_giant_cell_needs_attention_and_is_cut(self, tmp_path: Path) -> None:
        text = f"Nama,No HP\n{'x' * 100_000},082512345678\nBudi,082512345678\n"
        loaded = bring_in(stored(tmp_path / "a.csv", text.encode()))
        giant, budi = loaded.records
        assert giant["attention"] == "cell_too_long"
        assert len(str(giant["cells"][0])) == limits.CELL_CHARACTERS  # type: ignore[index]
        assert budi["attention"] is None  # the giant is no customer yet, so Budi repeats nobody

    def test_a_cell_of_ten_megabytes_is_named_with_its_row(self, tmp_path: Path) -> None:
        path = stored(tmp_path / "a.csv", CSV + b"x" * 10 * 1024**2 + b",0825\n" + CSV)
        problem = problem_of(path)
        assert (problem.code, problem.detail) == ("giant_cell", {"row": 3})

    def test_one_line_of_hundreds_of_megabytes_is_survived(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        with path.open("wb") as file:
            file.write(CSV)
            for _ in range(400):
                file.write(b"x" * 1024**2)
        assert problem_of(path).code in ("giant_cell", "too_complex")

    def test_twenty_thousand_columns_are_refused(self, tmp_path: Path) -> None:
        header = ",".join(f"K{i}" for i in range(20_000))
        text = f"{header}\n" + (",".join("x" for _ in range(20_000)) + "\n") * 50
        assert problem_of(stored(tmp_path / "a.csv", text.encode())).code == "too_many_columns"

    def test_a_million_commas_are_no_columns(self, tmp_path: Path) -> None:
        path = stored(tmp_path / "a.csv", CSV + b"," * 1_000_000 + b"\n" + b"Budi,082512345679\n")
        _, tally = inspect(path)
        assert (tally.ready, tally.blank) == (2, 1)
        path = stored(tmp_path / "b.csv", CSV + b"x," * 1_000_000 + b"\n")
        assert problem_of(path).code == "too_many_columns"
        path = stored(tmp_path / "c.csv", b"," * 1_000_000 + b"\n")
        assert problem_of(path).code == "empty"

    def test_more_rows_than_excel_has_are_refused(self, tmp_path: Path) -> None:
        path = stored(tmp_path / "a.csv", b"No HP\n" + b"1\n" * limits.ROWS)
        problem = problem_of(path)
        assert (problem.code, problem.detail) == ("too_many_rows", {"limit": limits.ROWS})


class TestCharacters:
    def test_control_characters_never_reach_the_database(self, tmp_path: Path) -> None:
        path = stored(
            tmp_path / "a.csv",
            b"Na\x00ma,No HP,Catatan\n"
            + b"Si\x00ti\x07 R,0825\x0012345678,a\x0bb\\\x1b[31m\n"
            + b'Budi,082512345679,"x\ty\nz\r\n\xed\xa0\x80"\n',
        )
        loaded = bring_in(path)
        assert [c.name for c in loaded.inspection.columns] == ["Nama", "No HP", "Catatan"]
        siti, budi = loaded.records
        assert siti["name"] == "Siti R"
        assert siti["phone"] == "6282512345678"
        assert siti["cells"] == ["Siti R", "082512345678", "ab\\[31m"]
        assert str(budi["cells"][2]).startswith("x\ty\nz\n")  # type: ignore[index]

    @pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
    def test_each_character_below_space_and_each_c1_control_is_left_out(
        self, tmp_path: Path, encoding: str
    ) -> None:
        controls = "".join(map(chr, [*range(9), *range(11, 13), *range(14, 32), 127]))
        controls += "" if encoding == "cp1252" else "".join(map(chr, range(128, 160)))
        text = f"Na{controls}ma,No HP\n" + f"Si{controls}ti dari rumah,0825{controls}12345678\n" * 2
        text += "".join(f"Budi dari rumah yang lain,0825{i:08d}\n" for i in range(200))
        path = stored(tmp_path / "a.csv", text.encode(encoding))
        loaded = bring_in(path, choices=Choices(encoding=encoding, delimiter=","))
        assert loaded.inspection.columns[0].name == "Nama"
        assert loaded.records[0]["cells"] == ["Siti dari rumah", "082512345678"]
        assert loaded.skipped[0]["same_as"] == 2

    def test_stray_bytes_do_not_garble_a_file_of_unicode(self, tmp_path: Path) -> None:
        names = "".join(f"Zoë {i},0825{i:08d}\n" for i in range(100))
        content = b"Nama,No HP\n" + names.encode() + b"Jos\xe9,082999999999\n"
        loaded = bring_in(stored(tmp_path / "a.csv", content))
        assert loaded.inspection.warnings == ("mixed_encoding",)
        assert (loaded.records[0]["name"], loaded.records[-1]["name"]) == ("Zoë 0", "José")

    @pytest.mark.parametrize("encoding", ENCODINGS)
    @pytest.mark.parametrize("missing", [1, 2, 3])
    def test_bytes_that_are_missing_at_the_end_cost_the_last_row_at_most(
        self, tmp_path: Path, encoding: str, missing: int
    ) -> None:
        text = "Nama,No HP\n" + "".join(f"Siti {i},0825{i:08d}\n" for i in range(50))
        path = stored(tmp_path / "a.csv", text.encode(encoding)[:-missing])
        _, tally = inspect(path)
        assert tally.total == 50
        assert tally.ready >= 49

    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
    def test_lone_surrogates_are_replaced(self, tmp_path: Path, encoding: str) -> None:
        text = "Nama,No HP\n" + "Si\ud83dti,082512345678\n" + "Budi\udc00,082512345679\n"
        path = stored(tmp_path / "a.csv", text.encode(encoding, "surrogatepass"))
        loaded = bring_in(path)
        assert [record["name"] for record in loaded.records] == ["Si\ufffdti", "Budi\ufffd"]

    @pytest.mark.parametrize(
        "content",
        [
            b"\xed\xa0\x80,\xed\xb0\x80\n" + CSV,  # surrogates spelled in UTF-8
            b"\xc0\x80,\xc1\xbf\n" + CSV,  # overlong
            b"\xf4\x90\x80\x80,\xf8\x88\x80\x80\x80\n" + CSV,  # past the last character
            b"\xff\xfe\xff\xfe\xff\xfe\xff\xfe" + CSV,
            b"\xff\xfe\x00\x00" + CSV,
            b"\x00\x00\xfe\xff" + CSV,
            codecs.BOM_UTF8 * 3 + CSV,
            b"+ADw-script+AD4-,x\n" + CSV,  # UTF-7
        ],
    )
    def test_broken_unicode_is_read_or_refused_and_never_an_error(
        self, tmp_path: Path, content: bytes
    ) -> None:
        path = stored(tmp_path / "a.csv", content)
        assert code_of(path) in ("", "empty", "header_only", "not_a_table")

    @pytest.mark.parametrize("delimiter", ['"', "\x00", "\x01", " ", "x", "😀"])
    def test_a_delimiter_that_cannot_be_one_does_no_harm(
        self, tmp_path: Path, delimiter: str
    ) -> None:
        path = stored(tmp_path / "a.csv", f"sep={delimiter}\n".encode() + CSV)
        assert inspect(path)[1].total >= 1

    def test_it_chooses_no_encoding_that_python_would_run(self, tmp_path: Path) -> None:
        path = stored(tmp_path / "a.csv", CSV)
        for wrong in ("unicode_escape", "rot13", "idna", "zlib", "../../x", "\x00"):
            inspection, _ = inspect(path, choices=Choices(encoding=wrong))
            assert inspection.encoding == "utf-8"
