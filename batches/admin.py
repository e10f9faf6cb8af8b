"""How batches look, messages and contact attempts in the Django admin.

Titles and messages are mended here; who went after which customer is only read.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from accounts.admin import ReadOnlyAdmin, RecordedAdmin, register_events
from batches.models import BatchSetting, ContactAttempt, MessageTemplate


@admin.register(BatchSetting)
class BatchSettingAdmin(RecordedAdmin):
    list_display = ("pk", "staff", "database", "request", "title", "pinned_at")
    list_select_related = ("staff", "database", "request")
    search_fields = ("staff__name", "database__name", "title")
    fields = ("staff", "database", "request", "title", "pinned_at")
    readonly_fields = ("staff", "database", "request", "pinned_at")

    def save_model(self, request: HttpRequest, obj: BatchSetting, form: Any, change: bool) -> None:  # noqa: FBT001
        obj.title_version += 1
        super().save_model(request, obj, form, change)


@admin.register(MessageTemplate)
class MessageTemplateAdmin(RecordedAdmin):
    """New ones, and archiving, are on the page of messages: it checks what they fill in."""

    list_display = ("pk", "name", "product", "position", "archived_at", "created_by")
    list_select_related = ("product", "created_by")
    search_fields = ("name", "product__name")
    fields = ("product", "name", "body", "position", "archived_at")
    readonly_fields = ("product", "archived_at")

    def save_model(
        self,
        request: HttpRequest,
        obj: MessageTemplate,
        form: Any,
        change: bool,  # noqa: FBT001
    ) -> None:
        obj.version += 1
        super().save_model(request, obj, form, change)


@admin.register(ContactAttempt)
class ContactAttemptAdmin(ReadOnlyAdmin):
    list_display = ("pk", "at", "kind", "by", "assignment_id", "template_name")
    list_select_related = ("by",)
    list_filter = ("kind",)


register_events("batches")
