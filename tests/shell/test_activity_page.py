"""The Activity page: what happened, in words, found by person, kind, day and thing."""

from __future__ import annotations

import ast
import datetime as dt
from pathlib import Path

import pytest
from django.test import Client
from django.utils import translation

from accounts import activity, services
from accounts.models import Activity, User
from crm.shell.activity_sentences import GROUPS, SENTENCES, tell
from databases.services import products

pytestmark = pytest.mark.django_db
URL = "/manage/activity/"
ROOT = Path(__file__).resolve().parents[2]


def _kinds(client: Client, query: str = "") -> list[str]:
    return [line.act.kind for line in client.get(URL + query).context["lines"]]


def _at(kind: str, moment: dt.datetime, by: User | None = None) -> None:
    Activity.objects.create(kind=kind, at=moment, actor=by)


def test_the_newest_stands_first(as_citra: Client, citra: User) -> None:
    melati = products.create_product(name="Melati", by=citra)
    products.archive_product(product_id=melati.pk, by=citra)
    assert _kinds(as_citra) == ["product.archived", "product.created"]


def test_it_is_told_in_a_sentence_that_leads_to_the_thing(as_citra: Client, citra: User) -> None:
    melati = products.create_product(name="Mel<ati", by=citra)
    page = as_citra.get(URL).content.decode()
    assert "<b>Citra</b> created the product" in page
    assert f'href="/manage/products/{melati.pk}/rename/">Mel&lt;ati</a>' in page


def test_changes_are_told_as_before_and_after(citra: User, ani: User) -> None:
    services.edit_user(
        user_id=ani.pk, version=1, email=ani.email, name=ani.name, role="admin", by=citra
    )
    line = tell(Activity.objects.get())
    assert line.changes == [("role", "Staff", "Admin")]


def test_what_is_gone_has_no_link(citra: User) -> None:
    melati = products.create_product(name="Melati", by=citra)
    products.delete_product(product_id=melati.pk, by=citra)
    assert tell(Activity.objects.latest("pk")).url == ""


def test_filters(as_citra: Client, citra: User, ani: User) -> None:
    activity.write(by=ani, kind="signout")
    melati = products.create_product(name="Melati", by=citra)
    assert _kinds(as_citra, f"?person={ani.pk}") == ["signout"]
    assert _kinds(as_citra, "?kind=people") == ["product.created"]
    assert _kinds(as_citra, f"?type=databases.product&id={melati.pk}") == ["product.created"]
    assert _kinds(as_citra, f"?person={ani.pk}&kind=people") == []


def test_a_day_is_a_day_in_the_configured_zone(as_citra: Client) -> None:
    utc = dt.UTC
    _at("signin.ok", dt.datetime(2026, 3, 1, 16, 59, tzinfo=utc))  # 23.59 on the 1st in Jakarta
    _at("signout", dt.datetime(2026, 3, 1, 17, 0, tzinfo=utc))  # midnight
    assert _kinds(as_citra, "?day=2026-03-01") == ["signin.ok"]
    assert _kinds(as_citra, "?day=2026-03-02") == ["signout"]


def test_customers_shown_are_asked_for_by_name(as_citra: Client, ani: User) -> None:
    activity.write(by=ani, kind="customers.shown", label="Data", records=[1, 2, 3])
    activity.write(by=ani, kind="signout")
    assert _kinds(as_citra) == ["signout"]
    assert _kinds(as_citra, "?kind=shown") == ["customers.shown"]
    assert _kinds(as_citra, "?kind=all") == ["signout", "customers.shown"]
    assert "3 customers" in as_citra.get(URL + "?kind=shown").content.decode()


@pytest.mark.parametrize(
    "query",
    ["?person=x&kind=x&day=2026-02-31&id=x", "?id=99999999999999999999&type=a", "?after=x&day=x"],
)
def test_what_means_nothing_is_left_out(as_citra: Client, ani: User, query: str) -> None:
    activity.write(by=ani, kind="signout")
    assert _kinds(as_citra, query) == ["signout"]


def test_pages_follow_each_other_without_gap(as_citra: Client, ani: User) -> None:
    for n in range(120):
        activity.write(by=ani, kind="signout", number=n)
    seen: list[int] = []
    query = ""
    while True:
        context = as_citra.get(URL + query).context
        seen += [line.act.details["number"] for line in context["lines"]]
        if not context["page"].next:
            break
        query = f"?after={context['page'].next}"
    assert seen == list(range(119, -1, -1))


@pytest.mark.parametrize("rows", [1, 30])
def test_it_costs_the_same_for_any_number_of_acts(
    rows: int, as_citra: Client, ani: User, django_assert_num_queries
) -> None:  # type: ignore[no-untyped-def]
    for _n in range(rows):
        activity.write(by=ani, kind="user.changed", subject=ani)
    as_citra.get(URL)  # stamps the session
    with django_assert_num_queries(5):  # session, reader, acts, people, waiting requests
        as_citra.get(URL)


def _written_kinds() -> set[str]:
    """Find every `kind="…"` that our code gives to the writer of the book."""
    found = set()
    for app in ("accounts", "databases", "assignments", "batches", "crm"):
        for path in (ROOT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "activity.write":
                    for keyword in node.keywords:
                        if keyword.arg == "kind" and isinstance(keyword.value, ast.Constant):
                            found.add(keyword.value.value)
    return found


def test_every_kind_of_act_has_a_sentence() -> None:
    assert len(_written_kinds()) > 20
    assert _written_kinds() <= set(SENTENCES)


@pytest.mark.parametrize("language", ["en", "id"])
def test_every_sentence_can_be_told(language: str, ani: User) -> None:
    with translation.override(language):
        for kind, sentence in SENTENCES.items():
            assert sentence.group in GROUPS
            line = tell(Activity(kind=kind, actor=ani, label="X", details={"records": [1, 2]}))
            assert "%" not in line.before + line.after
