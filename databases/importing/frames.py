"""How the two processes talk: a tag, a length, that many bytes."""

from __future__ import annotations

import struct

HEADER = struct.Struct(">cI")
# What the parent accepts at most; it trusts the child with nothing.
LARGEST = 8 * 1024**2

INSPECTION = b"I"
PROGRESS = b"P"
TALLY = b"T"
RECORDS = b"R"
SKIPPED = b"S"
PROBLEM = b"E"
