"""Loading the demo, step by step; a step that is done already is passed over.

The two accounts get their passwords last: until then nobody can sign in to half a demo, and a
second run goes on where the first one was stopped.
"""

from __future__ import annotations

import random
import uuid

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils.crypto import get_random_string

from accounts import activity
from accounts.models import User
from assignments.models import Assignment, RecordRequest
from assignments.services.archive import archive_database
from assignments.services.marks import mark_reach, mark_response
from assignments.services.requests import (
    approve_request,
    cancel_request,
    reject_request,
    request_records,
)
from crm.shell.demo.customers import List, csv_file
from databases.models import Database, Import, Product
from databases.services.imports import confirm_import, run_import
from databases.services.products import create_product
from databases.services.reading import read_file
from databases.services.uploads import receive_file, start_import

ADMIN = ("admin@crm.com", "admin123")
STAFF = ("staff@crm.com", "staff123")
PEOPLE = {
    ADMIN[0]: ("Rina Wulandari", User.Role.ADMIN),
    STAFF[0]: ("Dimas Pratama", User.Role.STAFF),
    "sari@crm.com": ("Sari Handayani", User.Role.STAFF),
    "bayu@crm.com": ("Bayu Nugroho", User.Role.STAFF),
    "tika@crm.com": ("Tika Ramadhani", User.Role.STAFF),
}
PRODUCTS = ("Melati", "Kenanga", "Mawar")

MELATI = List(
    "Melati", "Melati Januari", "Pelanggan baru bulan Januari.", 900, 14, 9, 3, delimiter=";"
)
PROMO = List("Melati", "Melati Promo", "Ikut promo akhir tahun.", 360, 4, 2)
KENANGA = List("Kenanga", "Kenanga Aktif", "Deposit dalam 90 hari terakhir.", 640, 8, 5, 1)
MAWAR = List("Mawar", "Mawar Februari", "Daftar dari tim pemasaran.", 480, 6)
OLD = List("Mawar", "Mawar 2024", "Sudah selesai dikerjakan.", 180, 2)
UNCHECKED = List("Kenanga", "Kenanga Maret", "", 240, 7, 4, 2, delimiter=";")

R, A = Assignment.Reach, Assignment.Response


class DemoFailed(Exception):
    """A list of the demo was not imported: something is wrong with the code or the machine."""


def real_users() -> int:
    """Count the people who are not of the demo."""
    count: int = User.objects.exclude(email__in=PEOPLE).count()
    return count


def is_complete() -> bool:
    """Say whether the demo is here, and whole."""
    account = User.objects.filter(email=STAFF[0]).first()
    return account is not None and account.has_usable_password()


def is_wanted() -> bool:
    """Say whether this is an empty database, or one where loading the demo was interrupted."""
    return not real_users() and not is_complete()


def load() -> None:
    """Bring in whatever of the demo is not there yet."""
    people = _people()
    for wanted in (MELATI, PROMO, KENANGA, MAWAR, OLD):
        if not Database.objects.filter(name=wanted.name).exists():
            _import(wanted, by=people[ADMIN[0]])
    if not Import.objects.filter(name=UNCHECKED.name).exists():
        _upload(UNCHECKED, by=people[ADMIN[0]])
    if not RecordRequest.objects.exists():
        _work(people)
    _open(people)


@transaction.atomic
def _people() -> dict[str, User]:
    for email, (name, role) in PEOPLE.items():
        if not User.objects.filter(email=email).exists():
            person = User.objects.create_user(email=email, name=name, role=role, password=None)
            activity.write(by=None, kind="user.created", subject=person, email=email, role=role)
    people = {person.email: person for person in User.objects.filter(email__in=PEOPLE)}
    for name in PRODUCTS:
        if not Product.objects.filter(name=name).exists():
            create_product(name=name, by=people[ADMIN[0]])
    return people


