"""The message that a staff starts chats with: chosen once, remembered for the product."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRefresh

from accounts.access import Audience, MemberRequest, audience
from batches import reports
from batches.forms_templates import ChoiceForm
from batches.keys import BatchKey
from batches.message import Message
from batches.models import MessageTemplate
from batches.views.places import address, batch_or_404
from crm.kernel.hx import wants_fragment

CHOSEN = "messages"  # in the session: the product's id to the template's


@dataclass(frozen=True, slots=True)
class Offer:
    """The messages of a batch's product, and the one that its reader chose."""

    templates: list[MessageTemplate]
    chosen: MessageTemplate | None

    @property
    def message(self) -> Message | None:
        return Message(self.chosen.body) if self.chosen else None


def offer_of(request: MemberRequest, batch: reports.Batch) -> Offer:
    """Give what can be sent from a batch; one archived since it was chosen is chosen no longer."""
    product_id = batch.stat.database.product_id
    if product_id is None:
        return Offer([], None)
    templates = list(
        MessageTemplate.objects.visible_to(request.user).of_product(batch.stat.database.product)
    )
    wanted = request.session.get(CHOSEN, {}).get(str(product_id))
    return Offer(templates, next((one for one in templates if one.pk == wanted), None))


@audience(Audience.STAFF)
@require_POST
def choose_message(request: MemberRequest, key: BatchKey) -> HttpResponse:
    """Remember which message the links of this product carry; none is a choice too."""
    batch = batch_or_404(request, key)
    form = ChoiceForm(request.POST, templates=offer_of(request, batch).templates)
    if form.is_valid():
        chosen = request.session.get(CHOSEN, {})
        product = str(batch.stat.database.product_id)
        request.session[CHOSEN] = chosen | {product: form.cleaned_data["template"]}
    if wants_fragment(request):
        answer: HttpResponse = HttpResponseClientRefresh()
        return answer
    return redirect(address(request, key))
