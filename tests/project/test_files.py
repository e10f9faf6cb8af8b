"""What stands in the files around the code, against the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import yaml
from django.conf import settings

BASE = Path(settings.BASE_DIR)
# Read by the command that starts things, by gunicorn's configuration and by what starts from those.
READERS = ("crm/settings.py", "crm/gunicorn_conf.py", "crm/shell/launcher.py")


def variables_read() -> set[str]:
    """Find the names in `env("NAME")`, `env.int("NAME")`, `os.environ.get("NAME")`."""
    found = set()
    for reader in READERS:
        for node in ast.walk(ast.parse((BASE / reader).read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = ast.unparse(node.func)
            first = node.args[0]
            reads = re.fullmatch(r"env(\.\w+)?|os\.environ\.(get|setdefault)", name)
            if reads and isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.add(first.value)
    return found


def test_the_example_lists_every_variable_and_no_other() -> None:
    text = (BASE / ".env.example").read_text()
    listed = re.findall(r"^#?([A-Z_]+)=", text, re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(listed) == variables_read()


def test_the_example_would_not_start() -> None:
    text = (BASE / ".env.example").read_text()
    assert re.findall(r"^([A-Z_]+)=$", text, re.MULTILINE) == [
        "SECRET_KEY",
        "ALLOWED_HOSTS",
        "DATABASE_URL",
    ]


def test_requirements_are_hashed_and_name_no_address() -> None:
    for lock in (BASE / "requirements").glob("*.txt"):
        text = lock.read_text()
        pinned = re.findall(r"^[a-z0-9._-]+(?:\[.*\])?==", text, re.MULTILINE)
        blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)
        assert len(pinned) == sum("--hash=sha256:" in block for block in blocks), lock.name
        assert not re.search(r"https?://|index-url|find-links|trusted-host", text), lock.name


class TestTheImage:
    text = (BASE / "Dockerfile").read_text()
    last = text[text.rindex("\nFROM ") :]

    def test_it_is_built_in_stages_and_runs_as_nobody_in_particular(self) -> None:
        assert self.text.count("\nFROM ") == 2
        assert re.search(r"^USER (?!root|0)", self.last, re.MULTILINE)
        assert "HEALTHCHECK" in self.last

    def test_it_has_no_tools_to_build_and_no_server_of_its_own(self) -> None:
        assert not re.search(r"apt-get|build-essential|gcc", self.last)
        assert "embedded.txt" not in self.text
        assert "dev.txt" not in self.text
        assert "--require-hashes" in self.text

    def test_it_holds_every_app(self) -> None:
        packages = {path.parent.name for path in BASE.glob("*/__init__.py")} - {"tests"}
        for package in packages | {"templates", "static", "locale"}:
            assert f"COPY {package} {package}" in self.text
            assert f"!{package}\n" in (BASE / ".dockerignore").read_text()

    def test_nothing_secret_is_in_it(self) -> None:
        assert "SECRET_KEY" not in self.text

    def test_its_commands_are_there(self) -> None:
        entry = BASE / "docker" / "entry"
        assert entry.stat().st_mode & 0o111
        for command in ("web)", "migrate)", "health)"):
            assert command in entry.read_text()


def test_hooks_use_the_versions_that_are_locked() -> None:
    hooks = yaml.safe_load((BASE / ".pre-commit-config.yaml").read_text())
    assert [repo["repo"] for repo in hooks["repos"]] == ["local"]
    assert {"ruff", "format", "djlint", "imports", "mypy", "migrations", "check"} == {
        hook["id"] for hook in hooks["repos"][0]["hooks"]
    }
