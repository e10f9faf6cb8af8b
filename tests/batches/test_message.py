"""Filling a message: what is written where, and that nothing ever slips or breaks."""

from __future__ import annotations

import string
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batches.message import BODY_LIMIT, LIMIT, Flaw, Message, check, field_label, values_of
from crm.kernel.contact import wa_link

ANYTHING = st.text(max_size=80)
BODIES = st.lists(
    st.one_of(ANYTHING, st.sampled_from(["{", "}", "{{", "}}", "{name}", "{Kota|", "|", "\n"])),
    max_size=30,
).map("".join)


def values(**given: str) -> dict[str, str]:
    usual = {"name": "Sari", "username": "sari88", "phone": "0812-3456-7781", "database": "Jan"}
    return values_of(columns=[("Kota", "Bekasi")], **(usual | given))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("Halo {name}!", "Halo Sari!"),
        ("{username} {phone} {database}", "sari88 0812-3456-7781 Jan"),
        ("dari {Kota}", "dari Bekasi"),
        ("dari {  KOTA |mana}", "dari Bekasi"),
        ("{Alamat|-}{Alamat|}{Alamat}.", "-."),
        ("Halo {{name}}", "Halo {name}"),
        ("{{{name}}}", "{Sari}"),
        ("a } b", "a } b"),
        ("a { b", "a { b"),
        ("{}", "{}"),
        ("{name|Kak|Bang}", "Sari"),
        ("satu\r\n\r\n\r\n\r\ndua  tiga ", "satu\n\ndua tiga"),
        ("", ""),
    ],
)
def test_what_is_written_is_filled(body: str, said: str) -> None:
    assert Message(body).fill(values()) == said


def test_an_empty_value_gives_the_fallback() -> None:
    assert Message("Halo {name|Kak}").fill(values(name="  ")) == "Halo Kak"
    assert Message("Halo {name|Kak|Bang}").fill(values(name="")) == "Halo Kak|Bang"


def test_a_fixed_field_keeps_its_meaning_where_a_column_is_called_the_same() -> None:
    filled = values_of(name="Sari", username="", phone="", database="", columns=[("Name", "PT X")])
    assert Message("{name}").fill(filled) == "Sari"


def test_a_header_with_marks_of_its_own_is_called_without_them() -> None:
    filled = values_of(name="", username="", phone="", database="", columns=[("Kota|{Asal}", "A")])
    assert field_label("Kota|{Asal}") == "Kota Asal"
    assert Message("{kota asal}").fill(filled) == "A"


def test_a_value_is_never_read_as_a_template() -> None:
    assert Message("{name}").fill(values(name="{phone} {{x}}")) == "{phone} {{x}}"


@pytest.mark.parametrize(
    ("body", "flaws"),
    [
        ("Halo {name|Kak} {kota} {{x}}", []),
        ("Halo {nama}", [Flaw("unknown", "nama")]),
        ("Halo {name", [Flaw("open", "{name")]),
        ("{|Kak}", [Flaw("empty", "{|Kak}")]),
        ("{no rekening}", [Flaw("unknown", "no rekening")]),
    ],
)
def test_what_is_wrong_is_said(body: str, flaws: list[Flaw]) -> None:
    assert check(body, columns=["Kota"]) == flaws


@given(BODIES, ANYTHING, ANYTHING)
def test_filling_never_raises_and_keeps_within_its_limit(body: str, name: str, city: str) -> None:
    filled = values_of(
        name=name, username=city, phone=name, database=city, columns=[(name, city), (city, name)]
    )
    check(body, columns=[name, city])
    said = Message(body[:BODY_LIMIT]).fill(filled)
    assert len(said) <= LIMIT
    link = wa_link("628123456789", said)
    assert (
        not set(link.removeprefix("https://wa.me/628123456789?text="))
        - set(string.ascii_letters + string.digits + "-._~%")
        or not said
    )
    if said:
        assert unquote(link.partition("?text=")[2]) == said


@given(BODIES)
def test_only_what_it_is_given_can_be_said(body: str) -> None:
    # A column that staff do not see is not among the values: whatever is written, it stays out.
    secret = "7770001112223"
    said = Message(body + "{No Rekening}{no rekening|}{ NO  REKENING }").fill(values())
    assert secret not in said or secret in body


@given(st.text(max_size=LIMIT * 3))
def test_a_cell_as_long_as_a_letter_is_cut(cell: str) -> None:
    assert len(Message("{name}" * 40).fill(values(name=cell))) <= LIMIT
