"""What a staff's work screen shows: their batches, the customers of one, what happened to each."""

from batches.reports.attempts import tries_of
from batches.reports.batches import Batch, batch_of, find_batch, my_batches
from batches.reports.customers import (
    CustomerPage,
    are_of,
    customers_of,
    find_customer,
    overwritten,
    segment,
    shown,
)
from batches.reports.history import changes_of
from batches.reports.looks import MARKS, SHOWS

__all__ = [
    "MARKS",
    "SHOWS",
    "Batch",
    "CustomerPage",
    "are_of",
    "batch_of",
    "changes_of",
    "customers_of",
    "find_batch",
    "find_customer",
    "my_batches",
    "overwritten",
    "segment",
    "shown",
    "tries_of",
]
