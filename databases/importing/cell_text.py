"""Cells of a workbook as text: what a person would have typed, nothing rounded or invented."""

from __future__ import annotations

import datetime as dt
import re

_QUOTED = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?![hms]+\])[^\]]*\]', re.IGNORECASE)
_ELAPSED = re.compile(r"\[[hms]+\]", re.IGNORECASE)
_DATE_FORMATS = frozenset((*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)))
_ELAPSED_FORMATS = frozenset((46,))
_LAST_DAY = 2_958_466  # the day after 31 December 9999
_EPOCH_1900 = dt.datetime(1899, 12, 30)  # noqa: DTZ001 -- a sheet knows no time zone
_EPOCH_1904 = dt.datetime(1904, 1, 1)  # noqa: DTZ001
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


class RoundNumber(str):
    """A number cell with so many zeros at the end that digits may have been lost before."""

    __slots__ = ()


def number_text(raw: str) -> str:
    """Give a number as a spreadsheet stores it: whole ones without `.0`, none with an exponent."""
    if not (raw.isascii() and raw.isdigit()):
        try:
            number = float(raw)
        except ValueError:
            return raw
        raw = float_text(number)
    if raw.endswith("000000") and len(raw) > 10:
        return RoundNumber(raw)
    return raw


def float_text(number: float) -> str:
    if number != number or number in (float("inf"), float("-inf")):
        return ""
    if number.is_integer() and abs(number) < 1e21:
        return str(int(number))
    # A spreadsheet shows 15 digits; the rest is the noise of binary fractions.
    return format(number, ".15g")


def date_kind(format_id: int, code: str | None) -> str:
    """Tell what a number format makes of a number: a "date", an "elapsed" time, or neither."""
    if code is None:
        if format_id in _DATE_FORMATS:
            return "date"
        return "elapsed" if format_id in _ELAPSED_FORMATS else ""
    bare = _QUOTED.sub("", code.split(";", 1)[0])
    if _ELAPSED.search(bare):
        return "elapsed"
    if bare.strip().lower() == "general":
        return ""
    return "date" if re.search("[dmyhs]", bare, re.IGNORECASE) else ""


def serial_text(raw: str, kind: str, *, from_1904: bool) -> str:
    """Give the date or time that a number means."""
    try:
        serial = float(raw)
    except ValueError:
        return raw
    if not 0 <= serial < _LAST_DAY:
        return number_text(raw)
    seconds = round(serial * 86_400)
    if kind == "elapsed":
        return duration_text(seconds)
    if seconds < 86_400 and not from_1904:
        return duration_text(seconds)
    if not from_1904 and seconds < 60 * 86_400:
        seconds += 86_400  # a 29 February 1900 that never was
    epoch = _EPOCH_1904 if from_1904 else _EPOCH_1900
    return moment_text(epoch + dt.timedelta(seconds=seconds))


def moment_text(moment: dt.datetime) -> str:
    """Give a date, with its time only if that is not midnight."""
    if moment.microsecond:
        moment = (moment + dt.timedelta(microseconds=500_000)).replace(microsecond=0)
    pattern = "%Y-%m-%d" if moment.time() == dt.time() else "%Y-%m-%d %H:%M:%S"
    return moment.strftime(pattern).rjust(len("2026-01-13"), "0")


def duration_text(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def iso_text(raw: str) -> str:
    """Give an ISO date or date-time as a cell shows it."""
    try:
        return moment_text(dt.datetime.fromisoformat(raw).replace(tzinfo=None))
    except ValueError:
        return raw


def unescaped(text: str) -> str:
    """Undo `_x000D_`, the way a workbook spells characters that XML cannot hold."""
    if "_x" not in text:
        return text
    plain = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def python_text(value: object) -> str:
    """Give a value that a reader library made of a cell."""
    match value:
        case str():
            return value
        case bool():
            return "TRUE" if value else "FALSE"
        case int():
            return number_text(str(value))
        case float():
            return number_text(float_text(value))
        case dt.datetime():
            return moment_text(value)
        case dt.date():
            return value.isoformat()
        case dt.time():
            return value.strftime("%H:%M:%S")
        case dt.timedelta():
            return duration_text(max(0, round(value.total_seconds())))
    return ""
