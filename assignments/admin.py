"""Requests, assignments and their totals in the Django admin: to look things up.

Who has a record, and what was decided, changes only through the services: under their locks, with
a line in the book of acts. Marks are set on the staff's screen, totals are kept by triggers. No
page counts millions of rows or offers them in a select.
"""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.admin import ReadOnlyAdmin, register_events
from assignments.models import Assignment, BatchStat, RecordRequest, StaffDay


@admin.register(RecordRequest)
class RecordRequestAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "status",
        "kind",
        "staff",
        "database",
        "quantity",
        "granted",
        "decided_by",
    )
    list_filter = ("status", "kind")
    list_select_related = ("staff", "database", "decided_by")
    search_fields = ("=id", "staff__name", "database__name")


@admin.register(Assignment)
class AssignmentAdmin(ReadOnlyAdmin):
    shows_customers = True
    # By number: the record of a released one may be deleted with its database.
    list_display = ("id", "state", "staff", "database", "record_id", "reach", "response")
    list_select_related = ("staff", "database")
    # Exact ones have an index; anything looser would read millions of rows.
    search_fields = ("record__phone__exact", "record__username_key__exact")
    search_help_text = _("Phone (62812…) or username, in full")


@admin.register(BatchStat)
class BatchStatAdmin(ReadOnlyAdmin):
    list_display = ("id", "staff", "database", "request", "records", "ada", "ceklis1", "tidak")
    list_select_related = ("staff", "database", "request")
    search_fields = ("staff__name", "database__name")


@admin.register(StaffDay)
class StaffDayAdmin(ReadOnlyAdmin):
    list_display = ("day", "staff", "database", "assigned", "ada", "ceklis1", "tidak")
    list_select_related = ("staff", "database")
    search_fields = ("staff__name", "database__name")


register_events("assignments")
