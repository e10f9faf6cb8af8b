"""Receiving a file in pieces, so that a slow or breaking line loses nothing that has arrived.

The sender asks how much is here and goes on from there. A piece is taken only where the file ends,
so that none can be missing, twice or in the wrong place; the row's lock orders two that come at
once. The content is known (`sha256`) when all is here; only then an import can take the file.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import os
import shutil
import uuid
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from accounts.models import User
from crm.kernel import clock
from crm.kernel.transactions import atomic_with_retry
from databases.errors import CannotStore, FileGone, PieceMisplaced, TooManyUnfinished
from databases.models import ReceivedFile
from databases.services.uploads import extension_of, forget_file, shown_name

logger = logging.getLogger(__name__)

PIECE_MAX_BYTES = 2 * 1024 * 1024  # in memory, once for each upload that runs
UNFINISHED_MAX = 5  # of one person; each may grow to the limit of an upload
LEFT_AFTER = dt.timedelta(minutes=10)  # nobody sends any more: may make room for a new one
_SPARE_BYTES = 64 * 1024 * 1024  # what the disk keeps for everything else


def begin_receiving(*, name: str, size: int, by: User) -> ReceivedFile:
    """Make room for a file that will come in pieces.

    Raises CannotStore when the disk has none, TooManyUnfinished when the person sends too many.
    """
    stored = ""
    try:
        _ensure_room(size)
        wanted = f"uploads/{uuid.uuid4().hex}{extension_of(name)}"
        stored = wanted  # it may be there although saving failed
        stored = default_storage.save(wanted, ContentFile(b""))
        return _begin(stored=stored, name=name, size=size, by=by)
    except OSError as error:
        logger.error("An upload could not begin: %s", error.strerror)
        forget_file(stored)
        raise CannotStore from error
    except BaseException:
        forget_file(stored)
        raise


def _ensure_room(size: int) -> None:
    Path(settings.MEDIA_ROOT).mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(settings.MEDIA_ROOT).free < size + _SPARE_BYTES:
        raise CannotStore


@atomic_with_retry
def _begin(*, stored: str, name: str, size: int, by: User) -> ReceivedFile:
    # Counted under the person's lock, or two windows could both be the last that is allowed.
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    mine = ReceivedFile.objects.unfinished().filter(received_by=by).order_by("received_at")
    sending = list(mine)
    spare = len(sending) - UNFINISHED_MAX + 1
    left = [file for file in sending if file.received_at < clock.now() - LEFT_AFTER]
    if spare > len(left):
        raise TooManyUnfinished(UNFINISHED_MAX)
    for file in left[: max(0, spare)]:
        _forget(file)
    return ReceivedFile.objects.create(
        file=stored, original_name=shown_name(name), size=size, received_by=by
    )


def receive_piece(*, received_id: uuid.UUID, offset: int, piece: bytes, by: User) -> ReceivedFile:
    """Add `piece` to the end of a file; the last one makes it whole.

    Raises ReceivedFile.DoesNotExist, PieceMisplaced when `offset` is not where the file ends or the
    piece goes past what was announced. CannotStore when the disk refuses and FileGone when what had
    arrived is not there any more: nothing is kept then.
    """
    try:
        return _receive_piece(received_id=received_id, offset=offset, piece=piece, by=by)
    except (CannotStore, FileGone):
        give_up_receiving(received_id=received_id, by=by)
        raise


@atomic_with_retry
def _receive_piece(*, received_id: uuid.UUID, offset: int, piece: bytes, by: User) -> ReceivedFile:
    file = ReceivedFile.objects.visible_to(by).select_for_update().get(pk=received_id)
    if offset != file.arrived or not piece or offset + len(piece) > file.size or file.sha256:
        raise PieceMisplaced(file)
    try:
        _append(file, piece)
        file.arrived += len(piece)
        if file.arrived == file.size:
            file.sha256 = _digest(file)
    except FileNotFoundError as error:
        raise FileGone from error
    except OSError as error:
        logger.error("A piece of an upload could not be stored: %s", error.strerror)
        raise CannotStore from error
    file.received_at = clock.now()
    file.save(update_fields=["arrived", "sha256", "received_at"])
    return file


def _append(file: ReceivedFile, piece: bytes) -> None:
    descriptor = os.open(file.file.path, os.O_WRONLY)
    try:
        if os.fstat(descriptor).st_size < file.arrived:
            raise FileNotFoundError
        # Bytes of a piece whose transaction failed stand there: they are written over.
        os.ftruncate(descriptor, file.arrived)
        at, rest = file.arrived, memoryview(piece)
        while rest:
            written = os.pwrite(descriptor, rest, at)
            at, rest = at + written, rest[written:]
    finally:
        os.close(descriptor)


def _digest(file: ReceivedFile) -> str:
    with Path(file.file.path).open("rb") as stored:
        return hashlib.file_digest(stored, "sha256").hexdigest()


@atomic_with_retry
def give_up_receiving(*, received_id: uuid.UUID, by: User) -> None:
    """Forget a file that arrives or has arrived; one that is gone already is no matter."""
    file = ReceivedFile.objects.visible_to(by).select_for_update().filter(pk=received_id).first()
    if file is not None:
        _forget(file)


def _forget(file: ReceivedFile) -> None:
    stored = file.file.name or ""
    file.delete()
    transaction.on_commit(lambda: forget_file(stored))
