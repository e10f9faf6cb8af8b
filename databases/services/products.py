"""Every write about products."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import PROTECT
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import activity
from accounts.models import User
from crm.kernel import clock
from crm.kernel.errors import DomainError
from crm.kernel.transactions import atomic_with_retry
from databases.models import Product


class NameTaken(DomainError):
    """A product has this name, in whatever case."""

    def __init__(self, holder: Product | None, name: str) -> None:
        text = (
            _("There is an archived product called %(name)s. Bring it back instead.")
            if holder is not None and holder.archived_at
            else _("There is a product called %(name)s already.")
        )
        super().__init__(text % {"name": holder.name if holder is not None else name})


class RenamedMeanwhile(DomainError):
    """Somebody saved the product since the page was opened; `current` is as they left it."""

    def __init__(self, current: Product) -> None:
        self.current = current
        super().__init__(
            _("Somebody renamed this product to %(name)s since you opened this page.")
            % {"name": current.name}
        )


@dataclass(frozen=True, slots=True)
class Dependents:
    """What a product cannot be deleted from under."""

    databases: int
    imports: int
    deleted: int = 0  # databases whose records are gone; what was done with them is history
    others: dict[str, int] = field(default_factory=dict)  # what other apps hang on it, by its name

    def __bool__(self) -> bool:
        return bool(self.databases or self.imports or self.deleted or self.others)


class InUse(DomainError):
    """Databases or uploads belong to the product; `dependents` says how many."""

    def __init__(self, product: Product, dependents: Dependents) -> None:
        self.dependents = dependents
        parts = [
            ngettext("%(count)s database", "%(count)s databases", dependents.databases)
            % {"count": dependents.databases},
            ngettext("%(count)s upload", "%(count)s uploads", dependents.imports)
            % {"count": dependents.imports},
        ]
        if dependents.deleted:
            parts.append(
                ngettext(
                    "%(count)s deleted database", "%(count)s deleted databases", dependents.deleted
                )
                % {"count": dependents.deleted}
            )
        parts += [f"{count} {name}" for name, count in dependents.others.items()]
        super().__init__(
            _("%(name)s is kept: %(things)s belong to it. Archive it instead.")
            % {"name": product.name, "things": ", ".join(parts)}
        )


@atomic_with_retry
def create_product(*, name: str, by: User) -> Product:
    """Make a product. Raises NameTaken."""
    product = Product(name=name)
    _save(product)
    activity.write(by=by, kind="product.created", subject=product)
    return product


@atomic_with_retry
def rename_product(*, product_id: int, version: int, name: str, by: User) -> Product:
    """Give a product another name; what belongs to it follows.

    Raises Product.DoesNotExist, RenamedMeanwhile and NameTaken.
    """
    product = Product.objects.select_for_update(no_key=True).get(pk=product_id)
    if product.version != version:
        raise RenamedMeanwhile(product)
    before = product.name
    if name == before:
        return product
    product.name = name
    product.version += 1
    _save(product, "name", "version")
    activity.write(by=by, kind="product.renamed", subject=product, changes={"name": [before, name]})
    return product


@atomic_with_retry
def archive_product(*, product_id: int, by: User) -> Product:
    """Take a product out of new choices; what belongs to it stays. Twice is once."""
    product = Product.objects.select_for_update(no_key=True).get(pk=product_id)
    if product.archived_at is None:
        product.archived_at = clock.now()
        product.save(update_fields=["archived_at"])
        activity.write(by=by, kind="product.archived", subject=product)
    return product


@atomic_with_retry
def unarchive_product(*, product_id: int, by: User) -> Product:
    """Let a product be chosen again. Twice is once."""
    product = Product.objects.select_for_update(no_key=True).get(pk=product_id)
    if product.archived_at is not None:
        product.archived_at = None
        product.save(update_fields=["archived_at"])
        activity.write(by=by, kind="product.unarchived", subject=product)
    return product


@atomic_with_retry
def delete_product(*, product_id: int, by: User) -> None:
    """Remove a product that nothing belongs to. Raises InUse with the counts."""
    # A full lock: nothing can be hung on the product between the counting and the end.
    product = Product.objects.select_for_update().get(pk=product_id)
    if dependents := count_dependents(product):
        raise InUse(product, dependents)
    activity.write(by=by, kind="product.deleted", subject=product)
    product.delete()


def count_dependents(product: Product) -> Dependents:
    """Count what belongs to `product`."""
    there = product.databases.filter(deleted_at=None).count()
    return Dependents(
        databases=there,
        imports=product.imports.count(),
        deleted=product.databases.count() - there,
        others=_others(product),
    )


def _others(product: Product) -> dict[str, int]:
    """Count what apps above this one keep for a product; they are known by their relation alone."""
    relations: list[Any] = [
        relation
        for relation in product._meta.related_objects
        if relation.on_delete is PROTECT
        and relation.get_accessor_name() not in ("databases", "imports")
    ]
    counts = {
        str(relation.related_model._meta.verbose_name_plural): (
            relation.related_model._base_manager.filter(**{relation.field.name: product}).count()
        )
        for relation in relations
    }
    return {name: count for name, count in counts.items() if count}


def _save(product: Product, *fields: str) -> None:
    try:
        with transaction.atomic():
            product.save(update_fields=fields or None)
    except IntegrityError as clash:
        if "product_name_once" not in str(clash):
            raise
        holder = Product.objects.filter(name__iexact=product.name).first()
        raise NameTaken(holder, product.name) from clash
