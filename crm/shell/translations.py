"""The catalogue of translations, made, checked and compiled in Python: no GNU gettext is needed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

# What Babel shall take for a call of gettext, and which of its arguments are texts.
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
# Babel does not know every language's plural; Indonesian has none.
PLURALS = {"id": "nplurals=1; plural=0;"}
_TEXT = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_CALL = re.compile(
    rf"(?<!\w)(n?p?gettext|_)\(\s*({_TEXT}(?:\s*,\s*{_TEXT})*)(?:\s*,\s*count)?\s*\)"
)
_PLACE = re.compile(r"%\((\w+)\)[sd]|\{(\w*)\}|%[sd]")

Found = tuple[str, int, str | tuple[str, str], str | None]  # file, line, text(s), context


def catalogue_path(language: str) -> Path:
    """Say where the catalogue of a language is."""
    return Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES" / "django.po"


def languages() -> list[str]:
    """Give the languages that need a catalogue: all but that of the source."""
    return [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def collect() -> Catalog:
    """Gather every text of the sources that is meant to be translated."""
    catalogue = Catalog(domain="django", charset="utf-8")
    for name, line, text, context in sorted(_texts(), key=lambda found: found[:2]):
        catalogue.add(text, locations=[(name, line)], context=context)
    return catalogue


def update(language: str) -> None:
    """Bring a catalogue up to the sources: new texts empty, those no longer used dropped."""
    path = catalogue_path(language)
    catalogue = _read(language) if path.exists() else Catalog(language, domain="django")
    if plural := PLURALS.get(language):
        catalogue.mime_headers = [("Plural-Forms", plural)]
    catalogue.fuzzy, catalogue.header_comment = False, f"# Kontak CRM: {language}"
    catalogue.project = "Kontak CRM"
    # A text that only resembles an old one gets no guess: a guess reads like an answer.
    catalogue.update(collect(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        # Line numbers would change with every edit and drown what did change.
        write_po(
            file, catalogue, width=100, omit_header=False, include_lineno=False, sort_by_file=True
        )


def missing(language: str) -> list[str]:
    """Say what the catalogue of a language lacks, a sentence each."""
    if not catalogue_path(language).exists():
        return [f"{language}: there is no catalogue."]
    catalogue, complaints = _read(language), []
    for wanted in collect():
        if not wanted.id:
            continue
        where = wanted.locations[0][0] if wanted.locations else "?"
        text = wanted.id if isinstance(wanted.id, str) else wanted.id[0]
        have = catalogue.get(wanted.id, wanted.context)
        if problem := _problem(wanted, have):
            complaints.append(f"{language}: {where}: {problem}: {text!r}")
    return complaints


def compile_all() -> list[str]:
    """Compile what is not compiled yet or older than its source; give those languages."""
    return [language for language in languages() if _compile(language)]


def _compile(language: str) -> bool:
    source = catalogue_path(language)
    target = source.with_suffix(".mo")
    if not source.exists():
        return False
    if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
        return False
    compiled = BytesIO()
    write_mo(compiled, _read(language))
    part = target.with_suffix(".mo.part")
    part.write_bytes(compiled.getvalue())
    part.replace(target)
    return True


def _read(language: str) -> Catalog:
    with catalogue_path(language).open("rb") as file:
        return read_po(file, locale=language, domain="django")


def _problem(wanted: Message, have: Message | None) -> str:
    if have is None:
        return "is not in the catalogue"
    translated = [have.string] if isinstance(have.string, str) else list(have.string or ())
    if not translated or not all(translated):
        return "is not translated"
    if have.fuzzy:
        return "is only a guess (fuzzy)"
    sources = [wanted.id] if isinstance(wanted.id, str) else list(wanted.id)
    known = set().union(*(_places(source) for source in sources))
    for text in translated:
        if not _places(text) <= known:
            return "has other placeholders in its translation"
    if isinstance(wanted.id, str) and _places(translated[0]) != known:
        return "lost a placeholder in its translation"
    return ""


def _places(text: str) -> set[str]:
    return {match.group() for match in _PLACE.finditer(text)}


def _texts() -> Iterator[Found]:
    base = Path(settings.BASE_DIR)
    for package in sorted(path.parent for path in base.glob("*/__init__.py")):
        if package.name == "tests":
            continue
        for path in sorted(package.rglob("*.py")):
            if "migrations" not in path.parts:
                yield from _texts_of_python(path, str(path.relative_to(base)))
    for path in sorted((base / "templates").rglob("*.html")):
        yield from _texts_of_template(path, str(path.relative_to(base)))


def _texts_of_python(path: Path, name: str) -> Iterator[Found]:
    keywords = KEYWORDS | _other_names(ast.parse(path.read_bytes()))
    with path.open("rb") as file:
        for line, text, _comments, context in extract("python", file, keywords):
            yield name, line, text if isinstance(text, str) else tuple(text), context  # type: ignore[misc]


def _other_names(module: ast.Module) -> dict[str, tuple[int | tuple[int, str], ...] | None]:
    """Find the names that a file gives gettext itself: `gettext_noop as mark`, `_t = gettext`."""
    names: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation":
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
            meant = node.value.id
            names |= {to.id: meant for to in node.targets if isinstance(to, ast.Name)}
    return {name: KEYWORDS[meant] for name, meant in names.items() if meant in KEYWORDS}


def _texts_of_template(path: Path, name: str) -> Iterator[Found]:
    code = templatize(path.read_text(), origin=name)
    for call in _CALL.finditer(code):
        texts: tuple[str, ...] = ast.literal_eval(f"({call[2]},)")
        context = None
        if "p" in call[1][:2]:
            context, *rest = texts
            texts = tuple(rest)
        line = code.count("\n", 0, call.start()) + 1
        yield name, line, texts[0] if len(texts) == 1 else (texts[0], texts[1]), context
