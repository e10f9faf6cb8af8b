"""The catalogue: found, checked and compiled without GNU gettext."""

from __future__ import annotations

import gettext
from pathlib import Path

import pytest
from babel.messages.pofile import read_po, write_po
from django.core.management import CommandError, call_command
from pytest_django import Settings

from crm.shell import translations

PYTHON = """
from django.utils.translation import gettext as _, gettext_noop as mark, ngettext, pgettext_lazy
other = mark("Marked")
again = _
more = again("Again")
first = _("Plain")
second = ngettext("%(n)s row", "%(n)s rows", 3)
third = pgettext_lazy("month", "May")
"""
TEMPLATE = """
{% load i18n %}<p title="{% translate "It's a title" %}">{{ _("Constant") }}</p>
{% blocktranslate trimmed with n=rows count c=count %}
  One of {{ n }}
{% plural %}
  Many of {{ n }}
{% endblocktranslate %}
{% translate "Right" context "side" %}
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, settings: Settings) -> Path:
    """Give a small project in place of the real one."""
    settings.BASE_DIR = tmp_path
    settings.LOCALE_PATHS = [tmp_path / "locale"]
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").touch()
    (tmp_path / "app" / "texts.py").write_text(PYTHON)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text(TEMPLATE)
    return tmp_path


def fill(**changes: str) -> None:
    """Translate everything by putting a mark before it, but what is named as it is given."""
    path = translations.catalogue_path("id")
    with path.open("rb") as file:
        catalogue = read_po(file, locale="id")
    for message in catalogue:
        if not message.id:
            continue
        source = message.id if isinstance(message.id, str) else message.id[1]
        text = changes.get(source, f"# {source}")
        message.string = text if isinstance(message.id, str) else (text,) * catalogue.num_plurals
    with path.open("wb") as file:
        write_po(file, catalogue)


def test_it_finds_the_texts_of_code_and_templates() -> None:
    found = {(message.id, message.context) for message in translations.collect() if message.id}
    assert found == {
        ("Plain", None),
        ("Marked", None),
        ("Again", None),
        (("%(n)s row", "%(n)s rows"), None),
        ("May", "month"),
        ("It's a title", None),
        ("Constant", None),
        (("One of %(n)s", "Many of %(n)s"), None),
        ("Right", "side"),
    }


def test_a_full_catalogue_is_complete_and_compiles() -> None:
    call_command("translations", "extract")
    fill()
    call_command("translations", "check")
    assert translations.compile_all() == ["id"]
    assert translations.compile_all() == []  # fresh
    compiled = translations.catalogue_path("id").with_suffix(".mo")
    with compiled.open("rb") as file:
        catalogue = gettext.GNUTranslations(file)
    assert catalogue.gettext("Plain") == "# Plain"
    assert catalogue.ngettext("%(n)s row", "%(n)s rows", 3) == "# %(n)s rows"
    assert catalogue.pgettext("month", "May") == "# May"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"Plain": ""}, "is not translated"),
        ({"Many of %(n)s": "%(m)s"}, "has other placeholders"),
    ],
)
def test_what_is_missing_or_broken_is_told(changes: dict[str, str], complaint: str) -> None:
    translations.update("id")
    fill(**changes)
    with pytest.raises(CommandError, match=complaint):
        call_command("translations", "check")


def test_a_guess_is_no_translation() -> None:
    translations.update("id")
    fill()
    path = translations.catalogue_path("id")
    text = path.read_text()
    path.write_text(text.replace('msgid "Plain"', '#, fuzzy\nmsgid "Plain"'))
    assert "fuzzy" in translations.missing("id")[0]


def test_extracting_again_keeps_translations_and_drops_what_is_gone(project: Path) -> None:
    translations.update("id")
    fill()
    (project / "app" / "texts.py").write_text(PYTHON.replace("Plain", "Plainer"))
    translations.update("id")
    text = translations.catalogue_path("id").read_text()
    assert '"Plain"' not in text
    assert 'msgid "Plainer"\nmsgstr ""' in text
    assert 'msgstr "# May"' in text


def test_the_real_sources_can_all_be_read(settings: Settings) -> None:
    settings.BASE_DIR = Path(__file__).parents[2]
    assert len(translations.collect()) > 50
