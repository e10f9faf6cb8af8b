"""Phone numbers: read as people write them, kept as wa.me wants them, shown as people know them.

Indonesian mobiles in any spelling become `628…`. A foreign number counts only with an explicit
`+` or `00`. Digits that a spreadsheet has thrown away are never invented.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

MISSING = "missing_phone"
INVALID = "invalid_phone"
PRECISION_LOST = "phone_precision_lost"

_MOBILE = "8[1-35-9][0-9]{7,10}"
# The usual spellings, decided without looking further; the group is the number after 62.
PLAIN_MOBILE = re.compile(rf"(?:\+?62|0)?({_MOBILE})")
# 0 after 62 ("+62 (0)812…") and a doubled 62 are slips of the keyboard, not other numbers.
_INDONESIAN = re.compile(rf"(?:(?:62){{1,2}}0?|0)?({_MOBILE})")
_LINK = re.compile(
    r"(?:https?:|//|www\.|whatsapp:|\s)*"
    r"(?:wa\.me/|(?:(?:api|web|chat)\.whatsapp\.com/|//)?send/?\?(?:[^#\s]*&)?phone=)"
    r"(?:\+|%2b)?([0-9 .()-]+)(?:[/?&#].*)?",
    re.IGNORECASE | re.DOTALL,
)
_LABEL = re.compile(
    r"(?:(?:no|nomor|nomer|number|tel|telp|tlp|telepon|telephone|phone|hp|handphone|ponsel|wa"
    r"|whatsapp|mobile|mob|cell|kontak|contact)[\s.:=/-]*)+(?=[+(0-9])",
    re.IGNORECASE,
)
_SEVERAL = re.compile(r"[/,;|&\n]|\b(?:atau|or|dan)\b", re.IGNORECASE)
_DROPPED = re.compile(r"[\s./()\-\u2010-\u2015\u2212]+")
_WHOLE_FLOAT = re.compile(r"([1-9][0-9]{7,})[.,]0+")
_SCIENTIFIC = re.compile(r"([0-9])(?:[.,]([0-9]*))?[eE]\+?([0-9]{1,3})")


class PhoneError(ValueError):
    """The text holds no usable phone number; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def normalise_phone(cell: str) -> str:
    """Give the digits of the phone number in `cell`, as in a wa.me link, or raise PhoneError."""
    phone, reason = read_phone(cell)
    if reason:
        raise PhoneError(reason)
    return phone


def read_phone(cell: str) -> tuple[str, str]:
    """Give (digits, "") or ("", reason): normalise_phone for those who read a million cells."""
    if plain := PLAIN_MOBILE.fullmatch(cell):
        return "62" + plain[1], ""
    text = _legible(cell)
    if not any(c.isalnum() for c in text):
        return "", MISSING
    if link := _LINK.fullmatch(text):
        digits = _DROPPED.sub("", link[1])
        phone, _ = _one(digits)
        return (phone, "") if phone else _one("+" + digits)
    if label := _LABEL.match(text):
        text = text[label.end() :]
    if (spreadsheet := _from_spreadsheet(text)) is not None:
        return spreadsheet
    return _first_usable(text)


def wa_link(phone: str, text: str = "") -> str:
    """Give the link that opens a WhatsApp chat with `phone`, `text` typed in already."""
    link = "https://wa.me/" + "".join(c for c in phone if c in "0123456789")
    return f"{link}?text={quote(text, safe='')}" if text else link


def local_phone(phone: str) -> str:
    """Give `phone` as people read it: 0812-3456-7781 at home, +6581255501 from abroad."""
    if not phone:
        return ""
    if not phone.startswith("628"):
        return f"+{phone}"
    national = "0" + phone[2:]
    return "-".join(part for part in (national[:4], national[4:8], national[8:]) if part)


def _legible(cell: str) -> str:
    """Give `cell` with plain digits and spaces, without what cannot be seen."""
    text = unicodedata.normalize("NFKC", cell)
    if not (text.isascii() and text.isprintable()):
        text = "".join(
            str(unicodedata.decimal(c)) if c.isdecimal() else c
            for c in text
            if unicodedata.category(c) not in ("Cf", "Cc", "Cs") or c in "\t\n\r"
        )
    return text.strip().lstrip("'\"`\u2018\u2019").strip()


def _first_usable(text: str) -> tuple[str, str]:
    """Read one number or several: people put two into a cell, and slashes into one."""
    parts = [part.strip() for part in _SEVERAL.split(text)]
    if len(parts) == 1:
        return _one(text)
    parts = [part for part in parts if part][:20]
    reason = INVALID
    for candidate in [*parts[:1], text, *parts[1:]]:
        label = _LABEL.match(candidate)
        phone, why = _one(candidate[label.end() :] if label else candidate)
        if phone:
            return phone, ""
        if why == PRECISION_LOST:
            reason = why
    return "", reason


def _from_spreadsheet(text: str) -> tuple[str, str] | None:
    """Read what a spreadsheet makes of a number; None if the text is nothing of the kind."""
    if whole := _WHOLE_FLOAT.fullmatch(text):
        return _one(whole[1])
    if not (match := _SCIENTIFIC.fullmatch(text)):
        return None
    fraction, exponent = match[2] or "", int(match[3])
    if len(fraction) < exponent:
        return "", PRECISION_LOST
    if fraction[exponent:].strip("0"):
        return "", INVALID
    return _one(match[1] + fraction[:exponent])


def _one(text: str) -> tuple[str, str]:
    digits = _DROPPED.sub("", text)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    abroad = digits.startswith("+")
    digits = digits[1:] if abroad else digits
    if not (digits.isascii() and digits.isdecimal()):
        spreadsheet = _from_spreadsheet(text) if "e" in text or "E" in text else None
        return spreadsheet or ("", INVALID)
    if abroad and not digits.startswith("62"):
        return _foreign(digits)
    if match := _INDONESIAN.fullmatch(digits):
        return "62" + match[1], ""
    return "", INVALID


def _foreign(digits: str) -> tuple[str, str]:
    if digits.startswith("0") or not 8 <= len(digits) <= 15:
        return "", INVALID
    # Loaded only here: it knows every country and takes its time to say so.
    import phonenumbers

    try:
        number = phonenumbers.parse("+" + digits)
    except phonenumbers.NumberParseException:
        return digits, ""
    # "+44 (0)7911…" dials only without its trunk zero.
    if phonenumbers.is_valid_number(number):
        digits = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]
    return digits, ""
