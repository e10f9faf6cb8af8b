"""What stands in the logs, and what never does."""

from __future__ import annotations

import logging

from crm import gunicorn_conf
from crm.kernel.logs import OneLine


def test_an_event_is_one_line_whatever_was_typed() -> None:
    record = logging.LogRecord(
        "crm", logging.INFO, "", 0, "%s", ("Budi\r\n2026 INFO x\x1b[2J",), None
    )
    line = OneLine("%(levelname)s %(message)s").format(record)
    assert line == "INFO Budi\\x0d\\x0a2026 INFO x\\x1b[2J"


def test_a_traceback_keeps_its_lines() -> None:
    try:
        raise ValueError("two")
    except ValueError as error:
        failure = (type(error), error, error.__traceback__)
    record = logging.LogRecord("crm", logging.ERROR, "", 0, "one", (), failure)
    assert OneLine("%(message)s").format(record).count("\n") > 1


def test_the_access_log_has_no_query_and_no_referrer() -> None:
    pattern = gunicorn_conf.access_log_format
    for atom in ("%(r)s", "%(q)s", "%(f)s", "{referer}i", "{cookie}i"):
        assert atom not in pattern
    assert "%(U)s" in pattern
