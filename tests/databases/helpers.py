"""Files and imports in the state that a test needs."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import User
from crm.kernel import clock
from databases.models import Import, Product
from tests import factories

HEADER = "Username;Nama;No HP;Kota;No Rekening"
# 3 ready (row 2, 3, 7), 1 without a usable phone (4), 1 duplicate of row 2 (5), 1 blank (6).
MIXED = "\n".join(
    [
        HEADER,
        "budi01;Budi Santoso;0812-3456-7801;Bekasi;0012345",
        "sari02;Sari Dewi;+62 812 3456 7802;Depok;0012346",
        "agus03;Agus Rahman;123;Medan;0012347",
        "budi09;Budi Lagi;62 81234567801;Bekasi;0012348",
        ";;;;",
        "rina04;Rina Putri;81234567804;Bogor;0012349",
        "",
    ]
).encode()

READING: dict[str, Any] = {
    "kind": "csv",
    "encoding": "utf-8",
    "delimiter": ";",
    "sheets": [],
    "sheet": "",
    "header_row": 1,
    "columns": [
        {"name": "Username", "role": "username", "confidence": 0.99},
        {"name": "Nama", "role": "name", "confidence": 0.97},
        {"name": "No HP", "role": "phone", "confidence": 0.99},
        {"name": "Kota", "role": "", "confidence": 0.9},
        {"name": "No Rekening", "role": "sensitive", "confidence": 0.6},
    ],
    "preview": [
        {
            "row_number": 2,
            "cells": ["budi01", "Budi Santoso", "0812-3456-7801", "Bekasi", "0012345"],
            "outcome": "ready",
            "reason": "",
            "phone": "6281234567801",
            "same_as": None,
        },
        {
            "row_number": 4,
            "cells": ["agus03", "Agus <b>Rahman</b>", "123", "Medan", "0012347"],
            "outcome": "attention",
            "reason": "invalid_phone",
            "phone": "",
            "same_as": None,
        },
        {
            "row_number": 5,
            "cells": ["budi09", "Budi Lagi", "62 81234567801", "Bekasi", "0012348"],
            "outcome": "duplicate",
            "reason": "duplicate_phone",
            "phone": "6281234567801",
            "same_as": 2,
        },
        {
            "row_number": 6,
            "cells": ["", "", "", "", ""],
            "outcome": "blank",
            "reason": "",
            "phone": "",
            "same_as": None,
        },
    ],
    "rows_estimate": 6,
    "header_fingerprint": "x",
    "warnings": [],
    "tally": {
        "total": 6,
        "ready": 3,
        "attention": {"invalid_phone": 1},
        "duplicate": {"duplicate_phone": 1},
        "blank": 1,
        "lost_digits": 0,
        "wide_rows": 0,
    },
}


def csv_file(name: str = "pelanggan.csv", content: bytes = MIXED) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="text/csv")


def form(product: Product, /, **changes: Any) -> dict[str, Any]:
    """Give what the upload form sends."""
    return {
        "token": str(uuid.uuid4()),
        "product": product.pk,
        "name": "",
        "description": "",
        "file": csv_file(),
    } | changes


def make_import(
    *,
    state: str = Import.State.WAITING,
    by: User | None = None,
    content: bytes = MIXED,
    reading: dict[str, Any] | None = None,
    **given: Any,
) -> Import:
    """Make an import with a stored file, read as `READING` unless told otherwise."""
    by = by or factories.make_admin()
    stored = default_storage.save(f"uploads/{uuid.uuid4().hex}.csv", ContentFile(content))
    if state in (Import.State.QUEUED, Import.State.RUNNING, Import.State.DONE):
        given = {"confirmed_by": by, "confirmed_at": clock.now()} | given
    return Import.objects.create(
        **{
            "product": given.pop("product", None) or factories.make_product(),
            "name": "Pelanggan",
            "uploaded_by": by,
            "file": stored,
            "original_name": "pelanggan.csv",
            "size": len(content),
            "sha256": uuid.uuid4().hex * 2,
            "token": uuid.uuid4(),
            "state": state,
            "reading": READING if reading is None else reading,
            "rows_total": 6,
            "attempt": 1,
        }
        | given
    )


def check_form(**changes: Any) -> dict[str, Any]:
    """Give what the check page sends when nothing was changed on it."""
    roles = {f"role{i}": column["role"] for i, column in enumerate(READING["columns"])}
    return {"encoding": "utf-8", "delimiter": ";", "header_row": "1"} | roles | changes
