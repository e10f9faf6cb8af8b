"""What stands in an address never breaks a page."""

import datetime as dt

import pytest

from crm.kernel import clock
from crm.kernel.address import id_in


@pytest.mark.parametrize("text", ["", "x", "-1", "1.0", "١", "²", "9" * 19, "0" * 30, "9" * 5000])
def test_what_is_no_id_is_none(text: str) -> None:
    assert id_in(text) is None


def test_an_id_is_read() -> None:
    assert id_in("42") == 42


@pytest.mark.parametrize("day", [dt.date.min, dt.date(2026, 2, 28), dt.date.max])
def test_every_day_has_a_beginning_and_an_end(day: dt.date) -> None:
    start, end = clock.bounds_of(day)
    assert start.date() == day
    assert end > start
