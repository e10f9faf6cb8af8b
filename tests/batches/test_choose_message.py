"""The message that the links of a batch carry."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from assignments.models import RecordRequest
from batches.models import MessageTemplate
from crm.kernel import clock
from tests.conftest import HX
from tests.factories import make_batch, make_database, make_product, make_template

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch(ani: User) -> RecordRequest:
    database = make_database(records=30, product=make_product(name="Melati"), name="Jan")
    return make_batch(staff=ani, records=3, database=database)


@pytest.fixture
def greeting(batch: RecordRequest) -> MessageTemplate:
    body = "Halo {name|Kak} dari {Kota|}!\n{No Rekening|rahasia}{alamat|-}"
    return make_template(product=batch.database.product, name="Salam", body=body)


def url(batch: RecordRequest) -> str:
    return f"/batches/{batch.pk}/"


def choose(client: Client, batch: RecordRequest, template: object, **given: object) -> int:
    sent = {"template": template}
    answer = client.post(f"{url(batch)}message/", sent, **given)  # type: ignore[arg-type]
    return int(answer.status_code)


def page(client: Client, batch: RecordRequest) -> str:
    return str(client.get(url(batch)).content.decode())


def test_without_messages_there_is_nothing_to_choose(as_ani: Client, batch: RecordRequest) -> None:
    assert "message-choice" not in page(as_ani, batch)


def test_at_first_the_link_is_alone(
    as_ani: Client, batch: RecordRequest, greeting: MessageTemplate
) -> None:
    said = page(as_ani, batch)
    assert ">Salam</option>" in said
    assert "?text=" not in said


def test_chosen_it_is_in_every_link_and_shown_filled(
    as_ani: Client, batch: RecordRequest, greeting: MessageTemplate
) -> None:
    assert choose(as_ani, batch, greeting.pk) == 302
    customers = as_ani.get(url(batch)).context["page"].customers
    for customer in customers:
        text = f"Halo {customer.name} dari Bekasi!\nrahasia-"
        assert customer.said == text
        assert unquote(customer.link) == f"{customer.plain}?text={text}"
        assert customer.plain.removeprefix("https://wa.me/").isdigit()
    said = page(as_ani, batch)
    assert f'data-template="{greeting.pk}"' in said
    assert f'data-copy="{customers[0].plain}"' in said  # the link alone stays at hand
    assert "RAHASIA" not in said


def test_it_is_remembered_for_the_product_and_taken_back(
    as_ani: Client, ani: User, batch: RecordRequest, greeting: MessageTemplate
) -> None:
    choose(as_ani, batch, greeting.pk)
    sister, other = make_batch(staff=ani, database=batch.database), make_batch(staff=ani)
    assert "?text=" in page(as_ani, sister)
    assert "?text=" not in page(as_ani, other)
    choose(as_ani, sister, "")
    assert "?text=" not in page(as_ani, batch)


def test_a_script_has_the_page_drawn_anew(
    as_ani: Client, batch: RecordRequest, greeting: MessageTemplate
) -> None:
    answer = as_ani.post(f"{url(batch)}message/", {"template": greeting.pk}, headers=HX)
    assert (answer.status_code, answer["HX-Refresh"]) == (200, "true")
    assert "?text=" in page(as_ani, batch)


@pytest.mark.parametrize("template", ["x", "999999", "-1"])
def test_what_is_not_offered_changes_nothing(
    as_ani: Client, batch: RecordRequest, greeting: MessageTemplate, template: str
) -> None:
    choose(as_ani, batch, greeting.pk)
    choose(as_ani, batch, template)
    assert "?text=" in page(as_ani, batch)


def test_a_message_of_another_product_is_not_offered(
    as_ani: Client, batch: RecordRequest, greeting: MessageTemplate
) -> None:
    foreign = make_template(name="Asing")
    choose(as_ani, batch, foreign.pk)
    said = page(as_ani, batch)
    assert "?text=" not in said
    assert "Asing" not in said


def test_an_archived_one_is_sent_no_longer(
    as_ani: Client, batch: RecordRequest, greeting: MessageTemplate
) -> None:
    choose(as_ani, batch, greeting.pk)
    MessageTemplate.objects.filter(pk=greeting.pk).update(archived_at=clock.now())
    assert "?text=" not in page(as_ani, batch)


def test_somebody_elses_batch_is_not_there(
    as_budi: Client, batch: RecordRequest, greeting: MessageTemplate
) -> None:
    assert choose(as_budi, batch, greeting.pk) == 404


@pytest.mark.parametrize("rows", [1, 30])
def test_a_message_costs_no_query_per_customer(
    as_ani: Client,
    ani: User,
    batch: RecordRequest,
    greeting: MessageTemplate,
    rows: int,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    database = make_database(records=rows, product=batch.database.product)
    other = make_batch(staff=ani, records=rows, database=database)
    choose(as_ani, other, greeting.pk)
    with django_assert_max_num_queries(12):
        as_ani.get(url(other))


def test_the_attempt_names_it(
    as_ani: Client, batch: RecordRequest, greeting: MessageTemplate
) -> None:
    assignment = batch.assignments.first()
    assert assignment is not None
    sent = {"kind": "copy", "template": greeting.pk}
    as_ani.post(f"/batches/customers/{assignment.pk}/attempt/", sent)
    attempt = assignment.attempts.get()  # type: ignore[attr-defined]
    assert (attempt.template, attempt.template_name) == (greeting, "Salam")
