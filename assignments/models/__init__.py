"""Who was given which records, and what became of them."""

from assignments.models.holdings import Assignment
from assignments.models.requests import RecordRequest
from assignments.models.totals import BatchStat, StaffDay

__all__ = ["Assignment", "BatchStat", "RecordRequest", "StaffDay"]
