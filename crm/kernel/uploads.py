"""Receiving files: to disk, and no further than the limit."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler
from django.http import HttpRequest, HttpResponse


class UnfinishedUploadMiddleware:
    """Delete what had arrived of a file when its sender broke off.

    Django leaves that to the garbage collector, which in a quiet process may take hours.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        finally:
            arriving: UploadedFile | None = getattr(request, "arriving_file", None)
            if arriving is not None:
                arriving.close()


class LimitedFileUploadHandler(TemporaryFileUploadHandler):
    """Write an upload to a temporary file and stop reading past UPLOAD_MAX_BYTES.

    The form then finds no file; `request.upload_failed` tells it why: too_large or not_stored. What
    came before the file in the form is there, so that nobody has to type it again.
    """

    received = 0
    announced = 0

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, str],
        content_length: int,
        boundary: Any,  # bytes; the stubs say str
        encoding: str | None = None,
    ) -> None:
        self.announced = content_length

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        # The request body also holds the other fields: allow a megabyte for them.
        if self.announced > settings.UPLOAD_MAX_BYTES + 1024 * 1024:
            self._refuse("too_large")
        try:
            super().new_file(*args, **kwargs)
            self._note_arriving(self.file)
        except OSError:
            self._refuse("not_stored")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.received += len(raw_data)
        if self.received > settings.UPLOAD_MAX_BYTES:
            self._refuse("too_large")
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError:
            self._refuse("not_stored")

    def file_complete(self, file_size: int) -> UploadedFile | None:
        self._note_arriving(None)  # from here on it belongs to the request
        try:
            return super().file_complete(file_size)
        except OSError:  # the last bytes are written here
            self._refuse("not_stored")
            return None

    def _note_arriving(self, file: UploadedFile | None) -> None:
        if self.request is not None:
            self.request.arriving_file = file  # type: ignore[attr-defined]  # see the middleware

    def _refuse(self, why: str) -> None:
        if self.request is not None:
            self.request.upload_failed = why  # type: ignore[attr-defined]  # read by the form
        raise StopUpload(connection_reset=False)
