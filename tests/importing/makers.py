"""Files made part by part, so that each of their parts can be wrong."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import xlwt

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
CSV = b"Nama,No HP\nSiti,082512345678\n"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
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
STRINGS = f'<?xml version="1.0"?><sst {NS}><si><t>Siti</t></si></sst>'


def cell(address: str, text: str) -> str:
    return f'<c r="{address}" t="inlineStr"><is><t>{text}</t></is></c>'


HEADER = f'<row r="1">{cell("A1", "Nama")}{cell("B1", "No HP")}</row>'
GOOD_ROWS = HEADER + f'<row r="2">{cell("A2", "Siti")}{cell("B2", "082512345678")}</row>'


def sheet(rows: str, before: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}<worksheet {NS}><sheetData>{rows}'
        "</sheetData></worksheet>"
    )


def parts(sheet_xml: str | bytes) -> dict[str, str | bytes]:
    """Give the parts of the smallest workbook, by name."""
    return {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": RELATIONS.format("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": BOOK,
        "xl/_rels/workbook.xml.rels": RELATIONS.format("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": sheet_xml,
    }


def packed(path: Path, content: dict[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, part in content.items():
            archive.writestr(name, part)
    return path


def xlsx(
    path: Path,
    sheet_xml: str | bytes,
    more: dict[str, str | bytes] | None = None,
    *,
    without: str = "",
) -> Path:
    """Make a workbook of one sheet; `more` adds or replaces parts, `without` leaves one out."""
    content = parts(sheet_xml) | (more or {})
    content.pop(without, None)
    return packed(path, content)


def changed(sample: str, path: Path, part: str, change: Callable[[bytes], bytes]) -> Path:
    """Copy a sample that is an archive, with `part` as `change` makes it."""
    with zipfile.ZipFile(SAMPLES / sample) as old:
        content: dict[str, str | bytes] = {name: old.read(name) for name in old.namelist()}
    before = content[part]
    assert isinstance(before, bytes)
    content[part] = change(before)
    assert content[part] != before
    return packed(path, content)


def with_lying_sizes(path: Path, name: str, honest: bytes, claim: int) -> Path:
    """Pack `honest` as part `name` of a workbook whose headers say it has `claim` bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    squeezed = packer.compress(honest) + packer.flush()
    xlsx(path, "MARK" * 4)
    with zipfile.ZipFile(path) as archive:
        small = archive.getinfo(name)
    content = path.read_bytes()
    start = content.index(name.encode()) + len(name)
    sizes = struct.pack("<II", small.compress_size, small.file_size)
    lie = struct.pack("<II", len(squeezed), claim)
    content = (
        content[:start].replace(sizes, lie)
        + squeezed
        + content[start + small.compress_size :].replace(sizes, lie)
    )
    path.write_bytes(_with_moved_directory(content, len(squeezed) - small.compress_size))
    return path


def _with_moved_directory(content: bytes, by: int) -> bytes:
    end = content.rindex(b"PK\x05\x06")
    (offset,) = struct.unpack_from("<I", content, end + 16)
    return content[: end + 16] + struct.pack("<I", offset + by) + content[end + 20 :]


def xls(*cells: tuple[int, int, str]) -> bytes:
    """Make an old workbook that holds `cells`: row, column, text."""
    book = xlwt.Workbook()
    page = book.add_sheet("A")
    for row, column, text in cells:
        page.write(row, column, text)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def encrypted_office() -> bytes:
    """Make what Excel makes of a workbook with a password: a container with one sealed stream."""
    return OLE + bytes(1016) + "EncryptedPackage".encode("utf-16-le") + bytes(1000)
