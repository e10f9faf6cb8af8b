"""Cards filled into a drawing are the cards that the template would draw."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.template import engines
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import User
from assignments.models import BatchStat, RecordRequest
from batches.reports.batches import CARDS, Batch
from batches.stencils import PK
from batches.templatetags.cards import CARD, FOLDED, _stencils
from crm.kernel.templatetags.formats import when
from databases.models import Database, Product
from tests.factories import make_batch, make_database

HOSTILE = st.one_of(
    st.sampled_from(["", "<b>", "\"'&", "\ue000title\ue001", f"{PK}", "{{ batch }}", "{% x %}"]),
    st.text(max_size=12),
)
COUNTS = st.one_of(st.just(0), st.integers(1, 2_000_000))
DAYS = st.integers(1_600_000_000, 2_200_000_000).map(
    lambda at: dt.datetime.fromtimestamp(at, dt.UTC)
)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    product = draw(st.none() | st.builds(Product, id=st.integers(1), name=HOSTILE))
    database = Database(id=draw(st.integers(1, 2**40)), name=draw(HOSTILE), product=product)
    requests = st.builds(RecordRequest, id=st.integers(1, 2**40), decided_at=DAYS)
    marks = ["ada", "ceklis1", "tidak", "ya", "tidak_response"]
    stat = BatchStat(
        database=database,
        request=draw(st.none() | requests),
        records=draw(COUNTS),
        **{mark: draw(COUNTS) for mark in marks},
    )
    stat.own_title, stat.pin = draw(HOSTILE), draw(st.integers(0, 1))  # type: ignore[attr-defined]
    return Batch(stat)


@given(batches(), HOSTILE, HOSTILE, st.sampled_from(["en", "id"]))
@settings(deadline=None)
def test_a_filled_card_is_the_drawn_card(
    batch: Batch, customer: str, back: str, language: str
) -> None:
    tags = "{% load cards %}{% cards batches next_customer=customer %}|{% folded batches %}"
    around = {"back": back, "csrf_token": "t0k<n"}
    with translation.override(language):
        filled = engines["django"].from_string(tags)
        said = filled.render({"batches": [batch, batch], "customer": customer, **around})
        context = {
            "batch": batch,
            "granted": when(batch.granted_at),
            "checked": str(batch.stat.checked),
            "records": str(batch.stat.records),
            **around,
        }
        first = render_to_string(CARD, context | {"next_customer": customer})
        second, line = render_to_string(CARD, context), render_to_string(FOLDED, context)
    assert said == f"{first}{second}|{line}{line}"


@pytest.mark.django_db
def test_cards_of_one_shape_are_drawn_once(as_ani: Client, ani: User) -> None:
    database = make_database(records=CARDS)
    given = [make_batch(staff=ani, records=1, database=database) for _ in range(CARDS)]
    _stencils.clear()
    said = as_ani.get("/batches/").content.decode()
    assert len(_stencils) == 2  # the one with the next customer, and the others
    found = re.findall(r'<h2 id="b-(\d+)"', said)
    assert found == [str(batch.pk) for batch in reversed(given)]
    assert str(PK) not in said
    assert "\ue000" not in said
