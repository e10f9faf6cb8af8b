"""The customer key decides who is the same customer everywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.kernel.text import clean_text, customer_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("User01", " user01 "),
        ("USER01", "user01"),
        ("B\u00fadi", "bu\u0301di"),
        ("Siti  Aminah", "siti aminah"),
        ("ｕｓｅｒ01", "user01"),
        ("STRASSE", "straße"),
        ("bu\u200bdi", "budi"),
    ],
)
def test_spellings_of_one_customer_share_a_key(one: str, other: str) -> None:
    assert customer_key(one) == customer_key(other)


def test_punctuation_makes_another_customer() -> None:
    assert customer_key("a.b") != customer_key("ab")
    assert customer_key("a.b+c(") == "a.b+c("


@given(st.text())
def test_a_key_is_its_own_key_and_storable(value: str) -> None:
    key = customer_key(value)
    assert customer_key(key) == key
    assert "\x00" not in key
    key.encode()


@given(st.text())
def test_clean_text_is_storable_and_stable(value: str) -> None:
    cleaned = clean_text(value)
    assert clean_text(cleaned) == cleaned
    assert "\x00" not in cleaned
    cleaned.encode()
