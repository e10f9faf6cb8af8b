"""Every sample file, from the upload form to the records: exactly what its manifest says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from databases.models import Import, Record, SkippedRow
from tests import factories
from tests.databases.helpers import form
from tests.databases.test_import import as_shown

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
MANIFEST = json.loads((SAMPLES / "manifest.json").read_text())


@pytest.mark.django_db(transaction=True)
def test_all_samples_give_what_the_manifest_says(
    as_citra: Client, work: Callable[[], None]
) -> None:
    product = factories.make_product()
    expected = {
        sample["file"]: sample["expect"]
        for sample in MANIFEST["files"]
        if sample["expect"]["outcome"] == "import"
    }
    for name in expected:
        upload = SimpleUploadedFile(name, (SAMPLES / name).read_bytes())
        assert (
            as_citra.post("/manage/databases/upload/", form(product, file=upload)).status_code
            == 302
        )
    work()
    for source in Import.objects.all():
        url = f"/manage/databases/imports/{source.pk}/"
        assert as_citra.get(url + "check/").status_code == 200
        shown = as_shown(source) | {"sheet": source.reading["sheet"]}
        assert as_citra.post(url + "confirm/", shown).status_code == 302, source.original_name
    work()
    wrong = {
        source.original_name: problem
        for source in Import.objects.all()
        if (problem := difference(source, expected[source.original_name]))
    }
    assert wrong == {}
    assert Import.objects.count() == len(expected)


def difference(source: Import, expect: dict[str, Any]) -> str:
    """Say how the records of `source` differ from what is expected; nothing when they do not."""
    if source.state != Import.State.DONE:
        return f"{source.state} {source.problem}"
    assert source.database is not None
    records = Record.objects.in_database(source.database.pk).order_by("row_number")
    ready = records.filter(attention=None)
    lines = [f"{record.phone}\t{record.name}" for record in ready]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    if source.database.columns != expect["columns"]:
        return f"columns {source.database.columns}"
    if (source.ready, digest) != (expect["accepted"], expect["records_digest"]):
        return f"{source.ready} ready instead of {expect['accepted']}"
    found = {record.row_number: record.attention for record in records.exclude(attention=None)}
    skipped = SkippedRow.objects.filter(source=source).exclude(reason="blank")
    found |= {row.row_number: row.reason for row in skipped}
    reasons = {row["row"]: row["reason"] for row in expect["rejected"]}
    # The manifest of the large one names only its first rows.
    if not reasons.items() <= found.items() or len(found) != expect["rejected_rows"]:
        return f"{found} instead of {reasons}"
    if source.read != source.rows_total:
        return "the outcomes do not add up"
    return ""
