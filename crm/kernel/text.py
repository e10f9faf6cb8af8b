"""What makes two spellings of a customer the same customer."""

from __future__ import annotations

import re
import unicodedata

# C0 and C1 controls, zero-width and direction marks, lone surrogates: never part of a name.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ud800-\udfff]"
)

# What a stored text loses. Zero-width joiners and direction marks stay: emoji families and Arabic
# names are spelled with them.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def clean_text(value: str) -> str:
    """Give `value` in NFC, without control characters, runs of whitespace made one space."""
    if value.isascii() and value.isprintable():  # the usual case, ten times faster
        return " ".join(value.split())
    return " ".join(unicodedata.normalize("NFC", _CONTROL.sub("", value)).split())


def customer_key(value: str) -> str:
    """Give the identity of a customer: NFKC, casefold, NFKC, spaces trimmed and collapsed.

    Punctuation stays: `a.b` and `ab` are two customers. Used for records, reservations and
    deposits alike, so that they find each other.
    """
    if value.isascii() and value.isprintable():
        return " ".join(value.lower().split())
    folded = unicodedata.normalize("NFKC", _INVISIBLE.sub("", value)).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def clean_lines(value: str) -> str:
    """Give `value` as `clean_text` does, but with its lines: at most one empty one in a row."""
    text = unicodedata.normalize("NFC", _CONTROL.sub("", value.replace("\r\n", "\n")))
    lines = [" ".join(line.split()) for line in text.replace("\r", "\n").split("\n")]
    return re.sub("\n{3,}", "\n\n", "\n".join(lines)).strip()
