"""Wide nets over every template: it compiles, has a title and one h1, and obeys the page policy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template
from django.urls import URLPattern, URLResolver, get_resolver
from lucide.templatetags.lucide import lucide

ROOT = Path(settings.BASE_DIR) / "templates"
EVERY = sorted(str(path.relative_to(ROOT)) for path in ROOT.rglob("*.html"))
NOT_PAGES = ("cotton/", "layouts/", "django/", "admin/", "base.html")
PAGES = [
    name for name in EVERY if not name.startswith(NOT_PAGES) and not Path(name).name.startswith("_")
]
FRAGMENTS = [name for name in EVERY if Path(name).name.startswith("_")]
OURS = [name for name in EVERY if not name.startswith("admin/")]

FORBIDDEN = {
    "an inline style": r"\sstyle=|<style",
    "an inline script": r"<script(?![^>]*\ssrc=)",
    "an inline handler": r"\son[a-z]+=[\"']",
    "htmx that evaluates": r"\s(?:data-)?hx-on|[\"']js:|javascript:|hx-trigger=\"[^\"]*\[",
    "a written path": r"\s(?:href|action|src|formaction|(?:data-)?hx-(?:get|post|put|patch|delete))=\"(?![#?{\"]|https://)",
    "another site's file": r"\ssrc=\"(?:https?:)?//",
}


def _source(name: str) -> str:
    text = (ROOT / name).read_text()
    return re.sub(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", "", text, flags=re.S)


def _drawn_with(name: str) -> list[str]:
    """Give the sources a page is made of: itself, its layouts, what they include."""
    # A page that also comes without navigation says its h1 itself then.
    text = re.sub(r'\{% if layout == "layouts/public.html" %\}.*?\{% endif %\}', "", _source(name))
    parts = [text]
    if parent := re.search(r"\{% extends (?:\"([^\"]+)\"|layout) %\}", text):
        parts += _drawn_with(parent[1] or "layouts/manage.html")
    for included in re.findall(r"\{% include \"([^\"]+)\"", text):
        parts += _drawn_with(included)
    return parts


@pytest.mark.parametrize("name", EVERY)
def test_it_compiles(name: str) -> None:
    get_template(name)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_a_title(name: str) -> None:
    parts = _drawn_with(name)
    assert any(re.search(r"\{% block title %\}\s*\S", part) for part in parts[:1]), name
    assert any("<title>" in part for part in parts), "it extends no base"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_one_h1(name: str) -> None:
    parts = _drawn_with(name)
    assert sum(part.count("<h1") for part in parts) == 1
    if any("{% block heading %}" in part for part in parts[1:]):
        assert "{% block heading %}" in parts[0], "the h1 of the layout stays empty"


@pytest.mark.parametrize("name", FRAGMENTS)
def test_a_fragment_says_what_it_is(name: str) -> None:
    text = (ROOT / name).read_text().lstrip()
    assert text.startswith("{#")
    assert "{% extends" not in text


@pytest.mark.parametrize("name", OURS)
def test_it_obeys_the_page_policy(name: str) -> None:
    text = _source(name)
    markup = re.sub(r"\{%.*?%\}", "", text)  # a tag's own arguments may look like attributes
    for what, pattern in FORBIDDEN.items():
        searched = markup if what == "an inline handler" else text
        found = re.search(pattern, searched)
        assert not found, f"{what}: {searched[found.start() : found.start() + 80]!r}"


@pytest.mark.parametrize("name", OURS)
def test_every_form_that_posts_carries_its_token(name: str) -> None:
    for form in re.findall(r"<form\b.*?</form>", _source(name), re.S):
        if 'method="post"' in form:
            assert "{% csrf_token %}" in form, form[:120]


def _has_a_token(name: str) -> bool:
    text = _source(name)
    inside = re.findall(r"\{% include \"([^\"]+)\"", text)
    return "{% csrf_token %}" in text or any(_has_a_token(included) for included in inside)


@pytest.mark.parametrize("name", OURS)
def test_the_token_is_handed_on_where_only_what_is_named_is(name: str) -> None:
    for included, given in re.findall(r"\{% include \"([^\"]+)\"(.*?)%\}", _source(name)):
        if given.rstrip().endswith(" only") and _has_a_token(included):
            assert " csrf_token=csrf_token " in given, included


def test_every_icon_a_template_names_exists() -> None:
    for name in OURS:
        for icon in re.findall(r"(?:<c-icon name=|\sicon=)\"([a-z0-9-]+)\"", _source(name)):
            lucide(icon)


def _names(patterns: list[URLPattern | URLResolver], spaces: str = "") -> set[str]:
    found = set()
    for entry in patterns:
        if isinstance(entry, URLResolver):
            inner = f"{spaces}{entry.namespace}:" if entry.namespace else spaces
            found |= _names(entry.url_patterns, inner)
        elif entry.name:
            found.add(spaces + entry.name)
    return found


def test_every_address_a_template_names_exists() -> None:
    known = _names(get_resolver().url_patterns)
    for name in OURS:
        wanted = set(re.findall(r"\{% url ['\"]([\w:-]+)['\"]", _source(name)))
        assert wanted <= known, f"{name}: {sorted(wanted - known)}"


def test_values_given_unescaped_are_only_those_a_component_declares() -> None:
    """`:name` hands a value over as it is; a component escapes only what it declares."""
    declared = {
        path.stem: set(re.findall(r"(?:\s|^)([a-z-]+)(?==|\s|$)", vars_[1]))
        for path in (ROOT / "cotton").glob("*.html")
        if (vars_ := re.search(r"<c-vars(.*?)/>", path.read_text(), re.S))
    }
    for name in OURS:
        for component, inside in re.findall(r"<c-([\w-]+)((?:\s[^<>]*?)?)/?>", _source(name)):
            for given in re.findall(r"\s:([\w-]+)=", inside):
                assert given in declared.get(component, set()), f"{name}: c-{component} :{given}"
