"""The customer lists to import, made once and kept."""

from __future__ import annotations

import csv
import random
from itertools import islice
from pathlib import Path

from crm.shell.demo.customers import HEADER, customers
from tests.bench import place


def csv_file(rows: int) -> Path:
    """Give a CSV file of `rows` customers."""
    path = place.folder() / f"{rows}.csv"
    if not path.exists():
        part = path.with_suffix(".part")
        with part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(HEADER)
            writer.writerows(islice(customers(random.Random(rows)), rows))
        part.rename(path)
    return path


def xlsx_file(rows: int) -> Path:
    """Give a workbook of `rows` customers; every cell is text, written in its place."""
    from xlsxwriter import Workbook

    path = place.folder() / f"{rows}.xlsx"
    if not path.exists():
        part = path.with_suffix(".part")
        book = Workbook(str(part), {"constant_memory": True})
        sheet = book.add_worksheet("Pelanggan")
        sheet.write_row(0, 0, HEADER)
        for number, row in enumerate(islice(customers(random.Random(rows)), rows), start=1):
            for column, cell in enumerate(row):
                sheet.write_string(number, column, cell)
        book.close()
        part.rename(path)
    return path
