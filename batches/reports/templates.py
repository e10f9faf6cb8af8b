"""Message templates as the admins' pages show them, and what can be written into them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from accounts.models import User
from batches import message
from batches.models import MessageTemplate
from crm.kernel.contact import local_phone, wa_link
from databases.models import Database, Product, Record

# A product's lists are much alike: the newest say what there is to write.
LISTS = 100
PRODUCTS = 200


@dataclass(frozen=True, slots=True)
class Sample:
    """Whom a template is tried on; without a record they are made up."""

    values: dict[str, str]
    phone: str
    record: Record | None = None

    @property
    def name(self) -> str:
        return self.values[message.NAME] or self.values[message.USERNAME]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a customer would be sent."""

    text: str
    link: str
    sample: Sample
    flaws: list[message.Flaw]


def products_with_templates(user: User) -> list[Any]:
    """Give the products in use with `templates_count`, by name."""
    return list(
        Product.objects.visible_to(user)
        .current()
        .annotate(
            templates_count=Count(
                "message_templates", filter=Q(message_templates__archived_at=None)
            )
        )
        .order_by("name")[:PRODUCTS]
    )


def templates_of(user: User, product: Product) -> list[MessageTemplate]:
    """Give a product's templates as they are offered, the archived ones last."""
    found = MessageTemplate.objects.visible_to(user).of_product(product)
    return sorted(found, key=lambda template: template.archived_at is not None)


def columns_of(product: Product) -> list[str]:
    """Give the columns that staff see in a product's lists, each once, as templates write them."""
    lists = Database.objects.filter(product=product, deleted_at=None).order_by("-created_at")
    known = {name: name for name in message.FIXED}
    for database in lists.only("columns", "roles")[:LISTS]:
        for header in database.shown_columns():
            known.setdefault(message.field_key(header), message.field_label(header))
    return [label for key, label in known.items() if key and key not in message.FIXED]


def sample_of(product: Product) -> Sample:
    """Give the first ready customer of a product's newest list, or somebody made up."""
    newest = (
        Database.objects.filter(product=product, deleted_at=None, stat__total__gt=0)
        .order_by("-created_at")
        .first()
    )
    if newest is not None:
        ready = Record.objects.in_database(newest.pk).filter(attention=None)
        if record := ready.order_by("row_number").first():
            record.database = newest
            return Sample(values_of(record), record.phone, record)
    return Sample(
        message.values_of(
            name="Sari Dewi",
            username="sari88",
            phone=local_phone("6281234567781"),
            database=product.name,
            columns=[],
        ),
        "6281234567781",
    )


def values_of(record: Record) -> dict[str, str]:
    """Give what fills a message to this customer; the record's database is at hand."""
    database = record.database
    columns: Iterable[tuple[str, str]] = (
        (database.columns[i], record.cells[i])
        for i in database.shown_positions()
        if i < len(record.cells)
    )
    return message.values_of(
        name=record.name,
        username=record.username,
        phone=local_phone(record.phone),
        database=database.name,
        columns=columns,
    )


def preview_of(body: str, *, product: Product, columns: list[str] | None = None) -> Preview:
    """Give `body` filled for a customer of `product`, and what is wrong with it."""
    sample = sample_of(product)
    text = message.Message(body).fill(sample.values)
    known = columns_of(product) if columns is None else columns
    return Preview(text, wa_link(sample.phone, text), sample, message.check(body, columns=known))
