"""Rows filled into a drawing are the rows that the template would draw."""

from __future__ import annotations

import re

import pytest
from django.template import engines
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from batches.reports.customers import PAGE, Customer, Option, Segment
from batches.stencils import PK, TEMPLATE
from batches.templatetags.rows import _stencils
from tests.factories import make_batch, make_database

HOSTILE = st.one_of(
    st.sampled_from(
        [
            "",
            "<b>",
            "\"'&",
            "\ue000name\ue001",
            f"{PK}",
            f"{TEMPLATE}",
            "{{ c.pk }}",
            "{% x %}",
            "0",
        ]
    ),
    st.text(max_size=12),
)
PAIRS = st.lists(st.tuples(HOSTILE, HOSTILE), max_size=3)


def marks(pk: int, field: str, name: str, pressed: int) -> Segment:
    labels = ["Ada", "Ceklis 1", "Tidak"] if field == "reach" else ["Ya", "Tidak"]
    options = [Option(label.lower(), label, "ok", i == pressed) for i, label in enumerate(labels)]
    return Segment(pk, field, name, options)


@st.composite
def customers(draw: st.DrawFn) -> Customer:
    pk, name = draw(st.integers(1, 2**40)), draw(HOSTILE)
    texts = {key: draw(HOSTILE) for key in ("username", "phone", "link", "plain", "said", "note")}
    return Customer(
        pk=pk,
        number=draw(st.integers(0, 2_000_000)),
        name=name,
        cells=draw(PAIRS),
        more=draw(PAIRS),
        reach=marks(pk, "reach", name, draw(st.integers(-1, 2))),
        response=marks(pk, "response", name, draw(st.integers(-1, 1))),
        tries=draw(HOSTILE),
        is_next=draw(st.booleans()),
        **texts,
    )


@given(customers(), st.booleans(), HOSTILE, st.sampled_from(["en", "id"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_filled_row_is_the_drawn_row(
    customer: Customer, select: bool, back: str, language: str
) -> None:
    around = {"select": select, "back": back, "csrf_token": "t0k<n", "offer": _Offer()}
    tag = engines["django"].from_string("{% load rows %}{% rows customers %}")
    with translation.override(language):
        filled = tag.render({"customers": [customer, customer], **around})
        drawn = render_to_string("batches/_row.html", {"c": customer, **around})
    assert filled == drawn * 2


class _Offer:
    class chosen:
        pk = 7


@pytest.mark.django_db
def test_rows_of_one_shape_are_drawn_once(as_ani: Client, ani: User) -> None:
    batch = make_batch(staff=ani, records=PAGE, database=make_database(records=PAGE))
    _stencils.clear()
    said = as_ani.get(f"/batches/{batch.pk}/").content.decode()
    assert len(_stencils) == 2  # the next one, and the others
    pks = re.findall(r'<tr id="row-(\d+)"', said)
    assert len(set(pks)) == PAGE
    assert str(PK) not in said
    assert "\ue000" not in said
