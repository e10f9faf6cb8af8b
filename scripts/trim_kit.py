"""Leave out of the vendored kit what no page of ours can match: most of its components.

Usage: scripts/trim_kit.py KIT.css   (rewrites it; scripts/vendor.sh runs this)

A rule stays unless each of its selectors needs a class that stands in no template and no script.
Who first uses a further component of the kit runs scripts/vendor.sh again.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
CLASS = re.compile(r"\.(-?[A-Za-z_](?:[\w-]|\\.)*)")
ATTRIBUTE = re.compile(r"\[(data-[\w-]+)[^\]]*\]")
CHOICE = re.compile(r":(is|where|has|not|host-context)\(")


def used_names() -> set[str]:
    """Give every word that can be a class or an attribute of our pages."""
    sources = [
        *ROOT.glob("templates/**/*.html"),
        *ROOT.glob("static/js/*.js"),
        *(path for path in ROOT.glob("*/forms*.py")),
    ]
    words: set[str] = set()
    for source in sources:
        text = source.read_text()
        if source.suffix == ".html":
            found = re.findall(r'class="([^"]*)"', text) + re.findall(r"data-[\w-]+", text)
        else:
            found = re.findall(r"""["'`]([^"'`\n]*)["'`]""", text)
        for one in found:
            words.update(re.findall(r"[A-Za-z_][\w-]*", one))
    return words


def rules(css: str) -> Iterator[tuple[str, str | None]]:
    """Give (what stands before the braces, what stands in them); None for a statement."""
    start = at = 0
    while at < len(css):
        letter = css[at]
        if letter in "\"'":
            at = css.index(letter, at + 1)
        elif letter == ";":
            yield css[start : at + 1], None
            start = at + 1
        elif letter == "{":
            end = _closing(css, at, "{", "}")
            yield css[start:at], css[at + 1 : end]
            start, at = end + 1, end
        at += 1
    if css[start:].strip():
        yield css[start:], None


def trimmed(css: str, used: set[str]) -> str:
    """Give `css` without the rules that can match nothing."""
    kept = []
    for head, body in rules(css):
        if body is None:
            kept.append(head)
        elif head.lstrip().startswith(("@layer", "@media", "@supports", "@container")):
            inner = trimmed(body, used) if "{" in body else body
            if inner.strip() or "@layer" in head:
                kept.append(f"{head}{{{inner}}}")
        elif head.lstrip().startswith("@"):
            kept.append(f"{head}{{{body}}}")
        else:
            selectors = [one for one in _split(head) if _can_match(one, used)]
            if selectors:
                kept.append(f"{','.join(selectors)}{{{body}}}")
    return "".join(kept)


def _can_match(selector: str, used: set[str]) -> bool:
    """Say whether anything of ours can match; what a choice needs is one of its alternatives."""
    plain, at = "", 0
    while choice := CHOICE.search(selector, at):
        plain += selector[at : choice.start()]
        end = _closing(selector, choice.end() - 1, "(", ")")
        inside = _split(selector[choice.end() : end])
        if choice[1] != "not" and not any(_can_match(one, used) for one in inside):
            return False
        at = end + 1
    plain += selector[at:]
    needed = set(ATTRIBUTE.findall(plain)) | set(CLASS.findall(re.sub(r"\[[^\]]*\]", "", plain)))
    return needed <= used


def _split(selectors: str) -> list[str]:
    """Cut a list of selectors at its outer commas."""
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(selectors):
        if letter in "([":
            depth += 1
        elif letter in ")]":
            depth -= 1
        elif letter == "," and depth == 0:
            parts.append(selectors[start:at])
            start = at + 1
    return [*parts, selectors[start:]]


def _closing(text: str, opening: int, left: str, right: str) -> int:
    depth, at = 0, opening
    while True:
        letter = text[at]
        if letter in "\"'":
            at = text.index(letter, at + 1)
        elif letter == left:
            depth += 1
        elif letter == right:
            depth -= 1
            if depth == 0:
                return at
        at += 1


if __name__ == "__main__":
    kit = Path(sys.argv[1])
    whole = kit.read_text()
    if trimmed(whole, {*CLASS.findall(whole), *ATTRIBUTE.findall(whole)}) != whole:
        raise SystemExit("The kit is written in a way that this does not understand.")
    kit.write_text(trimmed(whole, used_names()))
    print(f"{kit.name}: {len(whole)} bytes, {kit.stat().st_size} of them ours")
