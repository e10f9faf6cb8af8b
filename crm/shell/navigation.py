"""What stands around every page: the layout of the reader's role, its navigation, their theme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.middleware import written_every
from accounts.models import User
from assignments.models import RecordRequest

BRAND = "Kontak CRM"


@dataclass(frozen=True, slots=True)
class Item:
    """One entry: where it leads, and how many wait there for the reader."""

    label: str
    icon: str
    url: str
    is_current: bool
    key: str = ""  # names its counter, where it has one
    waiting: int = 0
    go: str = ""  # the key that leads there after `g`


@dataclass(frozen=True, slots=True)
class Group:
    """Some entries of the sidebar under one heading."""

    label: str
    items: Sequence[Item]


class Navigation:
    """The reader's navigation. Nothing is counted before a template draws it: fragments do not."""

    def __init__(self, request: HttpRequest) -> None:
        match = getattr(request, "resolver_match", None)
        self._here = {match.view_name, *match.namespaces} if match else set()
        if "database" in self._here:  # the pages of one database belong to the list of all
            self._here.add("databases")

    def _item(
        self, label: str, icon: str, name: str, *, key: str = "", waiting: int = 0, go: str = ""
    ) -> Item:
        namespace, _colon, view = name.rpartition(":")
        return Item(label, icon, reverse(name), (namespace or view) in self._here, key, waiting, go)

    @cached_property
    def groups(self) -> list[Group]:
        """The sidebar of an admin."""
        pending = RecordRequest.objects.pending().count()
        return [
            Group(
                _("Work"),
                [
                    self._item(_("Databases"), "database", "databases:list", go="d"),
                    self._item(
                        _("Requests"),
                        "inbox",
                        "manage_requests:queue",
                        key="requests",
                        waiting=pending,
                        go="r",
                    ),
                ],
            ),
            Group(_("Insight"), [self._item(_("Activity"), "history", "activity")]),
            Group(
                _("Settings"),
                [
                    self._item(_("Products"), "package", "products:list"),
                    self._item(_("Templates"), "message-square-text", "templates:list"),
                    self._item(_("People"), "users", "people:list"),
                    self._item(_("Data fixes"), "wrench", "admin:index"),
                ],
            ),
        ]

    @cached_property
    def tabs(self) -> list[Item]:
        """The tabs of a staff member."""
        return [
            self._item(_("Batch"), "layers", "batches:list"),
            self._item(pgettext("tab", "Request"), "inbox", "requests:mine", go="r"),
            self._item(pgettext("tab", "More"), "menu", "more"),
        ]


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Give every template its layout, navigation, brand and theme; costs no query by itself."""
    user = getattr(request, "user", None)
    member = user if isinstance(user, User) else None
    theme = member.theme if member else request.COOKIES.get("theme", "")
    return {
        "brand": BRAND,
        "layout": _layout(member),
        "nav": Navigation(request),
        "session_seconds": settings.SESSION_IDLE_SECONDS - written_every(),  # what is sure
        "theme": theme if theme in User.Theme.values else User.Theme.SYSTEM.value,
        "LANGUAGE_CODE": getattr(request, "LANGUAGE_CODE", "en"),
    }


def _layout(member: User | None) -> str:
    if member is None:
        return "layouts/public.html"
    return "layouts/manage.html" if member.is_admin else "layouts/staff.html"
