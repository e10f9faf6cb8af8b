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


class SomeNotYours(DomainError):
    """Some of the chosen customers are not in one's hands (any more): nothing was marked."""

    def __init__(self, customers: int) -> None:
        self.customers = customers
        super().__init__(
            ngettext(
                "%(count)s of these customers is no longer yours. Nothing was marked: "
                "reload the page and choose again.",
                "%(count)s of these customers are no longer yours. Nothing was marked: "
                "reload the page and choose again.",
                customers,
            )
            % {"count": thousands(customers)}
        )


class MarkedSince(DomainError):
    """Nothing is left of what was to be undone."""

    def __init__(self) -> None:
        super().__init__(
            _("There is nothing to undo: it was marked again since, or is no longer yours.")
        )


class NoteChanged(DomainError):
    """Somebody saved another note since; `note` and `version` are what stands."""

    def __init__(self, *, note: str, version: int) -> None:
        self.note, self.version = note, version
        super().__init__(_("Another note was saved since you opened this one."))


class RepairedBefore(DomainError):
    """Somebody repaired or skipped the row since the page was opened."""

    def __init__(self, *, row: int, became: str, by: str) -> None:
        super().__init__(
            _("Row %(row)s needs no attention any more. It is now: %(became)s (%(name)s).")
            % {"row": row, "became": became, "name": by}
            if by
            else _("Row %(row)s needs no attention any more.") % {"row": row}
        )


class StillNotUsable(DomainError):
    """What was typed does not make the row ready; `reason` says why, as at the import."""

    status = 422

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(message)


class CustomerIsThere(DomainError):
    """Another row of the database is this customer already; `same_as` is its number."""

    def __init__(self, *, reason: str, same_as: int) -> None:
        self.reason, self.same_as = reason, same_as
        super().__init__(
            _("Row %(row)s has this number already.") % {"row": same_as}
            if reason == "duplicate_phone"
            else _("Row %(row)s has this username already.") % {"row": same_as}
        )


class CannotSkip(DomainError):
    """A row stays, because somebody has or had it, or it is no duplicate (any more)."""

    def __init__(self, *, held: bool) -> None:
        super().__init__(
            _("Somebody has worked on this row, so it stays. Give it the right number instead.")
            if held
            else _("No other row is this customer any more. Save the row instead.")
        )


class StillInHands(DomainError):
    """Records of the database are assigned: they are taken back first."""

    def __init__(self, records: int) -> None:
        self.records = records
        super().__init__(
            ngettext(
                "%(count)s record is in the hands of staff. Take it back first.",
                "%(count)s records are in the hands of staff. Take them back first.",
                records,
            )
            % {"count": thousands(records)}
        )


class WorkedOn(DomainError):
    """Records of the import were handed out before: what was done with them is history."""

    def __init__(self, records: int) -> None:
        super().__init__(
            ngettext(
                "%(count)s record of this import was handed out already, so it cannot be undone. "
                "Archive or delete the database instead.",
                "%(count)s records of this import were handed out already, so it cannot be undone. "
                "Archive or delete the database instead.",
                records,
            )
            % {"count": thousands(records)}
        )


class NothingToUndo(DomainError):
    """The import brought no database, or that database is gone already."""

    def __init__(self) -> None:
        super().__init__(_("There is nothing to undo: the records of this import are gone."))


class NothingToRetry(DomainError):
    """The last change of the database is done, or somebody else tried it again first."""

    def __init__(self) -> None:
        super().__init__(_("There is nothing to try again: the last change is done."))