@transaction.atomic
def _open(people: dict[str, User]) -> None:
    """Let the two in with the passwords that everybody knows, the others with ones nobody knows."""
    known = dict((ADMIN, STAFF))
    for person in people.values():
        person.set_password(known.get(person.email) or get_random_string(32))
        person.save(update_fields=["password"])


def _upload(wanted: List, *, by: User) -> Import:
    """Upload a list and read it, as the worker would."""
    file = SimpleUploadedFile(wanted.filename, csv_file(wanted), content_type="text/csv")
    source = start_import(
        received=receive_file(upload=file, by=by),
        product=Product.objects.get(name=wanted.product),
        name=wanted.name,
        description=wanted.description,
        token=uuid.uuid4(),
        by=by,
    )
    read_file(import_id=source.pk, attempt=source.attempt)
    source.refresh_from_db()
    if source.state != Import.State.WAITING:
        raise DemoFailed(f"{wanted.filename} could not be read: {source.state} {source.problem}")
    return source


def _import(wanted: List, *, by: User) -> None:
    source = _upload(wanted, by=by)
    roles = [column["role"] for column in source.reading["columns"]]
    source = confirm_import(import_id=source.pk, attempt=source.attempt, roles=roles, by=by)
    run_import(import_id=source.pk, attempt=source.attempt)
    source.refresh_from_db()
    if source.state != Import.State.DONE:
        raise DemoFailed(f"{wanted.filename} was not imported: {source.state} {source.problem}")


@transaction.atomic
def _work(people: dict[str, User]) -> None:
    """Some weeks of work in one go: batches worked on, requests decided and waiting."""
    admin, dimas = people[ADMIN[0]], people[STAFF[0]]
    sari, bayu, tika = (people[f"{name}@crm.com"] for name in ("sari", "bayu", "tika"))
    _batch(OLD, 60, staff=dimas, admin=admin, done=1.0)
    _batch(OLD, 40, staff=bayu, admin=admin, done=0.9)
    _batch(MELATI, 120, staff=dimas, admin=admin, done=0.6)
    _batch(MELATI, 150, staff=bayu, admin=admin, done=0.35)
    _batch(KENANGA, 80, staff=dimas, admin=admin, done=0.15)
    _batch(MAWAR, 100, staff=sari, admin=admin, done=0.5, asked=150)
    archive_database(database_id=_database(OLD).pk, by=admin)

    refused = _ask(KENANGA, 300, staff=sari)
    reason = "Selesaikan dulu batch Mawar Februari."
    reject_request(request_id=refused.pk, by=admin, reason=reason)
    cancel_request(request_id=_ask(PROMO, 20, staff=tika).pk, by=tika)
    _ask(PROMO, 100, staff=dimas, note="Untuk akhir pekan.")
    _ask(MELATI, 50, staff=sari)
    _ask(KENANGA, 75, staff=tika, note="Batch pertama saya.")


def _database(of: List) -> Database:
    return Database.objects.get(name=of.name)


def _ask(of: List, quantity: int, *, staff: User, note: str = "") -> RecordRequest:
    return request_records(database_id=_database(of).pk, quantity=quantity, by=staff, note=note)


def _batch(
    of: List, records: int, *, staff: User, admin: User, done: float, asked: int | None = None
) -> None:
    """Hand a batch out and mark a share (`done`) of its customers, from the top."""
    request = _ask(of, asked or records, staff=staff)
    approve_request(request_id=request.pk, by=admin, quantity=records)
    rng = random.Random(f"{of.name} {staff.name}")  # noqa: S311 - invented marks, not secrets
    batch = Assignment.objects.filter(request=request).order_by("record_id")
    for assignment_id in batch.values_list("pk", flat=True)[: round(records * done)]:
        reach = rng.choices([R.ADA, R.CEKLIS1, R.TIDAK], [55, 20, 25])[0]
        mark_reach(assignment_id=assignment_id, reach=reach, by=staff)
        response = rng.choices([A.YA, A.TIDAK, None], [40, 35, 25])[0]
        if reach == R.ADA and response is not None:
            mark_response(assignment_id=assignment_id, response=response, by=staff)
