"""Where the table starts and what its columns are for, guessed from headers and from content."""

from __future__ import annotations

import hashlib
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from crm.kernel.contact import read_phone
from crm.kernel.text import clean_text, customer_key
from databases.importing import limits
from databases.importing.problems import FileProblem
from databases.importing.shapes import Column

Row = tuple[int, list[str]]

USERNAME, NAME, PHONE, SENSITIVE = "username", "name", "phone", "sensitive"
ROLES = ("", USERNAME, NAME, PHONE, SENSITIVE, "ignore")

_HEADER_WITHIN = 40
_WORDS = re.compile(r"[^\W_]+")


def _all(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SENSITIVE = _all(
    "rekening rek norek bank account acc acct accountno nik ktp npwp pin password passwd "
    "sandi cvv kartu"
)
_PHONE = _all(
    "hp nohp nomorhp handphone hape whatsapp whatsap wa nowa nomorwa telepon telephone "
    "telp notelp tlp telpon tel phone phonenumber mobile ponsel seluler msisdn"
)
_PHONE_PERHAPS = _all("nomor nomer number kontak contact cell call")
_SECOND_PHONE = _all("2 3 lain alternatif cadangan rumah kantor darurat home office")
_USERNAME = _all(
    "username userid user uid login nick nickname idmember memberid iduser idpelanggan "
    "customerid idcustomer pengguna playerid idplayer"
)
_OF_PERSON = _all("customer pelanggan member nasabah player pemain user akun game")
_NAME = _all("nama name fullname namalengkap customername")
_PART_OF_NAME = _all("depan first panggilan alias")
_NAME_OF_OTHER = _all(
    "belakang last ibu ayah toko produk product barang kota cabang file agen admin cs "
    "sales marketing upline referral perusahaan company group grup"
)
_OTHER = _all(
    "no kota city kab kabupaten alamat address kecamatan kelurahan provinsi daerah "
    "wilayah catatan keterangan ket note notes status produk product tanggal tgl date "
    "email e mail saldo deposit depo total jumlah nominal amount waktu jam umur usia "
    "gender kelamin agama pekerjaan level vip kode code ref referral link url usernameig"
)
_MOMENT = _all("terakhir last tanggal tgl waktu jam date time at")
_DATA = re.compile(r"[\d\s.,:/+-]*\d{2}[\d\s.,:/+-]*")
_PERSON = re.compile(r"[^\W\d_][^\d_@#$%^*<>{}\[\]|\\/]{1,79}")
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{2,39}")


@dataclass(frozen=True, slots=True)
class Layout:
    """The table in a sheet: its header row (0: none) and its columns."""

    header_row: int
    columns: tuple[Column, ...]

    @property
    def fingerprint(self) -> str:
        """Give what files of the same make have in common."""
        names = "\x1f".join(customer_key(column.name) for column in self.columns)
        return hashlib.sha256(names.encode()).hexdigest()[:32]


def find_layout(rows: Sequence[Row], *, header_row: int | None = None) -> Layout:
    """Find header and columns in the first `rows` of a sheet."""
    filled = [(number, cells) for number, cells in rows if any(c.strip() for c in cells)]
    if not filled:
        raise FileProblem("empty")
    if header_row is None:
        header_row = _find_header(filled)
    header = next((cells for number, cells in rows if number == header_row), [])
    body = [cells for number, cells in filled if number > header_row]
    if not body:
        raise FileProblem("header_only")
    width = max(_width(cells) for cells in [header, *body])
    if width > limits.COLUMNS:
        raise FileProblem("too_many_columns", limit=limits.COLUMNS)
    names = _unique_names(header, width)
    return Layout(header_row, _guess_roles(names, header, body[: limits.SAMPLE_ROWS]))


def promise(layout: Layout, rows: int) -> float:
    """Tell how much a sheet looks like a list of customers."""
    weights = {PHONE: 3.0, NAME: 1.0, USERNAME: 1.0}
    return min(rows, limits.SAMPLE_ROWS) / limits.SAMPLE_ROWS + sum(
        weights.get(column.role, 0.0) * (0.5 + column.confidence / 2) for column in layout.columns
    )


def header_role(header: str) -> tuple[str, float]:
    """Guess the role of a column from its header alone: (role, confidence)."""
    words = _words(header)
    if not words or len(words) > 8:
        return "", 0.0
    if words & _SENSITIVE:
        return SENSITIVE, 0.9
    if words & _NAME:
        return _role_of_name(words)
    if words & _MOMENT:
        return "", 0.0  # "Login Terakhir" is a date, not a username
    if words & _USERNAME or ("id" in words and words & _OF_PERSON):
        return USERNAME, 0.9
    if words & _PHONE:
        return PHONE, 0.7 if words & _SECOND_PHONE else 0.95
    if words & _PHONE_PERHAPS and not words & _OTHER:
        return PHONE, 0.4
    if words in ({"id"}, {"akun"}):
        return USERNAME, 0.5
    if words <= _OF_PERSON | _PART_OF_NAME:
        return NAME, 0.5
    return "", 0.0


def _role_of_name(words: set[str]) -> tuple[str, float]:
    if words & (_USERNAME | {"akun"}):
        return USERNAME, 0.9
    if words & _NAME_OF_OTHER:
        return NAME, 0.3
    return NAME, 0.6 if words & (_PART_OF_NAME | _PHONE) else 0.95


def _words(header: str) -> set[str]:
    return set(_WORDS.findall(customer_key(header)))


def _width(cells: Sequence[str]) -> int:
    """Tell how many cells a row has, without the empty ones at its end."""
    return next((i for i in range(len(cells), 0, -1) if cells[i - 1].strip()), 0)


def _find_header(filled: Sequence[Row]) -> int:
    """Find the row that names the columns; 0 if the table starts with data."""
    usual = statistics.mode(sum(1 for c in cells if c.strip()) for _, cells in filled)
    best, best_score = 0, 0.0
    for number, cells in filled[:_HEADER_WITHIN]:
        texts = _texts(cells)
        known = sum(1 for text in texts if header_role(text)[1] >= 0.4 or _words(text) & _OTHER)
        data = sum(1 for text in texts if _looks_like_data(text))
        score = 2.0 * known + min(1.0, len(texts) / max(usual, 1)) - 3.0 * data
        if len(texts) == 1 and usual > 1:
            score -= 2.5  # a title over the table
        if known and score > best_score:
            best, best_score = number, score
    if best:
        return best
    # Nothing reads like a header: the first full row is one, unless it is data already.
    for number, cells in filled[:_HEADER_WITHIN]:
        texts = _texts(cells)
        if len(texts) >= max(1, usual * 0.6):
            return 0 if any(_looks_like_data(text) for text in texts) else number
    return filled[0][0]


def _texts(cells: Sequence[str]) -> list[str]:
    seen = cells[: limits.COLUMNS]
    return [c[: limits.GUESSED_CHARACTERS].strip() for c in seen if c.strip()]


def _looks_like_data(text: str) -> bool:
    return (
        _DATA.fullmatch(text) is not None
        or "@" in text
        or (len(text) < 40 and bool(read_phone(text)[0]))
    )


def _unique_names(header: Sequence[str], width: int) -> list[str]:
    names: list[str] = []
    taken: set[str] = set()
    for position in range(width):
        cell = header[position] if position < len(header) else ""
        base = (
            clean_text(cell[: limits.CELL_CHARACTERS])[: limits.NAME_CHARACTERS].strip()
            or f"Kolom {position + 1}"
        )
        name, copy = base, 1
        while name.casefold() in taken:
            copy += 1
            name = f"{base} ({copy})"
        taken.add(name.casefold())
        names.append(name)
    return names


def _guess_roles(
    names: Sequence[str], header: Sequence[str], body: Sequence[list[str]]
) -> tuple[Column, ...]:
    headers = [
        header[i][: limits.GUESSED_CHARACTERS] if i < len(header) else "" for i in range(len(names))
    ]
    by_header = [header_role(text) for text in headers]
    contents = [
        [
            row[i][: limits.GUESSED_CHARACTERS].strip()
            for row in body
            if i < len(row) and row[i].strip()
        ]
        for i in range(len(names))
    ]
    roles: dict[int, tuple[str, float]] = {
        i: guess for i, guess in enumerate(by_header) if guess[0] == SENSITIVE
    }

    def best(role: str, scores: dict[int, float]) -> None:
        free = {i: score for i, score in scores.items() if i not in roles and score > 0}
        if free:
            winner = max(free, key=lambda i: (free[i], -i))
            roles[winner] = (role, round(min(1.0, free[winner]), 2))

    best(PHONE, _phone_scores(by_header, contents))
    for role, by_content in ((NAME, _like_names), (USERNAME, _like_usernames)):
        scores = {i: confidence for i, (r, confidence) in enumerate(by_header) if r == role}
        if not scores:
            # Only columns of which the header says nothing; "Kota" is full of words too.
            scores = {
                i: 0.3
                for i, cells in enumerate(contents)
                if not by_header[i][0] and not _words(headers[i]) & _OTHER and by_content(cells)
            }
        best(role, scores)
    return tuple(
        Column(name, *roles[i]) if i in roles else Column(name) for i, name in enumerate(names)
    )


def _phone_scores(
    by_header: Sequence[tuple[str, float]], contents: Sequence[list[str]]
) -> dict[int, float]:
    scores = {}
    for i, (role, confidence) in enumerate(by_header):
        cells = contents[i]
        share = sum(1 for c in cells if read_phone(c)[0]) / len(cells) if cells else 0.0
        if role == PHONE:
            scores[i] = 0.6 * confidence + 0.4 * share
        elif role in ("", USERNAME) and share >= 0.8:
            # A username that is a phone number stays a username if a better column exists.
            scores[i] = 0.4 * share if role == "" else 0.2 * share
    return scores


def _like_names(cells: Sequence[str]) -> bool:
    if len(cells) < 3:
        return False
    people = [c for c in cells if _PERSON.fullmatch(c)]
    spaced = sum(1 for c in people if " " in c)
    return (
        len(people) >= 0.8 * len(cells)
        and spaced >= 0.3 * len(cells)
        and len(set(cells)) >= 0.5 * len(cells)
    )


def _like_usernames(cells: Sequence[str]) -> bool:
    if len(cells) < 3:
        return False
    tokens = [c for c in cells if _TOKEN.fullmatch(c) and any(x.isalpha() for x in c)]
    return len(tokens) >= 0.9 * len(cells) and len(set(cells)) >= 0.95 * len(cells)
