"""What the work screen costs a phone: the first visit and each mark, as they travel."""

from __future__ import annotations

import re
from pathlib import Path

import brotli
import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from accounts.models import User
from assignments.models import Assignment
from batches.reports.customers import PAGE
from tests import factories
from tests.conftest import HX

FIRST_VISIT = 60 * 1024
MARK = 3_000
COMPRESSED = {"Accept-Encoding": "gzip"}  # pages as the site sends them
# What a browser loads for a page: its styles, its scripts, one of its icons; not the font.
LOADED = re.compile(
    r'(?:<script[^>]* src|<link rel="(?:stylesheet|manifest)" href)="/static/([^"]+)"'
)
ICON = "icons/icon.svg"

pytestmark = pytest.mark.django_db


def travels(name: str) -> int:
    """Give the size of a static file as WhiteNoise sends it: compressed where that is smaller."""
    found = finders.find(name)
    assert found, name
    content = Path(str(found)).read_bytes()
    return min(len(content), len(brotli.compress(content)))


@pytest.fixture
def batch(ani: User) -> str:
    request = factories.make_batch(staff=ani, records=120)
    return f"/batches/{request.pk}/"


def test_the_first_visit_of_the_work_screen_is_small(as_ani: Client, batch: str) -> None:
    page = as_ani.get(batch, headers=COMPRESSED)
    assert page["Content-Encoding"] == "gzip"
    names = LOADED.findall(as_ani.get(batch).content.decode())
    assert any(name.endswith("app.css") for name in names)
    assert any("htmx" in name for name in names)
    sizes = {"the page": len(page.content)} | {name: travels(name) for name in [*names, ICON]}
    assert sum(sizes.values()) <= FIRST_VISIT, sorted(sizes.items(), key=lambda size: -size[1])


def test_the_rows_that_follow_are_small(as_ani: Client, batch: str) -> None:
    start = Assignment.objects.order_by("record_id")[PAGE].record_id
    rows = as_ani.get(batch, {"start": start}, headers=HX | COMPRESSED)
    assert len(rows.content) < 8_000


@pytest.mark.parametrize(("field", "value"), [("reach", "ceklis1"), ("response", "tidak")])
def test_the_answer_to_a_mark_is_small(as_ani: Client, batch: str, field: str, value: str) -> None:
    assignment = Assignment.objects.order_by("record_id")[0]
    address = f"/batches/customers/{assignment.pk}/{field}/"
    answer = as_ani.post(address, {field: value}, headers=HX | COMPRESSED)
    assert answer.status_code == 200
    headers = sum(len(f"{name}: {said}") + 2 for name, said in answer.items())
    assert len(answer.content) + headers < MARK
