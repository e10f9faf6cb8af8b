"""What a company holds: products, databases, the records in them, and uploads on their way."""

from databases.models.catalog import Database, Product, Program, Role
from databases.models.imports import Import, ReceivedFile, SkippedRow
from databases.models.shelf import DatabaseStat, Pool, Record

__all__ = [
    "Database",
    "DatabaseStat",
    "Import",
    "Pool",
    "Product",
    "Program",
    "ReceivedFile",
    "Record",
    "Role",
    "SkippedRow",
]
