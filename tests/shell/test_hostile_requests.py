"""Requests that no browser sends, and that must not break a page."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crm.wsgi import application
from tests.conftest import HX

pytestmark = pytest.mark.django_db


def asked(path: str, query: str, content_type: str) -> str:
    """Give the status line of the application that gunicorn serves."""
    said: list[str] = []
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": content_type,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.input": io.BytesIO(),
        "wsgi.url_scheme": "http",
    }
    list(application(environ, lambda status, headers: said.append(status)))
    return said[0]


@pytest.mark.parametrize("charset", ["rot13", "idna", "undefined", "unicode_escape", "utf-16", "x"])
def test_a_named_charset_changes_nothing(charset: str) -> None:
    status = asked("/signin/", r"next=\ud800%00", f"text/plain; charset={charset}")
    assert status == "200 OK"


def test_a_page_that_is_no_address_is_no_way_back(client: Client) -> None:
    headers = {**HX, "HX-Current-URL": "http://[x"}
    response = client.get(reverse("batches:list"), headers=headers)
    assert response.headers["HX-Redirect"] == reverse("accounts:signin")


LISTS = [
    "/manage/databases/",
    "/manage/products/",
    "/manage/people/",
    "/manage/requests/",
    "/manage/requests/history/",
    "/manage/activity/",
]
ODD = {"nul": "a\x00b", "digits": "9" * 5000, "zeros": "0" * 25 + "9" * 30, "day": "9999-12-31"}


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
@pytest.mark.parametrize("url", LISTS)
def test_the_lists_of_admins_take_any_filter(as_citra: Client, url: str, value: str) -> None:
    names = ("q", "product", "person", "id", "day", "staff", "database", "show", "sort", "after")
    response = as_citra.get(url, dict.fromkeys(names, value) | {"type": "databases.import"})
    assert response.status_code == 200


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
@pytest.mark.parametrize("url", ["/request/", "/batches/"])
def test_the_lists_of_staff_take_any_filter(as_ani: Client, url: str, value: str) -> None:
    names = ("q", "product", "show", "after", "before")
    assert as_ani.get(url, dict.fromkeys(names, value)).status_code == 200


def test_the_django_admin_searches_for_anything(as_citra: Client) -> None:
    asked_for = {
        "term": "a\x00b",
        "app_label": "databases",
        "model_name": "import",
        "field_name": "product",
    }
    assert as_citra.get("/django-admin/autocomplete/", asked_for).status_code in (200, 403)
