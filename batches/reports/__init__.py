"""What a staff's work screen shows: their batches, the customers of one, the changes of a mark."""

from batches.reports.batches import Batch, batch_of, find_batch, my_batches
from batches.reports.customers import (
    CustomerPage,
    changes_of,
    customers_of,
    find_customer,
    segment,
)
from batches.reports.looks import SHOWS

__all__ = [
    "SHOWS",
    "Batch",
    "CustomerPage",
    "batch_of",
    "changes_of",
    "customers_of",
    "find_batch",
    "find_customer",
    "my_batches",
    "segment",
]
