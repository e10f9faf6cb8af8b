"""The locks of a hand-out, taken in the order that `databases.locks` gives.

staff -> product -> request -> pool -> assignment, ids ascending. Everything that decides about
records takes the product's lock first, so that archiving a database (which takes it exclusively)
meets no half-made decision.
"""

from __future__ import annotations

from accounts.models import User
from assignments.errors import StaffInactive
from assignments.models import RecordRequest
from databases.locks import lock_product
from databases.models import Database


def lock_database(database_id: int, *, exclusive: bool) -> Database:
    """Take the lock of the database's product and give the database as it is under that lock.

    Raises Database.DoesNotExist. A database that was given another product between looking and
    locking is looked at again.
    """
    database = Database.objects.get(pk=database_id)
    while True:
        product_id = database.product_id
        lock_product(product_id, exclusive=exclusive)
        database = Database.objects.select_related("product").get(pk=database_id)
        if database.product_id == product_id:
            return database


def lock_request(request_id: int) -> RecordRequest:
    """Lock a request for a decision, its product before it; give it as it is under the lock.

    Raises RecordRequest.DoesNotExist.
    """
    database_id = RecordRequest.objects.values_list("database_id", flat=True).get(pk=request_id)
    database = lock_database(database_id, exclusive=False)
    # Without joins: after a wait only the locked row is read again, what was joined to it is not.
    request = RecordRequest.objects.select_for_update().get(pk=request_id)
    request.database = database
    return request


def lock_person(person_id: int) -> User:
    """Lock a person who gives or receives records: until the end nobody can deactivate them."""
    # no_key: a foreign key to this person must not wait for us, only a change of the person.
    person: User = User.objects.select_for_update(no_key=True).get(pk=person_id)
    return person


def ensure_works(person: User) -> None:
    """Raise StaffInactive when this person can receive no records."""
    if not person.is_active or person.role != User.Role.STAFF:
        raise StaffInactive(person.name)
