"""The book of acts in words: one sentence for each kind of act, read after the name of who did it.

`%(thing)s` is the subject, as a link where it has a page; other names are details of the line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Activity, User
from crm.kernel.templatetags.formats import thousands

Text = str | Promise


@dataclass(frozen=True, slots=True)
class Sentence:
    """How one kind of act is told."""

    group: str
    icon: str
    text: Text


GROUPS: dict[str, Text] = {
    "signin": gettext_lazy("Signing in and refusals"),
    "people": gettext_lazy("People and products"),
    "databases": gettext_lazy("Databases and imports"),
    "requests": gettext_lazy("Requests and records"),
    "exports": gettext_lazy("Exports"),
    "shown": gettext_lazy("Customers shown"),
    "fixes": gettext_lazy("Data fixes"),
}

_t = gettext_lazy
SENTENCES: dict[str, Sentence] = {
    "signin.ok": Sentence("signin", "log-in", _t("signed in")),
    "signin.failed": Sentence("signin", "circle-alert", _t("could not sign in as %(thing)s")),
    "signin.throttled": Sentence(
        "signin", "shield-alert", _t("was stopped after too many wrong passwords for %(thing)s")
    ),
    "password.failed": Sentence("signin", "circle-alert", _t("typed a wrong current password")),
    "password.throttled": Sentence(
        "signin", "shield-alert", _t("was stopped after too many wrong current passwords")
    ),
    "signout": Sentence("signin", "log-out", _t("signed out")),
    "access.denied": Sentence("signin", "shield-alert", _t("was refused the page %(thing)s")),
    "user.created": Sentence("people", "user-plus", _t("let %(thing)s in")),
    "person.created": Sentence("people", "user-plus", _t("made %(thing)s the first admin")),
    "user.changed": Sentence("people", "user-pen", _t("changed %(thing)s")),
    "user.password_reset": Sentence("people", "key-round", _t("gave %(thing)s a new password")),
    "user.password_changed": Sentence("people", "key-round", _t("chose a new password")),
    "user.deactivated": Sentence("people", "user-x", _t("deactivated %(thing)s")),
    "user.reactivated": Sentence("people", "user-check", _t("let %(thing)s sign in again")),
    "user.deleted": Sentence("people", "user-minus", _t("deleted the account of %(thing)s")),
    "profile.changed": Sentence("people", "user-pen", _t("changed their profile")),
    "product.created": Sentence("people", "package-plus", _t("created the product %(thing)s")),
    "product.renamed": Sentence("people", "package", _t("renamed the product %(thing)s")),
    "product.archived": Sentence("people", "archive", _t("archived the product %(thing)s")),
    "product.unarchived": Sentence(
        "people", "archive-restore", _t("brought back the product %(thing)s")
    ),
    "product.deleted": Sentence("people", "package-x", _t("deleted the product %(thing)s")),
    "template.created": Sentence(
        "people", "message-square-plus", _t("wrote the message %(thing)s for %(product)s")
    ),
    "template.edited": Sentence(
        "people", "message-square-text", _t("changed the message %(thing)s for %(product)s")
    ),
    "template.moved": Sentence(
        "people", "arrow-up-down", _t("moved the message %(thing)s of %(product)s")
    ),
    "template.archived": Sentence(
        "people", "archive", _t("archived the message %(thing)s of %(product)s")
    ),
    "template.restored": Sentence(
        "people", "archive-restore", _t("brought back the message %(thing)s of %(product)s")
    ),
    "upload.received": Sentence("databases", "upload", _t("uploaded %(thing)s")),
    "upload.refused": Sentence(
        "databases", "file-x", _t("uploaded %(thing)s, which could not be read")
    ),
    "import.read_again": Sentence(
        "databases", "refresh-cw", _t("had %(thing)s read again with other settings")
    ),
    "import.confirmed": Sentence("databases", "check", _t("started the import of %(thing)s")),
    "import.retried": Sentence(
        "databases", "refresh-cw", _t("tried the import of %(thing)s again")
    ),
    "import.cancelled": Sentence("databases", "x", _t("cancelled the import of %(thing)s")),
    "import.finished": Sentence(
        "databases",
        "database",
        _t(
            "imported %(thing)s: %(ready)s ready, %(attention)s need attention, "
            "%(duplicate)s skipped as duplicates, %(blank)s blank"
        ),
    ),
    "import.failed": Sentence("databases", "file-x", _t("saw the import of %(thing)s fail")),
    "database.edited": Sentence("databases", "pencil", _t("edited the database %(thing)s")),
    "database.columns_begun": Sentence(
        "databases", "columns-3", _t("chose other columns for who is who in %(thing)s")
    ),
    "database.columns_changed": Sentence(
        "databases",
        "columns-3",
        _t("changed the columns of %(thing)s: %(ready)s ready now, %(attention)s need attention"),
    ),
    "database.columns_failed": Sentence(
        "databases", "triangle-alert", _t("saw the change of the columns of %(thing)s fail")
    ),
    "database.columns_left": Sentence(
        "databases", "columns-3", _t("left the columns of %(thing)s as they were")
    ),
    "database.change_retried": Sentence(
        "databases", "refresh-cw", _t("tried the change of %(thing)s again")
    ),
    "database.archived": Sentence(
        "databases",
        "archive",
        _t("archived the database %(thing)s; requests rejected: %(requests_rejected)s"),
    ),
    "database.unarchived": Sentence(
        "databases", "archive-restore", _t("brought back the database %(thing)s")
    ),
    "database.deleted": Sentence(
        "databases",
        "trash-2",
        _t(
            "deleted the database %(thing)s with %(records)s records; "
            "requests rejected: %(requests_rejected)s"
        ),
    ),
    "import.undone": Sentence(
        "databases",
        "undo-2",
        _t(
            "undid the import of %(thing)s with %(records)s records; "
            "requests rejected: %(requests_rejected)s"
        ),
    ),
    "request.asked": Sentence(
        "requests", "inbox", _t("asked for %(records)s records of %(thing)s")
    ),
    "request.approved": Sentence(
        "requests", "check", _t("approved %(records)s records of %(thing)s for %(staff)s")
    ),
    "request.rejected": Sentence(
        "requests", "x", _t("rejected %(staff)s’s request for %(records)s records of %(thing)s")
    ),
    "request.cancelled": Sentence(
        "requests", "undo-2", _t("cancelled their request for %(records)s records of %(thing)s")
    ),
    "batch.renamed": Sentence("requests", "pencil", _t("gave the batch %(thing)s another title")),
    "customers.marked": Sentence(
        "requests", "list-checks", _t("marked %(records)s customers of %(thing)s at once")
    ),
    "records.recalled": Sentence(
        "requests", "undo-2", _t("took back %(records)s records of %(thing)s")
    ),
    "records.handed_over": Sentence(
        "requests", "arrow-right-left", _t("handed %(records)s records of %(thing)s to %(to)s")
    ),
    "record.repaired": Sentence(
        "databases", "wrench", _t("repaired row %(row)s of the database %(thing)s")
    ),
    "record.skipped": Sentence(
        "databases",
        "copy",
        _t("skipped row %(row)s of the database %(thing)s as a duplicate of row %(same_as)s"),
    ),
    "import.corrected": Sentence(
        "databases",
        "file-check",
        _t("corrected the database %(thing)s from a file: %(ready)s of %(rows)s rows are ready"),
    ),
    "rows.shown": Sentence("shown", "eye", _t("saw %(rows)s rows of the file %(thing)s")),
    "totals.rebuilt": Sentence("fixes", "wrench", _t("rebuilt %(rows)s totals")),
    "customers.shown": Sentence(
        "shown", "eye", _t("saw %(records)s customers of the batch %(thing)s")
    ),
    "customers.found": Sentence(
        "shown", "search", _t("saw %(records)s of their customers in a search")
    ),
    "records.shown": Sentence(
        "shown", "eye", _t("saw %(records)s customers of the database %(thing)s")
    ),
    "admin.shown": Sentence("shown", "eye", _t("saw %(records)s customers in the data fixes")),
    "export.not_ready": Sentence(
        "exports", "download", _t("downloaded the rows of %(thing)s that were not ready")
    ),
    "export.original": Sentence(
        "exports", "download", _t("downloaded the original file of %(thing)s")
    ),
    "admin.added": Sentence("fixes", "wrench", _t("added %(thing)s in the data fixes")),
    "admin.changed": Sentence("fixes", "wrench", _t("changed %(thing)s in the data fixes")),
    "admin.deleted": Sentence("fixes", "wrench", _t("deleted %(thing)s in the data fixes")),
}

FIELDS: dict[str, Text] = {
    "name": _t("name"),
    "email": _t("e-mail"),
    "role": _t("role"),
    "language": _t("language"),
    "theme": _t("theme"),
}
# Where a thing has its page.
PAGES = {
    "accounts.user": "people:edit",
    "databases.product": "products:rename",
    "batches.messagetemplate": "templates:edit",
    "databases.database": "database:detail",
    "databases.import": "databases:check",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One act as the page shows it."""

    act: Activity
    icon: str
    who: str
    before: str
    thing: str
    url: str
    after: str
    changes: list[tuple[str, str, str]]


