"""Receiving files: kept under a name of our own making, known by what is in them."""

from __future__ import annotations

import hashlib
import logging
import uuid
from pathlib import PurePath
from typing import TYPE_CHECKING

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction

from accounts import activity
from accounts.models import User
from crm.kernel.text import clean_text
from crm.kernel.transactions import atomic_with_retry
from databases.errors import CannotStore, FileGone
from databases.models import Import, Product, ReceivedFile
from databases.services.prepared import forget_rows
from databases.services.queue import enqueue_reading

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

logger = logging.getLogger(__name__)

# What the reader knows how to read; the content is checked there, the name here.
EXTENSIONS = (".csv", ".txt", ".tsv", ".xlsx", ".xls", ".xlsb", ".ods")
SHOWN_NAME = 200  # characters of a file's name that are kept to show


def extension_of(name: str) -> str:
    """Give the extension of a file's name in lower case, with its dot."""
    return PurePath(clean_text(name)).suffix.lower()


def shown_name(name: str) -> str:
    """Give a file's name as it may be shown: no folders, no control or direction marks, cut.

    The end stays when it is cut, because it says what kind of file it is.
    """
    plain = clean_text(name.replace("\\", "/").rsplit("/", 1)[-1]) or "file"
    if len(plain) <= SHOWN_NAME:
        return plain
    suffix = PurePath(plain).suffix[-10:]
    return plain[: SHOWN_NAME - len(suffix) - 1] + "…" + suffix


def default_title(name: str) -> str:
    """Give the name of a database that is called as its file."""
    return (PurePath(shown_name(name)).stem.strip() or "file")[:120]


def receive_file(*, upload: UploadedFile, by: User) -> ReceivedFile:
    """Keep an uploaded file. Raises CannotStore, with nothing kept, when the disk refuses."""
    digest = hashlib.sha256()
    stored = ""
    try:
        for chunk in upload.chunks(1 << 20):
            digest.update(chunk)
        upload.seek(0)
        # The name that the sender gave decides nothing here but the (known) extension.
        wanted = f"uploads/{uuid.uuid4().hex}{extension_of(upload.name or '')}"
        stored = wanted  # a disk that fills up half way leaves the first half
        stored = default_storage.save(wanted, File(upload))
        with transaction.atomic():
            return ReceivedFile.objects.create(
                file=stored,
                original_name=shown_name(upload.name or ""),
                size=upload.size or 0,
                arrived=upload.size or 0,
                sha256=digest.hexdigest(),
                received_by=by,
            )
    except OSError as error:
        logger.error("An uploaded file could not be stored: %s", error.strerror)
        forget_file(stored)
        raise CannotStore from error
    except BaseException:
        forget_file(stored)
        raise


def forget_file(name: str) -> None:
    """Delete a stored file and its kept rows; what cannot be deleted is left behind, and said."""
    if name:
        forget_rows(name)
        try:
            default_storage.delete(name)
        except OSError:
            logger.warning("A stored upload could not be deleted.")


@atomic_with_retry
def start_import(
    *,
    received: ReceivedFile,
    product: Product,
    name: str,
    description: str,
    token: uuid.UUID,
    by: User,
    corrects: Import | None = None,
) -> Import:
    """Make an import of a received file and have it read; the same form sent twice makes one.

    `corrects`: the file holds corrected rows of that import.

    Raises FileGone when another form took the file, or not all of it has arrived.
    """
    if not received.sha256:
        raise FileGone
    try:
        with transaction.atomic():
            source = Import.objects.create(
                product=product,
                name=name or default_title(received.original_name),
                description=description,
                uploaded_by=by,
                file=received.file.name,
                original_name=received.original_name,
                size=received.size,
                sha256=received.sha256,
                token=token,
                attempt=1,
                corrects=corrects,
            )
    except IntegrityError as clash:
        if "token" not in str(clash):
            raise
        first = Import.objects.get(token=token)
        if first.file.name != received.file.name:
            received.delete()
            spare = received.file.name or ""
            transaction.on_commit(lambda: forget_file(spare))
        return first
    if not ReceivedFile.objects.filter(pk=received.pk).delete()[0]:
        raise FileGone
    activity.write(
        by=by,
        kind="upload.received",
        subject=source,
        file=received.original_name,
        size=received.size,
    )
    enqueue_reading(source)
    return source
