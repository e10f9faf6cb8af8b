"""One event, one line: what a person typed must not look like a line of the log."""

import logging
import re
from typing import Any

# Control characters, those of Latin-1 too, and the two separators that some readers break lines at.
ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}


# Where PostgreSQL's errors quote what was written: rows, values, pieces of a statement.
_QUOTED = re.compile(r"^(?:LINE \d+|DETAIL|HINT|QUERY|CONTEXT): ")


class OneLine(logging.Formatter):
    """Writes control characters in a message as escapes; a traceback keeps its lines.

    But for those where the database quotes values: they are names and phone numbers.
    """

    def formatException(self, ei: Any) -> str:
        kept, quoting = [], False
        for line in super().formatException(ei).split("\n"):
            quoting = bool(line) and (quoting or bool(_QUOTED.match(line)))
            if not quoting:
                kept.append(line)
        return "\n".join(kept)

    def formatMessage(self, record: logging.LogRecord) -> str:
        return super().formatMessage(record).translate(ESCAPES)
