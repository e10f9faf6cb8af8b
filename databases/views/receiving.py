"""Taking a file in pieces from the script of the upload form; it answers a script, so in JSON."""

from __future__ import annotations

import uuid

from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import Audience, MemberRequest, audience
from crm.kernel.errors import DomainError
from databases.errors import FileGone, PieceMisplaced
from databases.forms_upload import PieceForm, ReceiveForm
from databases.models import ReceivedFile
from databases.services import receiving


@audience(Audience.ADMIN)
@require_POST
def receive(request: MemberRequest) -> JsonResponse:
    """Begin to take a file whose name and size are told."""
    form = ReceiveForm(request.POST)
    if not form.is_valid():
        return JsonResponse({"message": form.refusal}, status=422)
    try:
        file = receiving.begin_receiving(
            name=form.cleaned_data["name"], size=form.cleaned_data["size"], by=request.user
        )
    except DomainError as error:
        return JsonResponse({"message": error.message}, status=error.status)
    return JsonResponse(
        _answer(file)
        | {
            "pieces": reverse("databases:receive_piece", args=[file.pk]),
            "cancel": reverse("databases:cancel_receiving", args=[file.pk]),
            "most": receiving.PIECE_MAX_BYTES,
        },
        status=201,
    )


@audience(Audience.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def receive_piece(request: MemberRequest, pk: uuid.UUID) -> JsonResponse:
    """Say how much of a file is here; take the piece that follows."""
    file = ReceivedFile.objects.visible_to(request.user).filter(pk=pk).first()
    if file is None:
        return JsonResponse({"message": FileGone().message}, status=404)
    if request.method != "POST":
        return JsonResponse(_answer(file))
    form = PieceForm(request.GET)
    piece = _body_of(request)
    if piece is None or not form.is_valid():
        # Cut off on its way, or no piece at all: nothing of it counts.
        return JsonResponse(_answer(file), status=422)
    try:
        file = receiving.receive_piece(
            received_id=pk, offset=form.cleaned_data["offset"], piece=piece, by=request.user
        )
    except PieceMisplaced as error:
        return JsonResponse(_answer(error.received) | {"message": error.message}, status=409)
    except ReceivedFile.DoesNotExist:
        return JsonResponse({"message": FileGone().message}, status=404)
    except DomainError as error:
        # Without `arrived`: there is nothing to go on with, unless it says 503.
        return JsonResponse({"message": error.message}, status=error.status)
    return JsonResponse(_answer(file))


def _body_of(request: MemberRequest) -> bytes | None:
    """Give the piece in the body, or nothing when it is not as long as announced, or too long."""
    try:
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
        if not 0 < announced <= receiving.PIECE_MAX_BYTES:
            return None
        piece: bytes = request.read(announced)
    except (ValueError, OSError):
        return None
    return piece if len(piece) == announced else None


@audience(Audience.ADMIN)
@require_POST
def cancel_receiving(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Forget a file that nobody wants to send any more; twice is once."""
    receiving.give_up_receiving(received_id=pk, by=request.user)
    return HttpResponse(status=204)


def _answer(file: ReceivedFile) -> dict[str, object]:
    return {
        "id": str(file.pk),
        "name": file.original_name,
        "arrived": file.arrived,
        "size": file.size,
        "whole": bool(file.sha256),
    }
