"""Every row of every file has one outcome, before and after it is repaired and corrected."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from databases.models import DatabaseStat, Import, Pool, Record, SkippedRow
from tests import factories
from tests.concurrency.racing import broken_rules
from tests.databases.helpers import MIXED, form
from tests.databases.test_import import as_shown
from tests.databases.test_samples import MANIFEST, SAMPLES

SMALL = 2_000_000  # bytes; what is larger is imported, not corrected
IMPORTS = "/manage/databases/imports/"


def wrong(source: Import) -> str:
    """Say where the outcomes of a file do not add up, counted in the tables themselves."""
    source.refresh_from_db()
    assert source.database_id is not None, (source.original_name, source.state, source.problem)
    records = Record.objects.in_database(source.database_id)
    skipped = SkippedRow.objects.filter(source=source)
    counted = {
        "ready": records.filter(attention=None).count(),
        "attention": records.needing_attention().count(),
        "duplicate": skipped.exclude(reason="blank").count(),
        "blank": skipped.filter(reason="blank").count(),
    }
    said = {name: getattr(source, name) for name in counted}
    stat = DatabaseStat.objects.get(pk=source.database_id)
    on_shelf = Pool.objects.filter(database=source.database_id).count()
    if said != counted:
        return f"says {said}, has {counted}"
    if sum(counted.values()) != source.rows_total:
        return f"{counted} are not {source.rows_total}"
    if (stat.total, stat.attention, stat.available) != (
        counted["ready"] + counted["attention"],
        counted["attention"],
        on_shelf,
    ):
        return "the totals of the database are others"
    return "" if on_shelf == counted["ready"] else "a ready record is not on the shelf"


def all_wrong(sources: Iterable[Import]) -> dict[str, str]:
    found = {source.original_name: wrong(source) for source in sources}
    return {name: problem for name, problem in found.items() if problem}


def corrected(client: Client, source: Import) -> bytes:
    """Give the rows of `source` that are not ready, a number of its own in each."""
    assert source.database is not None
    content = b"".join(client.get(f"{IMPORTS}{source.pk}/not-ready.csv").streaming_content)
    header, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    phone = 2 + source.database.roles.index("phone")
    for i, row in enumerate(rows):
        row[phone] = f"0899{source.pk % 1000:03}{i:05}"
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode("utf-8-sig")


@pytest.mark.django_db(transaction=True)
def test_the_outcomes_of_every_file_add_up_whatever_is_repaired(
    as_citra: Client, work: Callable[[], None]
) -> None:
    product = factories.make_product()
    files = {
        sample["file"]: (SAMPLES / sample["file"]).read_bytes()
        for sample in MANIFEST["files"]
        if sample["expect"]["outcome"] == "import"
    } | {"mixed.csv": MIXED}
    for name, content in files.items():
        upload = SimpleUploadedFile(Path(name).name, content)
        as_citra.post("/manage/databases/upload/", form(product, file=upload))
    work()
    sources = list(Import.objects.order_by("pk"))
    for source in sources:
        shown = as_shown(source) | {"sheet": source.reading["sheet"]}
        assert as_citra.post(f"{IMPORTS}{source.pk}/confirm/", shown).status_code == 302
    work()
    assert all_wrong(sources) == {}

    repaired = []
    for source in sources:
        assert source.database is not None
        records = Record.objects.in_database(source.database.pk).needing_attention()
        first = records.order_by("row_number").first()
        if first is None or "phone" not in source.database.roles:
            continue
        url = f"/manage/databases/{source.database.pk}/attention/{first.row_number}/"
        cell = f"cell{source.database.roles.index('phone')}"
        assert as_citra.post(url, {cell: f"0898{source.pk % 1000:03}00000"}).status_code == 302
        repaired.append(source)
    assert repaired
    assert all_wrong(sources) == {}
    assert [source.repaired for source in repaired] == [1] * len(repaired)

    sent = [
        source
        for source in sources
        if source.not_ready
        and source.database
        and "phone" in source.database.roles
        and source.size < SMALL
    ]
    for source in sent:
        file = SimpleUploadedFile("koreksi.csv", corrected(as_citra, source))
        fields = {"token": uuid.uuid4(), "file": file}
        assert as_citra.post(f"{IMPORTS}{source.pk}/correct/", fields).status_code == 302
    work()
    for correction in Import.objects.exclude(corrects=None):
        assert correction.state == Import.State.WAITING, correction.problem
        as_citra.post(f"{IMPORTS}{correction.pk}/confirm-correction/")
    work()
    assert all_wrong(sources) == {}
    assert [source.original_name for source in sent if source.not_ready] == []
    assert broken_rules() == []
