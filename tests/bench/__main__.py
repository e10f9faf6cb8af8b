"""`python -m tests.bench [--records 100k|1m|10m] [--quick]`."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time

from tests.bench import place

SIZES = {"100k": 100_000, "1m": 1_000_000, "10m": 10_000_000}
QUICK = 20_000
SMALL = 100_000
LARGEST_FILE = 1_000_000  # a sheet of a spreadsheet ends a little after that


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--records", choices=SIZES, default="1m")
    parser.add_argument("--quick", action="store_true", help="a few records: does it run at all?")
    options = parser.parse_args()
    records = QUICK if options.quick else SIZES[options.records]
    place.set_up()
    start, load = time.monotonic(), os.getloadavg()[0]
    with place.empty_database():
        _measure(records)
    _say(f"\nAll of it took {time.monotonic() - start:.0f} s.")
    if load > 0.5:
        _say(f"The machine had other work when it began (load {load:.1f}): run it again alone.")


def _measure(records: int) -> None:
    from django.db import connection

    from accounts.models import User
    from databases.models import Database, Product
    from tests.bench import handouts, imports, pages
    from tests.bench.table import Line, render

    admin, *staff = (
        User.objects.create_user(
            email=f"bench{n}@example.com", name=f"Bench {n}", role=role, password=None
        )
        for n, role in enumerate(["admin", *["staff"] * handouts.CLIENTS])
    )
    product = Product.objects.create(name="Bench")
    rows = min(records, LARGEST_FILE)
    lines: list[Line] = []
    if records > SMALL:
        _say(f"Handing out where there are {SMALL:,} records …")
        source, _ = imports.measure("CSV", SMALL, product=product, by=admin)
        small = Database.objects.get(pk=source.database_id)
        before = handouts.alone(small, admin=admin, staff=staff[0])
    for number in range(1, records // rows + 1):
        _say(f"Importing {rows:,} rows of CSV ({number} of {records // rows}) …")
        source, found = imports.measure("CSV", rows, product=product, by=admin)
        if number == 1:
            first, lines = source, found
        elif number == records // rows:
            lines += [line for line in found if line.ratio is not None]  # has it grown?
    _say(f"Importing {rows:,} rows of XLSX …")
    second, found = imports.measure("XLSX", rows, product=product, by=admin)
    lines += found
    _say("Handing out …")
    large = Database.objects.get(pk=first.database_id)
    if records > SMALL:
        after = handouts.alone(large, admin=admin, staff=staff[0])
        lines.append(handouts.growth(before, after, of=f"{SMALL:,} → {records:,} records"))
    lines += handouts.measure(large, admin=admin, staff=staff)
    _say("Opening pages and marking …")
    lines += pages.measure(Database.objects.get(pk=second.database_id), admin=admin)
    version = connection.pg_version
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    _say("")
    _say(render(f"{records:,} records · {machine}, PostgreSQL {version // 10_000}", lines))


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - this is what it is for


if __name__ == "__main__":
    sys.exit(main())
