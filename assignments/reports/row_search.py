"""Finding rows of one database without reading it whole.

Every page comes in the order of the file and costs a bounded number of rows. Matches that are many
are met soon when reading on from where the page begins; those that are few are looked up by their
ids. What lies between is read window by window, and a page that gets too expensive ends early and
says so.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import F, Func, Q, TextField, Value
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan

from crm.kernel.contact import read_phone
from crm.kernel.text import customer_key
from databases.models import Record
from databases.models.shelf import RecordQuerySet

# The rows read first, and the most that are read for one page.
WINDOW = 4_000
MOST_READ = 60_000
# Up to here matches are few: their ids are asked for and sorted.
FEW = 2_000
# A step of the scan of all cells starts small and becomes as large as this much time allows.
STEP, STEP_LEAST, STEP_MOST = 8_000, 1_000, 64_000
STEP_QUICK, STEP_SLOW = 0.15, 0.5  # seconds
NAME_LEAST = 3
_PHONE_LEAST = 7  # 62 and the first five digits
_DIGITS_LEAST = 4  # anywhere in a number, for the scan


@dataclass(frozen=True, slots=True)
class Found:
    """A page of rows; `next` is the row number after which the following one begins."""

    rows: list[Record]
    next: str
    is_first: bool
    # Where reading stopped before the page was full; 0 when nothing was left out.
    read_to: int = 0


def find(
    matching: RecordQuerySet,
    *,
    database_id: int,
    after: int,
    size: int,
    ids: Callable[[], list[int] | None],
) -> Found:
    """Give a page of the rows in `matching` (of one database) that follow row `after`.

    `ids` gives the ids of everything that can match if that is few, or None.
    """
    ordered = matching.order_by("row_number")
    rows = list(_window(ordered, after, WINDOW)[: size + 1])
    if len(rows) > size:
        return _page(rows, after, size)
    few = ids()
    if few is not None:
        rest = ordered.filter(pk__in=few, row_number__gt=after + WINDOW)
        return _page([*rows, *rest[: size + 1 - len(rows)]], after, size)
    last, at, window = last_row(database_id), after + WINDOW, WINDOW
    while len(rows) <= size and at < min(last, after + MOST_READ):
        window = min(window * 2, after + MOST_READ - at)
        rows += _window(ordered, at, window)[: size + 1 - len(rows)]
        at += window
    if len(rows) <= size and at < last:
        return Found(rows, str(at), after == 0, read_to=at)
    return _page(rows, after, size)


def follow(matching: RecordQuerySet, *, after: int, size: int) -> Found:
    """Give a page of rows that an index has in order already."""
    rows = list(matching.order_by("row_number").filter(row_number__gt=after)[: size + 1])
    return _page(rows, after, size)


def last_row(database_id: int) -> int:
    """Give the number of the last row of a database."""
    numbers = Record.objects.in_database(database_id).order_by("-row_number")
    return numbers.values_list("row_number", flat=True).first() or 0


def few(ids: list[int]) -> list[int] | None:
    """Give `ids`, of which no more than FEW + 1 were asked for, or None when they are too many."""
    return None if len(ids) > FEW else ids


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a search text can mean: a username or its beginning, a part of a name, a phone."""

    key: str
    phone: str = ""
    phone_start: str = ""

    @property
    def is_short(self) -> bool:
        """Whether the text is too short for names."""
        return len(self.key) < NAME_LEAST

    def condition(self) -> Q:
        """Give what a record must fulfil to be meant, for rows that are read anyway."""
        found = Q(username_key=self.key)
        if not self.is_short:
            # Not LIKE: the index of names would be taken for it, and gone through from end to end
            # for a text without three letters in a row.
            place = StrIndex(F("name_key"), Value(self.key))
            found |= Q(GreaterThan(place, 0)) | self._username()
        if self.phone:
            found |= Q(phone=self.phone)
        if self.phone_start:
            found |= self._phone()
        return found

    def ids(self, records: RecordQuerySet) -> list[int] | None:
        """Give the ids of whom it means among `records`, or None when they are many."""
        if not self.is_short and not re.search(r"[^\W_]{3}", self.key):
            return None  # the index of names knows only letters and digits, three together
        ways = [Q(username_key=self.key)]
        if not self.is_short:
            ways = [self._username(), Q(name_key__contains=self.key)]
        if self.phone:
            ways.append(Q(phone=self.phone))
        if self.phone_start:
            ways.append(self._phone())
        found: set[int] = set()
        for way in ways:  # one index each
            found.update(records.filter(way).values_list("pk", flat=True)[: FEW + 1])
            if len(found) > FEW:
                return None
        return sorted(found)

    def _username(self) -> Q:
        return ~Q(username_key="") & _starts_with("username_key", self.key)

    def _phone(self) -> Q:
        return ~Q(phone="") & _starts_with("phone", self.phone_start)


