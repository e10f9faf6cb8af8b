"""Reading a request to its end, whatever the answer."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, UnreadablePostError

PIECE = 1 << 16
AT_MOST = 60.0  # seconds for what nobody wants any more


class WholeRequestMiddleware:
    """Takes what is still on its way before an early answer goes out.

    A browser that is sending a large file reads no answer; where the server has closed meanwhile
    (the database is away, the sign-in is over) it shows a broken connection instead of the page.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method == "POST":
            _read_to_the_end(request)
        return response


def _read_to_the_end(request: HttpRequest) -> None:
    left, end = settings.UPLOAD_MAX_BYTES + (1 << 20), time.monotonic() + AT_MOST
    try:
        while left > 0 and time.monotonic() < end:
            piece = request.read(PIECE)
            if not piece:
                return
            left -= len(piece)
    except UnreadablePostError:  # whoever sent it is gone
        return
