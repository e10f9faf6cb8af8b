"""What a file really is, by its content; its name only has to agree."""

from __future__ import annotations

import mmap
import re
from pathlib import Path

from databases.importing.archive import Archive
from databases.importing.problems import FileProblem

TEXT_EXTENSIONS = ("csv", "txt", "tsv")
WORKBOOK_EXTENSIONS = ("xlsx", "xls", "xlsb", "ods")
EXTENSIONS = TEXT_EXTENSIONS + WORKBOOK_EXTENSIONS
MACRO_EXTENSIONS = ("xlsm", "xltm", "xlam", "xla")

_HEAD = 64 * 1024
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OTHERS = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"MZ",
    b"\x7fELF",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
    b"SQLite format 3",
    b"{\\rtf",
    b"#!",
)
# BIFF 2 to 4 had no container: a bare stream that starts with its BOF record.
_OLD_BIFF = re.compile(rb"\x09[\x00\x02\x04]\x04\x00|\x09[\x00\x02\x04]\x06\x00")
_HTML = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|table|script|meta|style|div)\b", re.IGNORECASE
)
_CONTROLS = re.compile(rb"[\x01-\x08\x0e-\x19\x1b-\x1f\x7f]")
_ODS_MIMETYPE = b"application/vnd.oasis.opendocument.spreadsheet"


def sniff(path: Path, original_name: str) -> tuple[str, Archive | None]:
    """Give (csv, xlsx, xls, xlsb or ods, its opened archive), or raise what is wrong."""
    extension = original_name.rsplit(".", 1)[-1].strip().lower() if "." in original_name else ""
    if extension in MACRO_EXTENSIONS:
        raise FileProblem("macros")
    if extension not in EXTENSIONS:
        raise FileProblem("extension")
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise FileProblem("empty")
    found, archive = _content(path, head)
    expected = "csv" if extension in TEXT_EXTENSIONS else extension
    if found != expected:
        raise FileProblem("disguised", extension=extension, found=found)
    return found, archive


def _content(path: Path, head: bytes) -> tuple[str, Archive | None]:
    if head.startswith(_ZIP):
        return _zip(path)
    if head.startswith(_OLE):
        return _ole(path), None
    if head.startswith(_OTHERS):
        raise FileProblem("not_a_table")
    if _OLD_BIFF.match(head):
        raise FileProblem("old_excel")
    _refuse_other_text(_ascii(head))
    _refuse_hidden_archive(path)
    return "csv", None


def _zip(path: Path) -> tuple[str, Archive]:
    archive = Archive(path)
    if "xl/workbook.bin" in archive:
        return "xlsb", archive
    if "xl/workbook.xml" in archive or "[Content_Types].xml" in archive:
        if any(name.lower().endswith("vbaproject.bin") for name in archive.names()):
            raise FileProblem("macros")
        if not any(name.startswith("xl/") for name in archive.names()):
            raise FileProblem("not_a_table")
        return "xlsx", archive
    if "mimetype" in archive and "content.xml" in archive:
        if not archive.read("mimetype", 4096).strip().startswith(_ODS_MIMETYPE):
            raise FileProblem("not_a_table")
        manifest = "META-INF/manifest.xml"
        if manifest in archive and b"encryption-data" in archive.read(manifest, 1024**2):
            raise FileProblem("encrypted")
        return "ods", archive
    raise FileProblem("not_a_table")


def _ole(path: Path) -> str:
    def named(stream: str) -> bool:
        return content.find(stream.encode("utf-16-le") + b"\0\0") >= 0

    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if len(content) < 1536:
            raise FileProblem("damaged")
        if named("EncryptedPackage"):
            raise FileProblem("encrypted")
        if not (named("Workbook") or named("Book")):
            raise FileProblem("not_a_table")
    return "xls"


def _ascii(head: bytes) -> bytes:
    """Give the start of a text as ASCII, whichever Unicode it is in."""
    return head.lstrip(b"\xef\xbb\xbf\xff\xfe").replace(b"\0", b"").lstrip()


def _refuse_other_text(text: bytes) -> None:
    start = text[:4096]
    if start.startswith((b"<?xml", b"<")):
        if b"urn:schemas-microsoft-com:office:spreadsheet" in start:
            raise FileProblem("xml_spreadsheet")
        if b"<!ENTITY" in start.upper():
            raise FileProblem("dangerous")
        if _HTML.search(start):
            raise FileProblem("web_page")
        raise FileProblem("not_a_table")
    if start.startswith((b"{", b"[")) and start.rstrip()[-1:] in (b"}", b"]"):
        raise FileProblem("not_a_table")
    if start.startswith(b"MIME-Version:") and b"text/html" in start:
        raise FileProblem("web_page")
    controls = len(_CONTROLS.findall(text))
    if controls > 16 and controls > len(text) * 0.05:
        raise FileProblem("not_a_table")


def _refuse_hidden_archive(path: Path) -> None:
    """Refuse a text that ends as a zip archive: two programs would see two files in it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 65_600))
        if b"PK\x05\x06" in file.read():
            raise FileProblem("not_a_table")
