"""Invented customer lists, the same every time.

Names are put together from two lists. Phone numbers begin with prefixes (0824 to 0827) that are not
known to belong to any operator, so that nobody's phone rings.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

HEADER = ("Username", "Nama", "No HP", "Kota", "Depo Terakhir", "No Rekening")

_FIRST = """
Aditya Agus Anisa Ardi Ayu Bagas Bima Cahya Dewi Dian Dinda Eka Endah Fajar Fitri Galih Gita Hana
Hendra Indah Intan Joko Kartika Laras Lestari Maya Mega Nanda Niken Panji Putri Raka Ratna Reza
Rizky Satria Sekar Tara Teguh Utami Vina Wahyu Wira Yoga Yuni Zahra
""".split()  # noqa: SIM905 -- quoted one by one they cannot be read
_LAST = """
Anggara Baskara Cahyani Darmawan Firmansyah Gunawan Halim Hapsari Hartono Irawan Kencana Kurniawan
Kusuma Larasati Maharani Mahendra Nugraha Oktavia Permata Pradana Prasetya Puspita Rahayu Ramadhan
Safitri Santoso Saputra Setiawan Sudrajat Susanto Utomo Wibowo Wicaksono Widodo Wijaya Yulianti
""".split()  # noqa: SIM905 -- quoted one by one they cannot be read
_CITIES = """
Bandung Bekasi Bogor Cirebon Denpasar Depok Jambi Kediri Kudus Madiun Magelang Makassar Malang
Manado Medan Padang Palembang Pontianak Salatiga Semarang Sidoarjo Solo Surabaya Tegal Yogyakarta
""".split()  # noqa: SIM905 -- quoted one by one they cannot be read
# What a cell for the phone holds when it holds none that can be used.
_UNUSABLE = ("", "-", "0824", "tidak ada", "8.25E+11", "0000000000")

Row = list[str]


@dataclass(frozen=True, slots=True)
class List:
    """A customer list to invent: how many customers, and how many rows that are not in order."""

    product: str
    name: str
    description: str
    customers: int
    unusable: int = 0  # rows without a phone that can be used
    repeated: int = 0  # rows that repeat a customer from further up
    blank: int = 0
    delimiter: str = ","

    @property
    def filename(self) -> str:
        return f"{self.name}.csv"


def csv_file(wanted: List) -> bytes:
    """Give the list as the bytes of a CSV file."""
    # Seeded with text, which does not depend on the process as the hash of an object does.
    rng = random.Random(wanted.name)  # noqa: S311 - invented people, not secrets
    people = customers(rng)
    rows = [next(people) for _ in range(wanted.customers)]
    for kind in ["unusable"] * wanted.unusable + ["repeated"] * wanted.repeated:
        row = list(rng.choice(rows)) if kind == "repeated" else next(people)
        if kind == "unusable":
            row[2] = rng.choice(_UNUSABLE)
        else:
            row[2] = f"+62 {row[2][1:4]}-{row[2][4:8]}-{row[2][8:]}"  # the same, written otherwise
        rows.insert(rng.randint(len(rows) // 2, len(rows)), row)
    for _ in range(wanted.blank):
        rows.insert(rng.randrange(1, len(rows)), [""] * len(HEADER))
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=wanted.delimiter)
    writer.writerow(HEADER)
    writer.writerows(rows)
    return out.getvalue().encode()


def customers(rng: random.Random) -> Iterator[Row]:
    """Give customers without end, no two with one phone or one username."""
    number = 0
    phones: set[str] = set()
    while True:
        number += 1
        first, last = rng.choice(_FIRST), rng.choice(_LAST)
        phone = f"082{rng.randint(4, 7)}{rng.randrange(10**8):08}"
        if phone in phones:
            continue
        phones.add(phone)
        last_deposit = date(2026, 1, 1) - timedelta(days=rng.randrange(365))
        yield [
            f"{first[:4]}{last[:3]}{number}".lower(),
            f"{first} {last}",
            phone,
            rng.choice(_CITIES),
            last_deposit.isoformat(),
            f"9900{rng.randrange(10**8):08}",
        ]
