"""Files that arrive: what breaks off on its way is gone with its request."""

from __future__ import annotations

import gc
import io
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import RequestFactory

from crm.kernel.uploads import UnfinishedUploadMiddleware

HEAD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
ANNOUNCED = 5_000_000


class Breaking(io.BytesIO):
    """A body whose sender goes away, with a reset or in silence."""

    def __init__(self, content: bytes, *, reset: bool) -> None:
        super().__init__(content)
        self.reset = reset

    def read(self, size: int | None = -1) -> bytes:
        part = super().read(size)
        if not part and self.reset:
            raise ConnectionResetError
        return part


@pytest.mark.parametrize("reset", [True, False], ids=["reset", "silence"])
def test_a_file_that_breaks_off_leaves_nothing(tmp_path: Path, settings: Any, reset: bool) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    seen: list[Any] = []

    def view(request: HttpRequest) -> Any:
        try:
            seen.append(request.FILES.get("file"))
        except OSError:
            seen.append(None)
        seen.append(sorted(tmp_path.iterdir()))
        return None

    body = Breaking(HEAD + b"Siti,0825\n" * 100_000, reset=reset)
    environment: dict[str, Any] = {
        "wsgi.input": body,
        "CONTENT_LENGTH": str(ANNOUNCED),
        "CONTENT_TYPE": "multipart/form-data; boundary=x",
    }
    request = RequestFactory().generic("POST", "/", b"", **environment)
    gc.disable()  # sooner or later it would hide that nobody tidies up
    try:
        UnfinishedUploadMiddleware(view)(request)
        assert seen[0] is None
        assert len(seen[1]) == (1 if reset else 0)
        assert sorted(tmp_path.iterdir()) == []
    finally:
        gc.enable()


def test_a_file_that_arrived_is_left_to_its_request(tmp_path: Path, settings: Any) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    body = HEAD + b"Siti,0825\n" + b"\r\n--x--\r\n"
    request = RequestFactory().generic("POST", "/", body, "multipart/form-data; boundary=x")
    found: list[bytes] = []

    def view(request: HttpRequest) -> Any:
        upload = request.FILES["file"]
        assert not isinstance(upload, list)
        found.append(upload.read())
        return None

    UnfinishedUploadMiddleware(view)(request)
    assert found == [b"Siti,0825\n"]
    request.close()
    assert sorted(tmp_path.iterdir()) == []
