"""Every address of the site and who it is for, written down by hand.

A new view needs one line here. The tests compare the list with the views' own marks, so that
neither can change without the other; `OWNED` are those whose thing belongs to one staff member.
"""

from __future__ import annotations

from accounts.access import Audience

WHO: dict[Audience, set[str]] = {
    Audience.PUBLIC: {
        "livez",
        "healthz",
        "accounts:signin",
        "accounts:set_language",
        "accounts:set_theme",
    },
    Audience.MEMBERS: {
        "home",
        "accounts:signout",
        "accounts:stay",
        "accounts:profile",
        "accounts:change_password",
    },
    Audience.STAFF: {
        "more",
        "batches:list",
        "batches:detail",
        "batches:mark_reach",
        "batches:mark_response",
        "batches:history",
        "requests:mine",
        "requests:ask",
        "requests:cancel",
    },
    Audience.ADMIN: {
        "activity",
        "databases:list",
        "databases:upload",
        "databases:detail",
        "databases:edit",
        "databases:check",
        "databases:read_again",
        "databases:confirm_import",
        "databases:import_progress",
        "databases:cancel_import",
        "databases:retry_import",
        "databases:import_report",
        "databases:not_ready_csv",
        "databases:original_file",
        "manage_requests:queue",
        "manage_requests:history",
        "manage_requests:bulk",
        "manage_requests:row",
        "manage_requests:approve",
        "manage_requests:reject",
        "database:archive",
        "database:unarchive",
        "people:list",
        "people:create",
        "people:edit",
        "people:reset_password",
        "people:deactivate",
        "people:reactivate",
        "people:delete",
        "products:list",
        "products:create",
        "products:rename",
        "products:archive",
        "products:unarchive",
        "products:delete",
    },
}
# The Django admin makes its own addresses: all of them, whatever is registered, are for admins.
DJANGO_ADMIN = "admin:"

OWNED = {
    "batches:detail",
    "batches:mark_reach",
    "batches:mark_response",
    "batches:history",
    "requests:cancel",
}

# Which thing of the test's world an address with a number means; the rest of its namespace.
THINGS = {
    "people": "person",
    "products": "product",
    "databases": "import",
    "databases:detail": "database",
    "databases:edit": "database",
    "manage_requests": "request",
    "database:archive": "database",
    "database:unarchive": "database",
    "requests:ask": "database",
    "requests:cancel": "request",
    "batches": "assignment",
    "batches:detail": "batch",
}
