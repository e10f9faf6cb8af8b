"""Changes to a file that make it wrong in the ways files go wrong, and in worse ones.

    name, content = mutate("10_judul_baris4.xlsx", content, Random("7:42"))

Everything comes from the `Random` that is given: the same one makes the same file again.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from random import Random

Change = Callable[[bytes, Random], bytes]

NUMBERS = (0, 1, 2, 9, 255, 256, 257, 16_384, 65_535, 1_048_576, 1_048_577, 2**31, 2**32 - 1)
VALUES = (
    *map(str, NUMBERS),
    *("-1", "1e9", "1E400", "NaN", "", " ", "0x10", "99999999999999999999", "1,5", "٣", "²"),
    *("A0", "A1", "XFD1048576", "XFE1", "AAAA1", "1A", "a1", "B2:C9"),
    *("s", "n", "str", "b", "d", "e"),
    *("inlineStr", "true", "../../../etc/passwd", "file:///etc/passwd", "rId1", "&#0;", "&x;", "<"),
)
DOCTYPE = (
    '<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY x "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    '<!DOCTYPE x SYSTEM "http://localhost:1/x.dtd">',
)
TEXTS = (
    *("\x00", "\x1b[2J", "\ufeff", "\ufffe", "\u202e", "\u2028", "\x85", "\x0c", "😀" * 50),
    "e" + "\u0301" * 300,
    *('"', '""', "'", ",", ";", "\t", "|", "\n", "\r", "\r\n", "\\N", "\\."),
    *("{}", "=1+1", "sep=;\n"),
    *("x" * 40_000, "," * 5_000, "\n" * 5_000, '"' * 4_001, "8.25E+11", "0" * 500, "9" * 500),
)  # fmt: skip
ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "cp1252", "cp037")


# --- any file ---------------------------------------------------------------------------------


def _span(content: bytes, random: Random, longest: int = 4_096) -> tuple[int, int]:
    start = random.randrange(len(content) + 1)
    return start, min(len(content), start + random.randint(1, longest))


def flip_bits(content: bytes, random: Random) -> bytes:
    changed = bytearray(content)
    for _ in range(random.choice((1, 2, 8, 64))):
        if changed:
            changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def insert_bytes(content: bytes, random: Random) -> bytes:
    at, _ = _span(content, random)
    return content[:at] + random.randbytes(random.choice((1, 2, 16, 512))) + content[at:]


def delete_bytes(content: bytes, random: Random) -> bytes:
    start, end = _span(content, random, random.choice((1, 8, 512, 65_536)))
    return content[:start] + content[end:]


def truncate(content: bytes, random: Random) -> bytes:
    return content[: random.randrange(len(content) + 1)]


def repeat_chunk(content: bytes, random: Random) -> bytes:
    start, end = _span(content, random)
    return content[:end] + content[start:end] * random.choice((1, 2, 50)) + content[end:]


def swap_chunks(content: bytes, random: Random) -> bytes:
    a, b, c = sorted(random.randrange(len(content) + 1) for _ in range(3))
    return content[:a] + content[b:c] + content[a:b] + content[c:]


def overwrite(content: bytes, random: Random) -> bytes:
    start, end = _span(content, random, 64)
    filler = random.choice((b"\x00", b"\xff", b"\x7f", b"<", b'"'))
    return content[:start] + filler * (end - start) + content[end:]


def write_number(content: bytes, random: Random) -> bytes:
    at, _ = _span(content, random)
    packed = struct.pack(random.choice(("<I", "<Q", ">I")), random.choice(NUMBERS))
    packed = packed[: random.choice((2, 4, 8))]
    return content[:at] + packed + content[at + len(packed) :]


ANY: tuple[Change, ...] = (
    flip_bits, insert_bytes, delete_bytes, truncate, repeat_chunk, swap_chunks, overwrite,
    write_number,
)  # fmt: skip


# --- text files -------------------------------------------------------------------------------


def put_text(content: bytes, random: Random) -> bytes:
    at, _ = _span(content, random)
    return content[:at] + random.choice(TEXTS).encode() * random.choice((1, 1, 3)) + content[at:]


def reencode(content: bytes, random: Random) -> bytes:
    changed = content.decode("utf-8", "replace").encode(random.choice(ENCODINGS), "replace")
    return changed[: len(changed) - random.choice((0, 0, 1, 3))]


def trade_delimiters(content: bytes, random: Random) -> bytes:
    old, new = random.choices((b",", b";", b"\t", b"|", b"\n", b"\r\n", b'"', b"  "), k=2)
    return content.replace(old, new, random.choice((1, 20, 1_000_000)))


def many_lines(content: bytes, random: Random) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    line = random.choice(lines)
    return content + line * random.choice((10, 1_000, min(200_000, 4_000_000 // (len(line) + 1))))


def no_lines(content: bytes, random: Random) -> bytes:
    return b"".join(content.splitlines()[: random.randint(1, 50)]) * random.choice((1, 100))


TEXT: tuple[Change, ...] = (put_text, put_text, reencode, trade_delimiters, many_lines, no_lines)


# --- XML --------------------------------------------------------------------------------------

_ATTRIBUTE = re.compile(rb'([\w:.-]+)="([^"]*)"')
_ELEMENT = re.compile(rb"<(\w[\w:.-]*)[^<>]*>")


def change_attribute(content: bytes, random: Random) -> bytes:
    found = list(_ATTRIBUTE.finditer(content))
    if not found:
        return content
    for match in sorted(
        random.choices(found, k=random.choice((1, 1, 5))), key=lambda m: -m.start()
    ):
        value = random.choice(VALUES).encode()
        content = content[: match.start(2)] + value + content[match.end(2) :]
    return content


def change_every_attribute(content: bytes, random: Random) -> bytes:
    """Give one kind of attribute the same value everywhere, such as r= or t=."""
    names = sorted({match[1] for match in _ATTRIBUTE.finditer(content)})
    if not names:
        return content
    chosen, value = random.choice(names), random.choice(VALUES).encode()
    return re.sub(
        rb'(?<![\w:.-])%s="[^"]*"' % re.escape(chosen),
        lambda _: chosen + b'="' + value + b'"',
        content,
    )


def change_element(content: bytes, random: Random) -> bytes:
    found = list(_ELEMENT.finditer(content))
    if not found:
        return content
    match = random.choice(found)
    tag = match[0]
    instead = random.choice(
        (
            b"",
            tag * 2,
            tag * 1_000,
            b"<x>",
            b"</x>",
            b"<!-- " + tag,
            b"<![CDATA[" + tag,
            b"<?x " + tag,
        )
    )
    return content[: match.start()] + instead + content[match.end() :]


def rename_element(content: bytes, random: Random) -> bytes:
    names = sorted({match[1] for match in _ELEMENT.finditer(content)})
    if not names:
        return content
    old, new = random.choice(names), random.choice((*names, b"x", b"x:row", b"x:c"))
    return re.sub(rb"(</?)%s(?=[\s/>])" % re.escape(old), lambda m: m[1] + new, content)


def change_text(content: bytes, random: Random) -> bytes:
    found = list(re.finditer(rb">([^<>]+)<", content))
    if not found:
        return content
    match = random.choice(found)
    text = random.choice((*VALUES, *TEXTS, "_x0000_", "_xD800_", "&#xD;", "]]>")).encode()
    return content[: match.start(1)] + text + content[match.end(1) :]


def add_doctype(content: bytes, random: Random) -> bytes:
    at = content.find(b"?>") + 2 if content.startswith(b"<?xml") else 0
    content = content[:at] + random.choice(DOCTYPE).encode() + content[at:]
    return content.replace(b">0<", b">&x;<", 3)


def declare_encoding(content: bytes, random: Random) -> bytes:
    encoding = random.choice((*ENCODINGS, "nonsense", "unicode_escape", "ISO-8859-1"))
    at = content.find(b"?>") + 2 if content.startswith(b"<?xml") else 0
    head = f'<?xml version="1.0" encoding="{encoding}"?>'.encode()
    if random.random() < 0.5 and encoding in ENCODINGS:
        return (head + content[at:]).decode("utf-8", "replace").encode(encoding, "replace")
    return head + content[at:]


def nest(content: bytes, random: Random) -> bytes:
    found = list(_ELEMENT.finditer(content))
    at = random.choice(found).start() if found else 0
    return content[:at] + b"<y>" * random.choice((100, 100_000)) + content[at:]


XML: tuple[Change, ...] = (
    change_attribute, change_attribute, change_attribute, change_every_attribute, change_element,
    change_element, rename_element, change_text, change_text, add_doctype, declare_encoding, nest,
)  # fmt: skip


# --- zip archives -----------------------------------------------------------------------------


def change_member(content: bytes, random: Random) -> bytes:
    """Unpack, change one part, and pack again: the damage arrives where the cells are read."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError, zlib.error):
        return flip_bits(content, random)
    if not parts:
        return flip_bits(content, random)
    names = sorted(parts, key=lambda name: -len(parts[name]))
    # The larger a part, the more of the reader it reaches.
    name = random.choice((*names[:3], *names[:2], *names))
    what = random.random()
    if what < 0.05:
        del parts[name]
    elif what < 0.1:
        parts[random.choice(("../../evil.xml", "/etc/passwd", "XL/Workbook.xml", "x" * 300))] = (
            parts.pop(name) if random.random() < 0.5 else parts[name]
        )
    else:
        kinds = XML if parts[name].lstrip()[:1] == b"<" else ANY
        parts[name] = random.choice(kinds if random.random() < 0.9 else ANY)(parts[name], random)
    packed = io.BytesIO()
    method = random.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED))
    with zipfile.ZipFile(packed, "w") as archive:
        for part, inside in parts.items():
            archive.writestr(zipfile.ZipInfo(part), inside, method)  # without the time of day
    return packed.getvalue()


