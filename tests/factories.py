"""Plain functions that make what a test needs, with honest defaults."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from accounts.models import User
from assignments.models import Assignment, RecordRequest
from batches.models import MessageTemplate
from crm.kernel import clock
from crm.kernel.text import customer_key
from databases.models import Database, DatabaseStat, Pool, Product, Record, Role

_numbers = itertools.count(1)
COLUMNS = ["Username", "Nama", "No HP", "Kota", "No Rekening"]
ROLES = [Role.USERNAME, Role.NAME, Role.PHONE, Role.KEEP, Role.SENSITIVE]


def make_user(
    *, name: str = "", email: str = "", role: str = User.Role.STAFF, password: str | None = None
) -> User:
    """Make somebody who can sign in (with `force_login`, or with `password` when given)."""
    n = next(_numbers)
    return User.objects.create_user(
        name=name or f"Orang {n}",
        email=email or f"orang{n}@example.com",
        role=role,
        password=password,
    )


def make_admin(**given: Any) -> User:
    return make_user(role=User.Role.ADMIN, **given)


def make_product(*, name: str = "") -> Product:
    return Product.objects.create(name=name or f"Produk {next(_numbers)}")


def make_database(
    *,
    records: int = 10,
    attention: int = 0,
    product: Product | None = None,
    name: str = "",
    by: User | None = None,
    columns: Sequence[str] = COLUMNS,
    roles: Sequence[str] = ROLES,
    **given: Any,
) -> Database:
    """Make an imported database: `records` ready ones on the shelf, `attention` needing repair.

    Row numbers start at 2, as under a header. Ready record i has phone 6281<database><i>.
    """
    n = next(_numbers)
    database = Database.objects.create(
        product=product or make_product(),
        name=name or f"Data {n}",
        columns=list(columns),
        roles=list(roles),
        uploaded_by=by or make_admin(),
        **given,
    )
    DatabaseStat.objects.get_or_create(database=database)
    rows = [_record(database, n, i, repair=i >= records) for i in range(records + attention)]
    made = Record.objects.bulk_create(rows)
    Pool.objects.bulk_create(
        Pool(
            record=record,
            database=database,
            shuffle=(index * 1_640_531_527) % (2**31 - 1),  # all over the shelf
            username_key=record.username_key,
            name_key=record.name_key,
            phone=record.phone,
        )
        for index, record in enumerate(made)
        if record.attention is None
    )
    return database


def _record(database: Database, n: int, i: int, *, repair: bool) -> Record:
    username, name, phone = f"user{n}x{i}", f"Pelanggan {n} {i}", f"6281{n % 1000:03}{i:06}"
    local = "0" + phone[2:]
    values = {
        "Username": username,
        "Nama": name,
        "No HP": "-" if repair else local,
        "Kota": "Bekasi",
        "No Rekening": f"RAHASIA{i}",
    }
    return Record(
        database=database,
        row_number=i + 2,
        cells=[values.get(column, f"{column} {i}") for column in database.columns],
        username=username,
        name=name,
        phone="" if repair else phone,
        username_key=customer_key(username),
        name_key=customer_key(name),
        attention="invalid_phone" if repair else None,
    )


def make_batch(
    *, staff: User, records: int = 5, database: Database | None = None, by: User | None = None
) -> RecordRequest:
    """Give `staff` the first `records` of a database's shelf, as an approved request."""
    database = database or make_database(records=records)
    admin = by or database.uploaded_by
    request = RecordRequest.objects.create(
        database=database,
        staff=staff,
        quantity=records,
        granted=records,
        status=RecordRequest.Status.APPROVED,
        created_by=staff,
        decided_by=admin,
        decided_at=clock.now(),
    )
    _give(request, records, state=Assignment.State.ACTIVE)
    return request


def make_pending(*, staff: User, database: Database, quantity: int = 3) -> RecordRequest:
    """Let `staff` have asked for `quantity` records, which are held."""
    request = RecordRequest.objects.create(
        database=database, staff=staff, quantity=quantity, created_by=staff
    )
    _give(request, quantity, state=Assignment.State.HELD)
    return request


def make_assignment(*, staff: User, database: Database | None = None, **marks: Any) -> Assignment:
    """Give `staff` one record, with `marks` as its fields."""
    request = make_batch(staff=staff, records=1, database=database)
    assignment = Assignment.objects.get(request=request)
    if marks:
        for field in ("reach", "response"):
            if field in marks:
                marks |= {f"{field}_at": clock.now(), f"{field}_by": staff}
        Assignment.objects.filter(pk=assignment.pk).update(**marks)
        assignment.refresh_from_db()
    return assignment


def make_template(
    *, product: Product | None = None, name: str = "", body: str = "Halo {name|Kak}", **given: Any
) -> MessageTemplate:
    """Make a message of a product, offered after those made before."""
    n = next(_numbers)
    return MessageTemplate.objects.create(
        product=product or make_product(),
        name=name or f"Pesan {n}",
        body=body,
        position=n,
        created_by=make_admin(),
        **given,
    )


def _give(request: RecordRequest, count: int, *, state: str) -> None:
    shelf = Pool.objects.filter(database=request.database).order_by("record_id")[:count]
    record_ids = list(shelf.values_list("record_id", flat=True))
    assert len(record_ids) == count, "the shelf holds too few records"
    Pool.objects.filter(record_id__in=record_ids).delete()
    now = clock.now()
    Assignment.objects.bulk_create(
        Assignment(
            record_id=record_id,
            database=request.database,
            staff=request.staff,
            request=request,
            state=state,
            held_at=now if state == Assignment.State.HELD else None,
            assigned_at=now if state == Assignment.State.ACTIVE else None,
        )
        for record_id in record_ids
    )
