"""Every write about message templates.

The product's row is locked first: the order of its templates is theirs together.
"""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import Max

from accounts import activity
from accounts.models import User
from batches.errors import TemplateChanged, TemplateNameTaken
from batches.models import MessageTemplate
from crm.kernel import clock
from crm.kernel.transactions import atomic_with_retry
from databases.models import Product


@atomic_with_retry
def create_template(*, product_id: int, name: str, body: str, by: User) -> MessageTemplate:
    """Make a message that the staff of a product can send, offered last.

    Raises Product.DoesNotExist and TemplateNameTaken.
    """
    product = _lock_product(product_id)
    template = MessageTemplate(
        product=product, name=name, body=body, position=_last(product) + 1, created_by=by
    )
    _save(template)
    activity.write(by=by, kind="template.created", subject=template, product=product.name)
    return template


@atomic_with_retry
def edit_template(
    *, template_id: int, version: int, name: str, body: str, by: User
) -> MessageTemplate:
    """Change what a message says or is called; attempts keep the name it had.

    Raises MessageTemplate.DoesNotExist, TemplateChanged and TemplateNameTaken.
    """
    template = _lock(template_id)
    if template.version != version:
        raise TemplateChanged(template)
    if (name, body) == (template.name, template.body):
        return template
    template.name, template.body = name, body
    template.version += 1
    _save(template, "name", "body", "version")
    activity.write(by=by, kind="template.edited", subject=template, product=template.product.name)
    return template


@atomic_with_retry
def move_template(*, template_id: int, down: bool, by: User) -> MessageTemplate:
    """Change places with the one above, or below; at the end nothing moves."""
    template = _lock(template_id)
    offered = list(MessageTemplate.objects.current().of_product(template.product))
    if template not in offered:
        return template
    at = offered.index(template)
    to = at + (1 if down else -1)
    if 0 <= to < len(offered):
        offered[at], offered[to] = offered[to], offered[at]
        for position, moved in enumerate(offered, start=1):
            moved.position = position
        MessageTemplate.objects.bulk_update(offered, ["position"])
        activity.write(
            by=by, kind="template.moved", subject=template, product=template.product.name
        )
    return template


@atomic_with_retry
def archive_template(*, template_id: int, by: User) -> MessageTemplate:
    """Offer a message no longer; what was sent with it stays. Twice is once."""
    template = _lock(template_id)
    if template.archived_at is None:
        template.archived_at = clock.now()
        template.save(update_fields=["archived_at"])
        activity.write(
            by=by, kind="template.archived", subject=template, product=template.product.name
        )
    return template


@atomic_with_retry
def restore_template(*, template_id: int, by: User) -> MessageTemplate:
    """Offer a message again, last. Twice is once. Raises TemplateNameTaken."""
    template = _lock(template_id)
    if template.archived_at is not None:
        template.archived_at = None
        template.position = _last(template.product) + 1
        _save(template, "archived_at", "position")
        activity.write(
            by=by, kind="template.restored", subject=template, product=template.product.name
        )
    return template


def _lock(template_id: int) -> MessageTemplate:
    product_id = MessageTemplate.objects.values_list("product_id", flat=True).get(pk=template_id)
    product = _lock_product(product_id)
    template = MessageTemplate.objects.select_for_update(no_key=True).get(pk=template_id)
    template.product = product
    return template


def _lock_product(product_id: int) -> Product:
    return Product.objects.select_for_update(no_key=True).get(pk=product_id)


def _last(product: Product) -> int:
    placed = MessageTemplate.objects.of_product(product).order_by()
    return placed.aggregate(last=Max("position"))["last"] or 0


def _save(template: MessageTemplate, *fields: str) -> None:
    try:
        with transaction.atomic():
            template.save(update_fields=fields or None)
    except IntegrityError as clash:
        if "message_template_name_once" not in str(clash):
            raise
        raise TemplateNameTaken(template.name) from clash
