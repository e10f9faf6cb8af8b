"""What stands in the logs, and what never does."""

from __future__ import annotations

import logging

import pytest
from django.db import IntegrityError, transaction

from crm import gunicorn_conf
from crm.kernel.logs import OneLine
from tests.factories import make_user


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


@pytest.mark.django_db
def test_what_the_database_quotes_is_left_out() -> None:
    somebody = {"email": "siti.rahasia@example.com"}
    make_user(**somebody)
    try:
        with transaction.atomic():
            make_user(**somebody)
    except IntegrityError as clash:
        failure = (type(clash), clash, clash.__traceback__)
    record = logging.LogRecord("crm", logging.ERROR, "", 0, "one", (), failure)
    line = OneLine("%(message)s").format(record)
    assert "siti.rahasia" in str(failure[1])
    assert "siti.rahasia" not in line
    assert line.count("user_email_once") == 2  # the cause and what Django made of it


def test_the_access_log_has_no_query_and_no_referrer() -> None:
    pattern = gunicorn_conf.access_log_format
    for atom in ("%(r)s", "%(q)s", "%(f)s", "{referer}i", "{cookie}i"):
        assert atom not in pattern
    assert "%(U)s" in pattern
