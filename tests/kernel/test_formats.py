"""Numbers, money and times as people here read them."""

import datetime as dt
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils import translation

from crm.kernel import clock
from crm.kernel.templatetags import formats

NOON = dt.datetime(2026, 1, 13, 7, 5, tzinfo=dt.UTC)  # 14.05 in Jakarta


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)


@pytest.mark.parametrize(("language", "text"), [("id", "12.480"), ("en", "12,480")])
def test_thousands_are_grouped_as_the_language_does(language: str, text: str) -> None:
    with translation.override(language):
        assert formats.thousands(12480) == text


@pytest.mark.parametrize("nothing", [None, ""])
def test_nothing_is_a_dash_and_zero_is_zero(nothing: object) -> None:
    for write in (formats.thousands, formats.rupiah, formats.percent):
        assert write(nothing) == "–"
        assert "0" in write(0)


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (1500000, "Rp\u00a01.500.000"),
        (Decimal("1500000.50"), "Rp\u00a01.500.001"),
        (0, "Rp\u00a00"),
        (-2500, "-Rp\u00a02.500"),
        ("750", "Rp\u00a0750"),
    ],
)
def test_rupiah_is_the_same_in_both_languages(language: str, amount: object, text: str) -> None:
    with translation.override(language):
        assert formats.rupiah(amount) == text


@pytest.mark.parametrize(
    ("value", "text"), [(75, "75%"), (66.5, "67%"), (Decimal("0.4"), "0%"), (100, "100%")]
)
def test_a_percentage_has_no_space_and_no_decimals(value: object, text: str) -> None:
    assert formats.percent(value) == text


@pytest.mark.parametrize(
    ("before", "english", "indonesian"),
    [
        (dt.timedelta(seconds=20), "just now", None),
        (dt.timedelta(minutes=42), "42 min ago", None),
        (dt.timedelta(hours=1), "1 hour ago", None),
        (dt.timedelta(hours=23, minutes=59), "23 hours ago", None),
        (dt.timedelta(hours=24), "12 Jan 2026", "12 Jan 2026"),
        (dt.timedelta(days=36), "8 Dec 2025", "8 Des 2025"),
        (dt.timedelta(days=-3), "16 Jan 2026", "16 Jan 2026"),
    ],
)
def test_a_time_is_an_age_for_a_day_and_then_a_date(
    before: dt.timedelta, english: str, indonesian: str | None
) -> None:
    with translation.override("en"):
        assert f">{english}</time>" in str(formats.when(NOON - before))
    if indonesian:
        with translation.override("id"):
            assert f">{indonesian}</time>" in str(formats.when(NOON - before))


def test_a_time_carries_its_full_moment_in_the_time_zone_of_the_company() -> None:
    html = str(formats.when(NOON - dt.timedelta(hours=2)))
    assert 'datetime="2026-01-13T12:05:00+07:00"' in html
    assert 'title="13 Jan 2026 12.05 WIB"' in html


def test_a_day_is_the_day_in_the_time_zone_of_the_company() -> None:
    assert formats.day(dt.datetime(2026, 1, 12, 18, tzinfo=dt.UTC)) == "13 Jan 2026"
    assert formats.day(dt.date(2026, 1, 12)) == "12 Jan 2026"
    assert formats.moment(NOON) == "13 Jan 2026 14.05"
    assert formats.day(None) == formats.moment(None) == formats.when(None) == "–"


def test_a_phone_is_written_as_it_is_dialled() -> None:
    assert formats.phone("6281234567781") == "0812-3456-7781"
    assert formats.phone("") == "–"


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Rina Wati", "RW"), ("Dimas", "D"), ("Siti Nur Haliza", "SH"), ("", "?"), ("(x) ani", "A")],
)
def test_initials_are_the_first_letters_of_first_and_last_name(name: str, letters: str) -> None:
    assert formats.initials(name) == letters


def test_a_template_writes_them_without_escaping_the_time_tag() -> None:
    page = Template("{% load formats %}{{ at|when }} {{ name|initials }}")
    assert "<time datetime=" in page.render(Context({"at": NOON, "name": "<b> x"}))
