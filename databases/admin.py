"""Data fixes on products and databases; what triggers and imports write is there to be read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin import ReadOnlyAdmin, RecordedAdmin, register_events
from databases.models import (
    ColumnMapping,
    Database,
    DatabaseChange,
    DatabaseStat,
    Import,
    Pool,
    Product,
    ReceivedFile,
    Record,
    RepairedRow,
    SkippedRow,
)


@admin.register(Product)
class ProductAdmin(RecordedAdmin):
    list_display = ("pk", "name", "archived_at", "created_at")
    search_fields = ("name",)
    fields = ("name", "archived_at")

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:  # noqa: FBT001
        obj.version += 1
        super().save_model(request, obj, form, change)


@admin.register(Database)
class DatabaseAdmin(RecordedAdmin):
    """Archiving and deleting are not here: they also decide the requests that wait."""

    list_display = ("pk", "name", "product", "program", "uploaded_by", "created_at", "deleted_at")
    list_select_related = ("product", "uploaded_by")
    list_filter = ("program",)
    search_fields = ("name",)
    autocomplete_fields = ("product",)
    fields = (
        "name",
        "product",
        "description",
        "columns",
        "roles",
        "program",
        "archived_at",
        "deleted_at",
    )
    readonly_fields = ("columns", "roles", "program", "archived_at", "deleted_at")

    def has_change_permission(self, request: HttpRequest, obj: Database | None = None) -> bool:
        return (obj is None or obj.deleted_at is None) and super().has_change_permission(
            request, obj
        )

    def save_model(self, request: HttpRequest, obj: Database, form: Any, change: bool) -> None:  # noqa: FBT001
        obj.version += 1
        super().save_model(request, obj, form, change)


@admin.register(Record)
class RecordAdmin(ReadOnlyAdmin):
    shows_customers = True
    list_display = ("pk", "database_id", "row_number", "username", "name", "phone", "attention")
    # Exact ones have an index; parts of words would read millions of rows.
    search_fields = ("phone__exact", "username_key__exact")
    search_help_text = _("Phone (62812…) or username, in full")


@admin.register(Pool)
class PoolAdmin(ReadOnlyAdmin):
    shows_customers = True
    list_display = ("pk", "database_id", "shuffle", "phone")


@admin.register(DatabaseStat)
class DatabaseStatAdmin(ReadOnlyAdmin):
    list_display = ("pk", "database", "total", "attention", "available", "requested", "assigned")
    list_select_related = ("database",)


@admin.register(DatabaseChange)
class DatabaseChangeAdmin(ReadOnlyAdmin):
    list_display = ("pk", "database", "kind", "state", "attempt", "rows_done", "created_by")
    list_select_related = ("database", "created_by")
    list_filter = ("kind", "state")


@admin.register(ColumnMapping)
class ColumnMappingAdmin(ReadOnlyAdmin):
    list_display = ("fingerprint", "roles", "used_at", "used_by")
    list_select_related = ("used_by",)
    ordering = ("-used_at",)


@admin.register(Import)
class ImportAdmin(ReadOnlyAdmin):
    list_display = (
        "pk",
        "name",
        "product",
        "state",
        "corrects_id",
        "attempt",
        "rows_total",
        "uploaded_at",
    )
    list_select_related = ("product",)
    list_filter = ("state",)
    search_fields = ("sha256__exact", "name")
    exclude = ("file", "reading")


@admin.register(SkippedRow)
class SkippedRowAdmin(ReadOnlyAdmin):
    shows_customers = True
    list_display = ("pk", "source_id", "row_number", "reason", "same_as")


@admin.register(RepairedRow)
class RepairedRowAdmin(ReadOnlyAdmin):
    shows_customers = True
    list_display = ("pk", "database_id", "row_number", "was", "became", "by", "at")
    list_select_related = ("by",)


@admin.register(ReceivedFile)
class ReceivedFileAdmin(ReadOnlyAdmin):
    list_display = ("pk", "original_name", "size", "arrived", "received_by", "received_at")
    list_select_related = ("received_by",)
    ordering = ("-received_at",)
    exclude = ("file",)


register_events("databases")
