"""Refusals of handing out, each with a sentence for a person."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.kernel.errors import DomainError
from crm.kernel.templatetags.formats import thousands


class NotEnoughRecords(DomainError):
    """The shelf holds fewer eligible records than asked for; `available` says how many."""

    def __init__(self, available: int) -> None:
        self.available = available
        super().__init__(
            ngettext(
                "Only %(count)s record is available.",
                "Only %(count)s records are available.",
                available,
            )
            % {"count": thousands(available)}
            if available
            else _("No records are available in this database now.")
        )


class OverCap(DomainError):
    """The staff would have more pending than allowed; `room` says how many fit."""

    def __init__(self, *, cap: int, room: int) -> None:
        self.room = room
        super().__init__(
            _("You may have %(cap)s records waiting for approval at once; %(room)s more fit now.")
            % {"cap": thousands(cap), "room": thousands(room)}
        )


class QuantityOutOfRange(DomainError):
    """A number of records that cannot be given; `most` is the largest that can."""

    def __init__(self, most: int) -> None:
        self.most = most
        super().__init__(_("Give a number from 1 to %(most)s.") % {"most": thousands(most)})


class AlreadyProcessed(DomainError):
    """Somebody decided the request before: what they decided, and who it was."""

    def __init__(self, *, status: str, by: str) -> None:
        super().__init__(
            _("Already processed: %(status)s by %(name)s.")
            % {"status": status.lower(), "name": by or "–"}
        )


class DatabaseArchived(DomainError):
    """Nothing is handed out from an archived database."""

    def __init__(self) -> None:
        super().__init__(_("This database is archived. Choose another one."))


class ArchivedBefore(DomainError):
    """The database is already where it was to go."""

    def __init__(self, *, archived: bool) -> None:
        super().__init__(
            _("This database is archived already.")
            if archived
            else _("This database is not archived.")
        )


class GivenByAdminsOnly(DomainError):
    """Databases of the other programs are handed out without being asked for."""

    def __init__(self) -> None:
        super().__init__(_("Records of this database are handed out by an admin."))


class SameStaff(DomainError):
    """Nothing moves from somebody to themselves."""

    def __init__(self) -> None:
        super().__init__(_("Choose another person to hand over to."))


class StaffInactive(DomainError):
    """Nothing is given to somebody who cannot sign in."""

    def __init__(self, name: str) -> None:
        super().__init__(
            _("%(name)s is no longer active. Reject the request instead.") % {"name": name}
        )


class NotYoursAnyMore(DomainError):
    """The record was recalled or handed over since the page was opened."""

    def __init__(self) -> None:
        super().__init__(_("This customer is no longer yours. Reload the page."))
