"""Make the environment in .venv with the locked packages; with `dev` also those of the tests.

Needs nothing but Python. A stamp says what is installed, so that doing it again costs nothing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent
VENV = BASE / ".venv"
STAMP = VENV / "installed"


def main() -> int:
    """Install what is missing; say in one line what stands against it."""
    if sys.version_info < (3, 11):  # noqa: UP036 - here is where an old Python is told so
        return use_newer_python()
    wanted = ["runtime", "embedded", *sys.argv[1:2]]
    locks = [BASE / "requirements" / f"{name}.txt" for name in wanted]
    digests = {lock.name: hashlib.sha256(lock.read_bytes()).hexdigest() for lock in locks}
    installed = read_stamp()
    if works() and all(installed.get(name) == digest for name, digest in digests.items()):
        return 0
    if not works():
        if missing := missing_part():
            return refuse(missing)
        print("Making the environment (only the first time) …", flush=True)
        shutil.rmtree(VENV, ignore_errors=True)
        installed = {}
        made = subprocess.run(
            [sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True
        )
        if made.returncode:
            return refuse(
                (made.stdout + made.stderr).strip() or "The environment could not be made."
            )
    print("Installing the packages …", flush=True)
    install = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--require-hashes"]
    install += ["--disable-pip-version-check", "--no-input"]
    for lock in locks:
        install += ["-r", str(lock)]
    # pip keeps a half made environment whole; the stamp is written when all is there.
    done = subprocess.run(install)
    if done.returncode:
        return refuse("The packages could not be installed: the lines above say why. Run it again.")
    installed.update(digests)
    STAMP.write_text("".join(f"{name} {digest}\n" for name, digest in sorted(installed.items())))
    return 0


def works() -> bool:
    """Say whether the environment is there and its Python still is."""
    python = VENV / "bin" / "python"
    if not python.exists():
        return False
    probe = [str(python), "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]
    return subprocess.run(probe, capture_output=True).returncode == 0


def read_stamp() -> dict[str, str]:
    """Give what the stamp says is installed."""
    if not STAMP.exists():
        return {}
    return dict(line.split() for line in STAMP.read_text().splitlines())


def missing_part() -> str:
    """Say which command brings the modules that Debian keeps in a package of their own."""
    try:
        import ensurepip  # noqa: F401 - only asked whether it is there
        import venv  # noqa: F401
    except ImportError:
        become_root = "" if os.geteuid() == 0 else "sudo "
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        return (
            f"The module venv of Python is missing. Run: {become_root}apt-get install -y {package}"
        )
    return ""


def use_newer_python() -> int:
    """Go on with a newer Python of this machine, where there is one."""
    for minor in range(15, 10, -1):
        newer = shutil.which("python3.%d" % minor)  # noqa: UP031 - read by an old Python, too
        if newer:
            os.execv(newer, [newer, *sys.argv])  # noqa: S606 - no shell is wanted
    return refuse(
        "Python 3.11 or newer is needed. Run: apt-get install -y python3.11 python3.11-venv"
    )


def refuse(sentence: str) -> int:
    """Print what stands against it."""
    print(sentence, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