def lie_in_header(content: bytes, random: Random) -> bytes:
    """Change a number that a zip's directory or an entry claims."""
    marks = (b"PK\x01\x02", b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06")
    found = [match.start() for match in re.finditer(re.escape(random.choice(marks)), content)]
    if not found:
        return write_number(content, random)
    at = random.choice(found) + random.choice((6, 8, 10, 14, 16, 18, 20, 22, 24, 26, 28, 42))
    lie = struct.pack("<I", random.choice(NUMBERS))[: random.choice((2, 4))]
    return content[:at] + lie + content[at + len(lie) :]


ZIP: tuple[Change, ...] = (*[change_member] * 8, *[lie_in_header] * 2)


# --- old workbooks ----------------------------------------------------------------------------


def change_record(content: bytes, random: Random) -> bytes:
    """Change the length or a field of a record of an .xls, found by its usual numbers."""
    kinds = (0xFD, 0x0203, 0x0204, 0x027E, 0xBD, 0x0208, 0x0200, 0x85, 0xFC, 0x3C, 0x0809, 0x0A)
    mark = struct.pack("<H", random.choice(kinds))
    found = [at for at in range(512, len(content) - 4, 1) if content[at : at + 2] == mark]
    if not found:
        return write_number(content, random)
    at = random.choice(found) + random.choice((0, 2, 4, 6, 8))
    lie = struct.pack("<I", random.choice(NUMBERS))[: random.choice((2, 4))]
    return content[:at] + lie + content[at + len(lie) :]


# --- all together -----------------------------------------------------------------------------

KINDS: dict[str, tuple[Change, ...]] = {
    "csv": (*TEXT, *TEXT, *ANY),
    "xlsx": (*ZIP, *ZIP, *ANY),
    "xlsb": (*ZIP, *ZIP, *ANY),
    "ods": (*ZIP, *ZIP, *ANY),
    "xls": (*[change_record] * 8, *ANY),
}


def mutate(name: str, content: bytes, random: Random) -> tuple[str, bytes]:
    """Give (what was done, the changed content) of a file of this name."""
    changes = random.choices(KINDS[name.rsplit(".", 1)[-1]], k=random.choice((1, 1, 1, 2, 3)))
    for change in changes:
        content = change(content, random)
    return "+".join(change.__name__ for change in changes), content
