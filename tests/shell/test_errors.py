"""Error pages say what happened and what to do now, and need nothing that may be broken."""

from __future__ import annotations

import logging

import pytest
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from crm.shell import errors


@pytest.fixture
def request_(rf: RequestFactory) -> HttpRequest:
    request = rf.get("/anything/")
    request.request_id = "c0ffee0123456789"  # type: ignore[attr-defined]
    return request


PAGES = {
    400: lambda request: errors.bad_request(request, ValueError()),
    403: lambda request: errors.forbidden(request, PermissionError()),
    404: lambda request: errors.not_found(request, LookupError()),
    409: lambda request: errors.conflict(request, "Rina already approved this.", back="/x/"),
    500: errors.server_error,
}


@pytest.mark.parametrize("status", PAGES)
def test_each_page_is_whole_and_leads_back(request_: HttpRequest, status: int) -> None:
    """No database mark: a query would fail the test."""
    response: HttpResponse = PAGES[status](request_)
    html = response.content.decode()
    assert response.status_code == status
    assert html.count("<h1") == 1
    assert f'href="{reverse("home")}"' in html
    assert "no-cache" in response["Cache-Control"]


@pytest.mark.parametrize("language", ["en", "id"])
def test_they_speak_the_language_of_the_reader(request_: HttpRequest, language: str) -> None:
    request_.LANGUAGE_CODE = language
    response = errors.server_error(request_)
    assert response["Content-Language"] == language
    assert f'<html lang="{language}"' in response.content.decode()


def test_broken_before_the_language_was_chosen_they_ask_the_browser(rf: RequestFactory) -> None:
    response = errors.server_error(rf.get("/", headers={"accept-language": "id"}))
    assert response["Content-Language"] == "id"


def test_the_incident_number_is_on_the_page_in_the_answer_and_in_the_log(
    request_: HttpRequest, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        response = errors.server_error(request_)
    assert "c0ffee0123456789" in response.content.decode()
    assert response["X-Request-Id"] == "c0ffee0123456789"
    assert "c0ffee0123456789" in caplog.text


def test_a_conflict_says_what_changed_and_where_to_look_again(request_: HttpRequest) -> None:
    html = errors.conflict(request_, "Rina <approved> it.", back="/manage/").content.decode()
    assert "Rina &lt;approved&gt; it." in html
    assert 'href="/manage/"' in html


def test_a_wrong_address_of_the_site_is_named(request_: HttpRequest) -> None:
    html = errors.bad_request(request_, DisallowedHost()).content.decode()
    assert "address" in html


@pytest.mark.django_db
class TestThroughTheSite:
    def test_what_is_not_there_is_a_404_for_everybody(self, client: Client, as_ani: Client) -> None:
        for someone in (client, as_ani):
            response = someone.get("/nowhere/")
            assert response.status_code == 404
            assert b"<h1>" in response.content

    def test_the_wrong_role_is_a_403(self, as_ani: Client) -> None:
        assert as_ani.get(reverse("databases:list")).status_code == 403

    def test_a_form_without_its_token_is_told_to_open_the_page_again(self, ani: object) -> None:
        client = Client(enforce_csrf_checks=True)
        response = client.post(reverse("accounts:signin"), {"email": "x@example.com"})
        assert response.status_code == 403
        assert f'href="{reverse("accounts:signin")}"' in response.content.decode()

    def test_a_crash_shows_the_incident_number(
        self, as_ani: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def crash(self: object) -> None:
            raise RuntimeError("boom")

        monkeypatch.setattr("crm.shell.navigation.Navigation.tabs", property(crash))
        as_ani.raise_request_exception = False
        response = as_ani.get(reverse("more"))
        assert response.status_code == 500
        assert response["X-Request-Id"] in response.content.decode()
        assert b"boom" not in response.content