def tell(act: Activity) -> Line:
    """Put one act into words; a kind without a sentence is shown by its name."""
    sentence = SENTENCES.get(act.kind) or Sentence("", "circle", act.kind.replace("%", "%%"))
    before, _mark, after = str(sentence.text).partition("%(thing)s")
    values = _Values(act.details)
    has_thing = bool(_mark)
    return Line(
        act=act,
        icon=sentence.icon,
        who=act.actor.name if act.actor else _nobody(act),
        before=before % values,
        thing=(act.label or "–") if has_thing else "",
        url=_url(act) if has_thing else "",
        after=after % values,
        changes=_changes(act),
    )


def _nobody(act: Activity) -> str:
    return _("Somebody") if act.kind.startswith(("signin.", "access.")) else _("The system")


def _url(act: Activity) -> str:
    page = PAGES.get(act.subject_type)
    if page is None or act.subject_id is None or act.kind.endswith(".deleted"):
        return ""
    try:
        return reverse(page, args=[act.subject_id])
    except NoReverseMatch:
        return ""


def _changes(act: Activity) -> list[tuple[str, str, str]]:
    changes = act.details.get("changes")
    if not isinstance(changes, Mapping):
        return []
    return [
        (str(FIELDS.get(field, field)), _shown(field, old), _shown(field, new))
        for field, (old, new) in changes.items()
    ]


def _shown(field: str, value: Any) -> str:
    if field == "role":
        return str(dict(User.Role.choices).get(value, value))
    if field == "theme":
        return str(dict(User.Theme.choices).get(value, value))
    if field == "language" and value:
        return str(dict(settings.LANGUAGES).get(value, value))
    return str(value) or "–"


class _Values(dict[str, Any]):
    """The details of a line as words: lists count, numbers have thousands, what lacks is a dash."""

    def __missing__(self, key: str) -> str:
        return "–"

    def __getitem__(self, key: str) -> str:
        value = super().__getitem__(key) if key in self else self.__missing__(key)
        if isinstance(value, list):
            value = len(value)
        return thousands(value) if isinstance(value, int) else str(value)