def identity_of(text: str) -> Identity:
    """Read a search text; a phone is understood in any spelling, and from its beginning."""
    phone, _reason = read_phone(text)
    start = _phone_start(text)  # what is a whole number may be the beginning of a longer one
    return Identity(customer_key(text), phone, start if len(start) >= _PHONE_LEAST else "")


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of a scan found, how far it read, and how many rows the next one may read."""

    found: list[Record]
    read_to: int
    rows: int


def scan(
    matching: RecordQuerySet, *, text: str, after: int, last: int, rows: int, size: int
) -> Step:
    """Look for `text` in all cells of the next `rows` rows after `after`, for `size` matches.

    A number also matches by any of its digits in a row. `last` is the database's last row.
    """
    rows = max(STEP_LEAST, min(rows, STEP_MOST))
    everything = Func(F("cells"), Value("\n"), function="array_to_string", output_field=TextField())
    meant = Q(everything__icontains=text)
    digits = _phone_start(text)
    if len(digits) >= _DIGITS_LEAST:
        meant |= Q(phone__contains=re.sub(r"\D", "", text).lstrip("0"))
    started = time.perf_counter()
    ordered = matching.alias(everything=everything).filter(meant).order_by("row_number")
    found = list(_window(ordered, after, rows)[:size])
    spent = time.perf_counter() - started
    read_to = found[-1].row_number if len(found) == size else min(after + rows, last)
    if spent < STEP_QUICK:
        rows *= 2
    elif spent > STEP_SLOW:
        rows //= 2
    return Step(found, read_to, max(STEP_LEAST, min(rows, STEP_MOST)))


def _page(rows: list[Record], after: int, size: int) -> Found:
    more = len(rows) > size
    rows = rows[:size]
    return Found(rows, str(rows[-1].row_number) if more else "", after == 0)


def _window(ordered: RecordQuerySet, after: int, rows: int) -> RecordQuerySet:
    return ordered.filter(row_number__gt=after, row_number__lte=after + rows)


def _phone_start(text: str) -> str:
    """Give the digits a stored phone begins with, from what may be the beginning of one."""
    if not re.fullmatch(r"\+?[0-9 ()./-]+", text):
        return ""
    digits = re.sub(r"\D", "", text)
    if digits.startswith("00"):
        return digits[2:]
    if text.lstrip().startswith("+") or digits.startswith("62"):
        return digits
    digits = digits.removeprefix("0")
    return f"62{digits}" if digits.startswith("8") else digits


def _starts_with(field: str, start: str) -> Q:
    """Ask for values that begin with `start`, so that an ordinary index of `field` serves.

    LIKE uses such an index only in some collations, a range does in all of them. The range ends
    at a letter or digit, where all collations agree; LIKE then says exactly.
    """
    begins = Q(**{f"{field}__startswith": start, f"{field}__gte": start})
    if head := re.sub(r"[^0-8a-y]+$", "", start):
        return begins & Q(**{f"{field}__lt": head[:-1] + chr(ord(head[-1]) + 1)})
    if start[0] == "9":
        return begins & Q(**{f"{field}__lt": "a"})
    return begins if start[0] == "z" else Q(**{field: start})
