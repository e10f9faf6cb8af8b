"""Names of files made to do harm, as the bytes that a sender can put into a request."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import Activity
from databases.models import Import
from databases.services.uploads import SHOWN_NAME
from tests import factories
from tests.databases.helpers import MIXED
from tests.databases.test_import import as_shown, url

UPLOAD = "/manage/databases/upload/"
NAMES = {
    "traversal": b"../../../../../../etc/cron.d/evil.csv",
    "traversal of Windows": b"..\\\\..\\\\windows\\\\system32\\\\evil.csv",
    "absolute": b"/etc/passwd.csv",
    "drive letter": b"C:\\\\temp\\\\evil.csv",
    "device": b"CON.csv",
    "another stream": b"a.csv::$DATA.csv",
    "NUL": b"a.exe\x00.csv",
    "line break": b"a\\\r\\\nSet-Cookie: x=y\\\r\\\n\\\r\\\n<html>.csv",
    "encoded line break": b"a%0d%0aSet-Cookie:%20x=y.csv",
    "direction": "laporan\u202excod.\u2066\u200b.csv".encode(),
    "three hundred": b"a" * 300 + b".csv",
    "wide characters": ("名簿🎉" * 80 + ".csv").encode(),
    "HTML": b"<img src=x onerror=alert(1)><script>alert(2)</script>.csv",
    "template": b"{{ 7 }}{% debug %}${7}.csv",
    "quotes": b'a\\"b\';--\\"; filename=\\"evil.html.csv',
    "dot file": b".htaccess.csv",
    "dots and spaces": b"  . . ..csv",
    "dots at the end": b"evil.csv. . ",
    "option": b"-rf.csv",
    "only an extension": b".csv",
    "not UTF-8": b"Jos\xe9\xff\xfe.csv",
    "surrogate": b"a\xed\xa0\x80.csv",
    "formula": b"=cmd|' /C calc'!A0.csv",
    "format": b"%s%n%(name)s.csv",
}


def sent(client: Client, product: int, name: bytes) -> HttpResponse:
    """Send the form as a request made by hand: no client cleans this name."""
    fields = {"token": str(uuid.uuid4()), "product": str(product), "name": "", "description": ""}
    body = b"".join(
        f'--x\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
        for field, value in fields.items()
    )
    body += b'--x\r\nContent-Disposition: form-data; name="file"; filename="' + name + b'"\r\n\r\n'
    body += MIXED + b"\r\n--x--\r\n"
    answer: Any = client.post(UPLOAD, body, content_type="multipart/form-data; boundary=x")
    return answer  # type: ignore[no-any-return]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", NAMES)
def test_the_stored_path_is_ours_and_the_shown_name_is_harmless(
    as_citra: Client, media: Path, work: Callable[[], None], kind: str
) -> None:
    product = factories.make_product()
    outside = _files(media.parent) - _files(media)
    answer = sent(as_citra, product.pk, NAMES[kind])
    if answer.status_code != 302:
        # Refused in a sentence, like any name that ends in nothing known.
        assert answer.status_code == 422
        assert "cannot be read" in answer.content.decode() or "Choose a" in answer.content.decode()
        assert _files(media) == set()
        assert not Import.objects.exists()
        return
    source = Import.objects.get()
    assert re.fullmatch(r"uploads/[0-9a-f]{32}\.csv", source.file.name)
    assert _files(media) == {media / source.file.name}
    assert _files(media.parent) - _files(media) == outside
    shown = source.original_name
    assert 0 < len(shown) <= SHOWN_NAME
    assert shown.endswith(".csv")
    assert not set(shown) & {*map(chr, range(32)), "\x7f", "/", "\\", "\u202e", "\u2066"}

    work()
    pages = [url(source, "check")]
    source.refresh_from_db()
    assert as_citra.post(url(source, "confirm"), as_shown(source)).status_code == 302
    work()
    source.refresh_from_db()
    assert source.state == Import.State.DONE
    pages += [url(source, "report"), "/manage/databases/", "/manage/activity/"]
    for page in pages:
        content = as_citra.get(page, follow=True)
        assert content.status_code == 200
        text = content.content.decode()
        assert "<img src=x" not in text
        assert "<script>alert" not in text
        assert "\u202e" not in text
    original = as_citra.get(url(source, "original"))
    disposition = original["Content-Disposition"]
    assert b"".join(original) == MIXED  # type: ignore[arg-type]
    assert disposition.startswith("attachment; filename")
    assert not set(disposition) & {"\r", "\n", "\0"}
    assert set(original.headers) >= {"Content-Disposition"}
    assert "Set-Cookie" not in original.headers
    told = unquote(disposition) if "filename*=" in disposition else disposition
    assert shown in told.replace('\\"', '"')
    assert Activity.objects.filter(kind="upload.received").count() == 1


def _files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}
