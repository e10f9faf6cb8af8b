"""Phone numbers in every spelling, and links that hold digits only."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.kernel.contact import PhoneError, local_phone, normalise_phone, read_phone, wa_link

MOBILES = st.from_regex(r"8[1-35-9][0-9]{7,10}", fullmatch=True)


@pytest.mark.parametrize(
    "cell",
    [
        "081234567781",
        "81234567781",
        "6281234567781",
        "+6281234567781",
        "006281234567781",
        "626281234567781",
        "+62 (0)812-3456-7781",
        "(0812) 3456 7781",
        "0812.3456.7781",
        "0812/3456/7781",
        "'081234567781",
        "\u202a+62 812\u00a03456\u20117781\u202c",
        "０８１２３４５６７７８１",
        "wa.me/6281234567781",
        "https://wa.me/6281234567781?text=halo%20kak",
        "https://www.wa.me/+6281234567781/",
        "https://api.whatsapp.com/send?phone=6281234567781&text=halo",
        "whatsapp://send?phone=6281234567781",
        "WA: 0812 3456 7781",
        "tel:+6281234567781",
        "No. HP/WA 081234567781",
        "81234567781.0",
        "6281234567781,00",
        "8.1234567781E+10",
        "6,281234567781e12",
        "081234567781 / 081234567999",
        "081234567781 atau 081234567999",
        "021-5550123, 081234567781",
        "081234567781\n081234567999",
    ],
)
def test_every_spelling_gives_the_same_digits(cell: str) -> None:
    assert normalise_phone(cell) == "6281234567781"


@pytest.mark.parametrize(
    ("cell", "phone"),
    [
        ("+65 8125 5501", "6581255501"),
        ("0061 491 570 156", "61491570156"),
        ("+44 (0)7911 123456", "447911123456"),
        ("https://wa.me/6581255501", "6581255501"),
    ],
)
def test_numbers_from_abroad_need_a_plus_or_two_zeros(cell: str, phone: str) -> None:
    assert normalise_phone(cell) == phone
    with pytest.raises(PhoneError):
        normalise_phone(phone)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("", "missing_phone"),
        (" \u200b\u00a0", "missing_phone"),
        ("-", "missing_phone"),
        ("tidak ada", "invalid_phone"),
        ("0825123", "invalid_phone"),
        ("08251234567890123", "invalid_phone"),
        ("021-5550123", "invalid_phone"),
        ("0842345678901", "invalid_phone"),
        ("0825O1234567", "invalid_phone"),
        ("budi@example.com", "invalid_phone"),
        ("0000000000", "invalid_phone"),
        ("+123", "invalid_phone"),
        ("https://wa.me/message/ABCDEF", "invalid_phone"),
        ("8.12E+11", "phone_precision_lost"),
        ("6,28E+12", "phone_precision_lost"),
        ("8E11", "phone_precision_lost"),
    ],
)
def test_what_is_no_number_says_why(cell: str, reason: str) -> None:
    with pytest.raises(PhoneError) as caught:
        normalise_phone(cell)
    assert caught.value.reason == reason


@given(st.text(max_size=60) | st.text("0123456789+-().,/eE wame:", max_size=30))
def test_no_text_is_too_strange(cell: str) -> None:
    phone, reason = read_phone(cell)
    assert bool(phone) != bool(reason)
    if phone:
        assert phone.isascii()
        assert phone.isdigit()
        assert 8 <= len(phone) <= 15
        assert read_phone("+" + phone) == (phone, "")


@given(MOBILES, st.sampled_from(["0", "62", "+62", "", "0062", "620", "+62 (0)"]))
def test_mobiles_agree_with_the_library_of_all_countries(national: str, prefix: str) -> None:
    parsed = phonenumbers.parse("+62" + national)
    e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    assert "+" + normalise_phone(prefix + national) == e164


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_link_holds_digits_only_and_its_text_is_escaped(phone: str, text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    link = wa_link(phone, text)
    head, _, tail = link.removeprefix("https://wa.me/").partition("?text=")
    assert head == "" or (head.isascii() and head.isdigit())
    assert not set(tail) & set(" &?#/\"'<>\r\n")


def test_people_read_their_own_spelling() -> None:
    assert local_phone("6281234567781") == "0812-3456-7781"
    assert local_phone("628123456789") == "0812-3456-789"
    assert local_phone("6581255501") == "+6581255501"
    assert local_phone("") == ""
