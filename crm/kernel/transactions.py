"""Transactions that try again when the database had to pick a victim."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction
from psycopg import errors

from crm.kernel.errors import Busy

P = ParamSpec("P")
R = TypeVar("R")

_PASSING = (errors.DeadlockDetected, errors.SerializationFailure)
_TRIES = 6


def atomic_with_retry(service: Callable[P, R]) -> Callable[P, R]:
    """Run `service` in a transaction; on a deadlock or serialization failure run it all again.

    Raises Busy, with nothing saved, when a lock does not come free within the database's limit.

    Inside another transaction it only joins it: trying again is for the outermost one, because
    PostgreSQL has already undone everything.
    """

    @functools.wraps(service)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            return service(*args, **kwargs)
        for attempt in range(_TRIES):
            try:
                with transaction.atomic():
                    return service(*args, **kwargs)
            except OperationalError as error:
                if isinstance(error.__cause__, errors.LockNotAvailable):
                    raise Busy from error
                if not isinstance(error.__cause__, _PASSING) or attempt == _TRIES - 1:
                    raise
                # Two victims that wait equally long would meet again.
                time.sleep(random.uniform(0.005, 0.05) * 2**attempt)  # noqa: S311 -- not a secret
        raise AssertionError("unreachable")

    return run
