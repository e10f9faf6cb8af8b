"""A program beside a running `manage.py up`, in its environment: it prepares, or looks, as JSON.

python -m tests.project.beside prepare
python -m tests.project.beside look
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django


def prepare() -> dict[str, Any]:
    """Make an admin who is signed in, and a product."""
    from django.test import Client

    from accounts.models import User
    from databases.models import Product

    admin = User.objects.filter(email="admin@example.com").first()
    admin = admin or User.objects.create_user(
        email="admin@example.com", name="Admin", role=User.Role.ADMIN, password=None
    )
    product, _ = Product.objects.get_or_create(name="Melati")
    client = Client()
    client.force_login(admin)
    return {
        "cookies": {name: morsel.value for name, morsel in client.cookies.items()},
        "product": product.pk,
    }


def look() -> dict[str, Any]:
    """Say what is stored: in the tables, and as files."""
    from django.conf import settings
    from django.db.models import Count
    from procrastinate.contrib.django.models import ProcrastinateJob

    from databases.importing.problems import SENTENCES
    from databases.models import Import, Pool, ReceivedFile, Record

    imports, wrong = [], []
    stored = dict(Record.objects.values_list("database").annotate(rows=Count("pk")))
    for source in Import.objects.order_by("pk"):
        imports.append([source.pk, source.state, source.problem])
        outcomes = source.ready + source.attention + source.duplicate + source.blank
        kept = stored.get(source.database_id or 0, 0)
        if source.state == "done" and (
            outcomes != source.rows_total or kept != source.ready + source.attention
        ):
            wrong.append([source.pk, "the outcomes do not add up"])
        if source.state == "refused" and source.problem not in SENTENCES:
            wrong.append([source.pk, f"{source.problem} has no sentence"])
    return {
        "imports": imports,
        "wrong": wrong,
        "records": Record.objects.count(),
        "shelf": Pool.objects.count(),
        "received": ReceivedFile.objects.count(),
        "failed_jobs": ProcrastinateJob.objects.filter(status="failed").count(),
        "files": _files(Path(settings.MEDIA_ROOT)),
        "arriving": _files(Path(settings.FILE_UPLOAD_TEMP_DIR)),
    }


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def main() -> None:
    """Do what the first argument says and print the outcome."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "crm.settings"
    django.setup()
    parts: dict[str, Callable[[], dict[str, Any]]] = {"prepare": prepare, "look": look}
    json.dump(parts[sys.argv[1]](), sys.stdout)


if __name__ == "__main__":
    main()
