"""The locks of a hand-out, taken in the order that `databases.locks` gives.

staff -> product -> request -> pool -> assignment, ids ascending. Everything that decides about
records takes the product's lock first, so that what takes it exclusively (archiving a database,
deleting it, having its columns read anew) meets no half-made decision.
"""

from __future__ import annotations

from accounts.models import User
from assignments.errors import StaffInactive
from assignments.models import RecordRequest
from databases.locks import (
    lock_database,
    lock_database_as_is,
    lock_databases,
    refuse_while_changed,
)

__all__ = ["ensure_works", "lock_database", "lock_databases", "lock_person", "lock_request"]


def lock_request(request_id: int) -> RecordRequest:
    """Lock a request for a decision, its product before it; give it as it is under the lock.

    Raises RecordRequest.DoesNotExist, and BeingChanged when it waits for a database whose records
    are all being changed. What was decided is given even when its database is deleted since.
    """
    database_id = RecordRequest.objects.values_list("database_id", flat=True).get(pk=request_id)
    database = lock_database_as_is(database_id, exclusive=False)
    # Without joins: after a wait only the locked row is read again, what was joined to it is not.
    request = RecordRequest.objects.select_for_update().get(pk=request_id)
    request.database = database
    if request.status == RecordRequest.Status.PENDING:
        refuse_while_changed(database)
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
