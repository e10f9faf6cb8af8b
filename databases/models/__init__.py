"""What a company holds: products, databases, the records in them, and uploads on their way."""

from databases.models.catalog import Database, Product, Program, Role
from databases.models.changes import DatabaseChange
from databases.models.imports import ColumnMapping, Import, ReceivedFile, SkippedRow
from databases.models.repairs import RepairedRow
from databases.models.shelf import DatabaseStat, Pool, Record

__all__ = [
    "ColumnMapping",
    "Database",
    "DatabaseChange",
    "DatabaseStat",
    "Import",
    "Pool",
    "Product",
    "Program",
    "ReceivedFile",
    "Record",
    "RepairedRow",
    "Role",
    "SkippedRow",
]
