"""Data fixes on people, and what all pages of the Django admin share: speed, the book of acts."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode

from accounts import activity
from accounts.models import Activity, User
from crm.kernel.text import clean_text


class NoCountPaginator(Paginator):  # type: ignore[type-arg]  # of whatever the list shows
    """Counts no further than a person would page: a full count of a large table takes seconds."""

    ceiling = 10_000

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[: self.ceiling].count())


class RecordedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # of whatever model registers
    """A Django admin page that stays fast on millions of rows and writes what it does to the book.

    Rows are ordered by the primary key only, foreign keys are typed as numbers instead of chosen
    from a list of all, and nothing can be added or deleted unless a subclass says so: the pages
    of the CRM do that with their rules.
    """

    show_full_result_count = False
    paginator = NoCountPaginator
    list_per_page = 50
    ordering = ("-pk",)
    sortable_by = ()
    actions = None
    view_on_site = False
    shows_customers = False  # names and numbers: each look at them is a line of the book

    def __init__(self, model: type[models.Model], admin_site: admin.AdminSite) -> None:
        chosen = set(self.autocomplete_fields) | set(self.radio_fields)
        self.raw_id_fields = tuple(  # type: ignore[misc]  # of this page, not of all
            field.name
            for field in model._meta.get_fields()
            if isinstance(field, models.ForeignKey) and field.name not in chosen
        )
        super().__init__(model, admin_site)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        # Django cleans what is searched in a list, but not what is searched in a field.
        return super().get_search_results(request, queryset, clean_text(search_term))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changes = super().get_changelist_instance(request)
        self._note_shown(request, changes.result_list)
        return changes

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        found = super().get_object(request, *args, **kwargs)
        self._note_shown(request, [found] if found is not None else [])
        return found

    def _note_shown(self, request: HttpRequest, rows: Any) -> None:
        if self.shows_customers and rows:
            ids = [getattr(row, "record_id", row.pk) for row in rows]
            activity.write(by=_who(request), kind="admin.shown", label=self.opts.label, records=ids)

    # Django calls these inside the transaction of the change, so act and line stand together.
    def log_addition(self, request: HttpRequest, obj: models.Model, message: Any) -> None:  # type: ignore[override]
        activity.write(by=_who(request), kind="admin.added", subject=obj)

    def log_change(self, request: HttpRequest, obj: models.Model, message: Any) -> None:  # type: ignore[override]
        fields = [
            name
            for part in (message if isinstance(message, list) else [])
            for name in part.get("changed", {}).get("fields", [])
        ]
        activity.write(
            by=_who(request), kind="admin.changed", subject=obj, fields=[str(f) for f in fields]
        )

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:  # type: ignore[override]
        for obj in queryset:
            activity.write(by=_who(request), kind="admin.deleted", subject=obj)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Show the thing's lines in the book of acts: Django's own log stays empty."""
        thing = {"type": self.model._meta.label_lower, "id": object_id}
        return redirect(f"{reverse('activity')}?{urlencode(thing)}")


class ReadOnlyAdmin(RecordedAdmin):
    """For tables that only triggers or services write."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class EventAdmin(ReadOnlyAdmin):
    """What rows were before they were changed; triggers write it."""

    list_display = ("pk", "pgh_created_at", "pgh_obj_id", "pgh_label")


def register_events(app_label: str) -> None:
    """Show the history tables of an app's models, for reading."""
    for model in apps.get_app_config(app_label).get_models():
        if hasattr(model, "pgh_tracked_model"):
            admin.site.register(model, EventAdmin)


def _who(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


@admin.register(User)
class UserAdmin(RecordedAdmin):
    fields = ("email", "name", "role", "is_active", "language", "theme")
    list_display = ("pk", "name", "email", "role", "is_active", "created_at")
    list_filter = ("role", "is_active")
    search_fields = ("name", "email")
    # Shutting somebody out, or making them something else, settles what they hold first: the
    # People page knows that, and the rule of the last admin.
    readonly_fields = ("role", "is_active")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001 -- Django's signature
        obj.version += 1
        super().save_model(request, obj, form, change)


@admin.register(Activity)
class ActivityAdmin(ReadOnlyAdmin):
    list_display = ("pk", "at", "actor", "kind", "label", "address")
    list_select_related = ("actor",)
    search_fields = ("kind__exact",)  # it has an index, and the book is long


register_events("accounts")
