"""Message templates: what staff may start a chat with, product by product."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import activity
from accounts.access import Audience, MemberRequest, audience
from batches.errors import TemplateChanged
from batches.forms_templates import EditTemplateForm, TemplateForm, said_of
from batches.message import FIXED
from batches.models import MessageTemplate
from batches.reports import templates as reports
from batches.services import templates as services
from crm.kernel.address import id_in
from crm.kernel.errors import DomainError
from crm.kernel.hx import redirect_to, wants_fragment
from databases.models import Product


@audience(Audience.ADMIN)
@require_safe
def template_list(request: MemberRequest) -> HttpResponse:
    """Show the messages of one product, in the order in which staff are offered them."""
    products = reports.products_with_templates(request.user)
    wanted = id_in(request.GET.get("product", ""))
    product = next((one for one in products if one.pk == wanted), None)
    if product is None and wanted is not None:
        product = get_object_or_404(Product.objects.visible_to(request.user), pk=wanted)
    if product is None:
        used = (one for one in products if one.templates_count)
        product = next(used, products[0] if products else None)
    found = reports.templates_of(request.user, product) if product else []
    context = {
        "products": products,
        "product": product,
        "offered": [template for template in found if template.archived_at is None],
        "archived": [template for template in found if template.archived_at is not None],
    }
    return render(request, "message_templates/list.html", context)


@audience(Audience.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def create_template(request: MemberRequest) -> HttpResponse:
    """Write a new message for the product in the address, trying it out meanwhile."""
    if "product" not in request.GET:
        return redirect_to(request, "templates:list")
    products = Product.objects.visible_to(request.user)
    product = get_object_or_404(products, pk=id_in(request.GET["product"]) or 0)
    columns = reports.columns_of(product)
    form = TemplateForm(request.POST if request.method == "POST" else None, columns=columns)
    if "preview" in request.POST:
        return _tried(request, form, product)
    status = 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        try:
            made = services.create_template(
                product_id=product.pk, by=request.user, **form.cleaned_data
            )
        except DomainError as error:
            form.add_error("name", error.message)
            status = error.status
        else:
            messages.success(request, _("%(name)s created.") % {"name": made.name})
            return redirect_to(request, _list_of(product))
    return _page(request, form, product, status=status)


@audience(Audience.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def edit_template(request: MemberRequest, pk: int) -> HttpResponse:
    """Change a message, trying it out meanwhile."""
    template = _template(request, pk)
    product = template.product
    start = {"name": template.name, "body": template.body, "version": template.version}
    data = request.POST if request.method == "POST" else None
    form = EditTemplateForm(data, initial=start, columns=reports.columns_of(product))
    if "preview" in request.POST:
        return _tried(request, form, product, template=template)
    status, theirs = 422 if form.is_bound else 200, None
    if form.is_bound and form.is_valid():
        try:
            saved = services.edit_template(template_id=pk, by=request.user, **form.cleaned_data)
        except TemplateChanged as error:
            form.add_error(None, error.message)
            status, theirs = error.status, error.current
            # Both texts stand on the page; saving again is a decision about the newer one.
            newer = request.POST.copy()
            newer["version"] = str(error.current.version)
            form.data = newer
        except DomainError as error:
            form.add_error("name", error.message)
            status = error.status
        else:
            messages.success(request, _("%(name)s saved.") % {"name": saved.name})
            return redirect_to(request, _list_of(product))
    return _page(request, form, product, status=status, template=template, theirs=theirs)


@audience(Audience.ADMIN)
@require_POST
def move_template(request: MemberRequest, pk: int) -> HttpResponse:
    """Offer a message earlier or later."""
    template = _template(request, pk)
    down = request.POST.get("way") == "down"
    services.move_template(template_id=pk, down=down, by=request.user)
    return redirect_to(request, f"{_list_of(template.product)}#template-{pk}")


@audience(Audience.ADMIN)
@require_POST
def archive_template(request: MemberRequest, pk: int) -> HttpResponse:
    """Offer a message no longer."""
    template = _template(request, pk)
    services.archive_template(template_id=pk, by=request.user)
    messages.success(request, _("%(name)s archived.") % {"name": template.name})
    return redirect_to(request, _list_of(template.product))


@audience(Audience.ADMIN)
@require_POST
def restore_template(request: MemberRequest, pk: int) -> HttpResponse:
    """Offer a message again."""
    template = _template(request, pk)
    try:
        services.restore_template(template_id=pk, by=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("%(name)s is back.") % {"name": template.name})
    return redirect_to(request, _list_of(template.product))


def _template(request: MemberRequest, pk: int) -> MessageTemplate:
    visible = MessageTemplate.objects.visible_to(request.user).select_related("product")
    return get_object_or_404(visible, pk=pk)


def _list_of(product: Product) -> str:
    return f"{reverse('templates:list')}?product={product.pk}"


def _tried(
    request: MemberRequest,
    form: TemplateForm,
    product: Product,
    *,
    template: MessageTemplate | None = None,
) -> HttpResponse:
    """Show what is typed as a customer would get it, saving nothing."""
    if wants_fragment(request):
        return render(request, "message_templates/edit.html#preview", _preview(form, product))
    return _page(request, form, product, status=200, template=template)


def _page(
    request: MemberRequest,
    form: TemplateForm,
    product: Product,
    *,
    status: int,
    template: MessageTemplate | None = None,
    theirs: MessageTemplate | None = None,
) -> HttpResponse:
    context = _preview(form, product) | {
        "form": form,
        "product": product,
        "template": template,
        "theirs": theirs,
        "fields": [*FIXED, *form.columns],
    }
    record = context["preview"].sample.record
    if record is not None:
        activity.write(
            by=request.user, kind="records.shown", subject=record.database, records=[record.pk]
        )
    return render(request, "message_templates/edit.html", context, status=status)


def _preview(form: TemplateForm, product: Product) -> dict[str, Any]:
    body = str(form["body"].value() or "")
    preview = reports.preview_of(body, product=product, columns=form.columns)
    return {"preview": preview, "flaws": said_of(preview.flaws, columns=form.columns)}
