"""One address answers a page or a part of it, and tells the page what happened."""

import json

from django.http import HttpResponse
from django.test import RequestFactory
from django_htmx.middleware import HtmxDetails

from crm.kernel import hx


def _request(**headers: str):
    request = RequestFactory().get("/", headers=headers)
    request.htmx = HtmxDetails(request)
    return request


def test_only_a_plain_htmx_request_wants_a_fragment() -> None:
    assert hx.wants_fragment(_request(**{"HX-Request": "true"}))
    assert not hx.wants_fragment(_request())
    assert not hx.wants_fragment(_request(**{"HX-Request": "true", "HX-Boosted": "true"}))
    assert not hx.wants_fragment(
        _request(**{"HX-Request": "true", "HX-History-Restore-Request": "true"})
    )


def test_events_add_up_in_one_header() -> None:
    response = hx.toast(hx.announce(HttpResponse(), "badges:changed"), "Saved", undo_url="/undo/")
    assert json.loads(response["HX-Trigger"]) == {
        "badges:changed": None,
        "toast:show": {"text": "Saved", "tone": "ok", "undo": "/undo/"},
    }


def test_a_redirect_leaves_the_page_for_htmx_too() -> None:
    assert hx.redirect_to(_request(), "/x/")["Location"] == "/x/"
    assert hx.redirect_to(_request(**{"HX-Request": "true"}), "/x/")["HX-Redirect"] == "/x/"
