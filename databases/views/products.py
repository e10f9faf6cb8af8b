"""Products: the list, and what an admin does with one."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import Audience, MemberRequest, audience
from crm.kernel.errors import DomainError
from crm.kernel.hx import page_or_fragment, redirect_to
from crm.kernel.paging import keyset
from crm.kernel.text import clean_text
from databases.forms_products import ProductForm, RenameProductForm
from databases.models import Product
from databases.services import products

PAGE_SIZE = 50


@audience(Audience.ADMIN)
@require_safe
def product_list(request: MemberRequest) -> HttpResponse:
    """Show the products with what belongs to each."""
    return _list(request, ProductForm())


def _list(request: MemberRequest, form: ProductForm, *, status: int = 200) -> HttpResponse:
    everything = Product.objects.visible_to(request.user)
    archived = request.GET.get("show") == "archived"
    query = clean_text(request.GET.get("q", ""))
    rows = everything.exclude(archived_at=None) if archived else everything.current()
    if query:
        rows = rows.filter(name__icontains=query)
    page = keyset(
        rows.annotate(databases_count=Count("databases", filter=Q(databases__deleted_at=None))),
        order=["name", "pk"],
        after=request.GET.get("after"),
        size=PAGE_SIZE,
    )
    counts = everything.aggregate(
        current=Count("pk", filter=Q(archived_at=None)),
        archived=Count("pk", filter=Q(archived_at__isnull=False)),
    )
    context = {
        "page": page,
        "form": form,
        "archived": archived,
        "query": query,
        "counts": counts,
    }
    return page_or_fragment(
        request, "products/list.html", "products/list.html#listing", context, status=status
    )


@audience(Audience.ADMIN)
@require_POST
def create_product(request: MemberRequest) -> HttpResponse:
    """Make a product from the form above the list."""
    form = ProductForm(request.POST)
    if not form.is_valid():
        return _list(request, form, status=422)
    try:
        product = products.create_product(name=form.cleaned_data["name"], by=request.user)
    except DomainError as error:
        form.add_error("name", error.message)
        return _list(request, form, status=error.status)
    messages.success(request, _("%(name)s created.") % {"name": product.name})
    return redirect_to(request, "products:list")


@audience(Audience.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def rename_product(request: MemberRequest, pk: int) -> HttpResponse:
    """Change the name of a product."""
    product = get_object_or_404(Product.objects.visible_to(request.user), pk=pk)
    start = {"name": product.name, "version": product.version}
    form = RenameProductForm(request.POST if request.method == "POST" else None, initial=start)
    status, theirs = 422 if form.is_bound else 200, ""
    if form.is_bound and form.is_valid():
        try:
            renamed = products.rename_product(product_id=pk, by=request.user, **form.cleaned_data)
        except products.RenamedMeanwhile as error:
            form.add_error(None, error.message)
            status, theirs = error.status, error.current.name
            # Both texts stand on the page; saving again is a decision about the newer one.
            data = request.POST.copy()
            data["version"] = str(error.current.version)
            form.data = data
        except DomainError as error:
            form.add_error("name", error.message)
            status = error.status
        else:
            messages.success(request, _("%(name)s saved.") % {"name": renamed.name})
            return redirect_to(request, "products:list")
    context = {"form": form, "product": product, "theirs": theirs}
    return render(request, "products/rename.html", context, status=status)


@audience(Audience.ADMIN)
@require_POST
def archive_product(request: MemberRequest, pk: int) -> HttpResponse:
    """Take a product out of new choices."""
    get_object_or_404(Product.objects.visible_to(request.user), pk=pk)
    product = products.archive_product(product_id=pk, by=request.user)
    messages.success(request, _("%(name)s archived.") % {"name": product.name})
    return redirect_to(request, "products:list")


@audience(Audience.ADMIN)
@require_POST
def unarchive_product(request: MemberRequest, pk: int) -> HttpResponse:
    """Let a product be chosen again."""
    get_object_or_404(Product.objects.visible_to(request.user), pk=pk)
    product = products.unarchive_product(product_id=pk, by=request.user)
    messages.success(request, _("%(name)s is back.") % {"name": product.name})
    return redirect_to(request, "products:list")


@audience(Audience.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def delete_product(request: MemberRequest, pk: int) -> HttpResponse:
    """Say what depends on a product, and delete it where nothing does."""
    product = get_object_or_404(Product.objects.visible_to(request.user), pk=pk)
    status, refusal = 200, ""
    if request.method == "POST":
        try:
            products.delete_product(product_id=pk, by=request.user)
        except DomainError as error:
            status, refusal = error.status, error.message
        else:
            messages.success(request, _("%(name)s deleted.") % {"name": product.name})
            return redirect_to(request, "products:list")
    context = {
        "product": product,
        "dependents": products.count_dependents(product),
        "refusal": refusal,
    }
    return render(request, "products/delete.html", context, status=status)
