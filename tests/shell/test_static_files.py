"""What the browser is sent: vendored files untouched, our own scripts small and explained."""

import hashlib
import json
import re
from pathlib import Path

import brotli
import pytest
from django.conf import settings

STATIC = Path(settings.BASE_DIR) / "static"
VENDOR = STATIC / "vendor"
SCRIPTS = sorted((STATIC / "js").glob("*.js"))


def test_vendored_files_are_those_of_the_manifest() -> None:
    manifest = json.loads((VENDOR / "manifest.json").read_text())
    found = {
        path.name: {
            "bytes": path.stat().st_size,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path in VENDOR.iterdir()
        if path.name != "manifest.json"
    }
    assert found == manifest["files"]
    assert any(name.startswith("LICENSE") for name in found)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_says_why_it_is_there_and_evaluates_nothing(script: Path) -> None:
    text = script.read_text()
    assert text.startswith("// ")
    assert not re.search(r"\beval\(|new Function|\.innerHTML\s*=|document\.write", text)
    assert len(text.splitlines()) <= 120


def test_all_scripts_together_stay_small() -> None:
    assert sum(len(brotli.compress(path.read_bytes())) for path in SCRIPTS) <= 18 * 1024


def test_the_style_sheet_stays_small_and_loads_nothing_from_elsewhere() -> None:
    css = (STATIC / "app.css").read_text()
    assert len(brotli.compress(css.encode())) <= 16 * 1024
    assert set(re.findall(r"url\(([^)]*)\)", css)) == {'"vendor/inter-latin.woff2"'}
    assert "@import" not in css


def test_what_the_web_manifest_names_is_there() -> None:
    manifest = json.loads((STATIC / "manifest.webmanifest").read_text())
    for icon in manifest["icons"]:
        assert (STATIC / icon["src"]).is_file()
