"""An answer that comes before the file has arrived reaches whoever is sending it."""

from __future__ import annotations

from io import BytesIO

from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from crm.kernel.whole_requests import WholeRequestMiddleware


class Line(BytesIO):
    """What the server reads from; it is told how much was asked for."""

    def left(self) -> int:
        return len(self.getvalue()) - self.tell()


def sent(line: Line, **more: object) -> HttpRequest:
    request = RequestFactory().generic("POST", "/", b"", "application/octet-stream")
    request.environ["CONTENT_LENGTH"] = str(len(line.getvalue()))
    request.environ["wsgi.input"] = line
    return type(request)(request.environ)


def early(request: HttpRequest) -> HttpResponse:
    return HttpResponse("no", status=500)


def test_what_is_still_on_its_way_is_taken() -> None:
    line = Line(b"x" * 300_000)
    assert WholeRequestMiddleware(early)(sent(line)).status_code == 500
    assert line.left() == 0


def test_nothing_past_the_limit_is_taken(settings: object) -> None:
    settings.UPLOAD_MAX_BYTES = 0  # type: ignore[attr-defined]
    line = Line(b"x" * 3_000_000)
    WholeRequestMiddleware(early)(sent(line))
    assert line.left() > 1_000_000


def test_what_was_read_is_not_read_twice() -> None:
    line = Line(b"x" * 300_000)

    def reads(request: HttpRequest) -> HttpResponse:
        return HttpResponse(str(len(request.body)))

    assert WholeRequestMiddleware(reads)(sent(line)).content == b"300000"


def test_a_line_that_breaks_is_no_fault() -> None:
    class Broken(Line):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError("gone")

    assert WholeRequestMiddleware(early)(sent(Broken(b"x" * 10))).status_code == 500
