"""One event, one line: what a person typed must not look like a line of the log."""

import logging

# Control characters, those of Latin-1 too, and the two separators that some readers break lines at.
ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}


class OneLine(logging.Formatter):
    """Writes control characters in a message as escapes; a traceback keeps its lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return super().formatMessage(record).translate(ESCAPES)
