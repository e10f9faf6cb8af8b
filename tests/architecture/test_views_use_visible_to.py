"""Views fetch rows through `visible_to(user)`, never straight from a manager."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPS = ["accounts", "databases", "assignments", "batches", "crm"]
# What a view may ask a manager for directly.
ALLOWED = {"visible_to"}


def _view_files() -> list[Path]:
    files = [path for app in APPS for path in (ROOT / app).rglob("*.py")]
    return [f for f in files if f.stem == "views" or f.parent.name == "views"]


def _direct_uses(tree: ast.AST) -> list[tuple[int, str]]:
    """Find `Model.objects.<name>` whose name is not allowed."""
    found = []
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Attribute)
            and node.value.attr == "objects"
            and node.attr not in ALLOWED
        ):
            found.append((node.lineno, node.attr))
    return found


def test_there_are_views_to_look_at() -> None:
    assert len(_view_files()) >= 4


def test_the_rule_sees_what_it_forbids() -> None:
    assert _direct_uses(ast.parse("Record.objects.filter(pk=1)")) == [(1, "filter")]
    assert _direct_uses(ast.parse("Record.objects.visible_to(user).filter(pk=1)")) == []


def test_no_view_asks_a_manager_directly() -> None:
    offenders = [
        f"{path.relative_to(ROOT)}:{line} .objects.{name}"
        for path in _view_files()
        for line, name in _direct_uses(ast.parse(path.read_text()))
    ]
    assert offenders == []
