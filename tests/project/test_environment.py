"""The first thing that runs on a bare machine, with nothing but Python."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

BASE = Path(settings.BASE_DIR)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Give what the script looks at, without the rest."""
    for folder in ("scripts", "requirements"):
        shutil.copytree(BASE / folder, tmp_path / folder)
    return tmp_path


def run(clone: Path, *before: str) -> subprocess.CompletedProcess[str]:
    code = "import runpy, sys; " + "; ".join([*before, ""])
    code += f"runpy.run_path({str(clone / 'scripts/environment.py')!r}, run_name='__main__')"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=clone, capture_output=True, text=True, timeout=120
    )


def test_a_missing_module_gives_the_one_command(clone: Path) -> None:
    done = run(clone, "sys.modules['ensurepip'] = None")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert f"apt-get install -y python{version}-venv" in done.stderr


def test_what_is_installed_is_not_installed_again(clone: Path) -> None:
    (clone / ".venv" / "bin").mkdir(parents=True)
    (clone / ".venv" / "bin" / "python").symlink_to(sys.executable)
    stamp = "".join(
        f"{name} {hashlib.sha256((clone / 'requirements' / name).read_bytes()).hexdigest()}\n"
        for name in ("runtime.txt", "embedded.txt")
    )
    (clone / ".venv" / "installed").write_text(stamp)
    done = run(clone)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_script_reads_with_an_old_python() -> None:
    compile(
        (BASE / "scripts/environment.py").read_text(), "environment.py", "exec", dont_inherit=True
    )
    assert "match " not in (BASE / "scripts/environment.py").read_text()
