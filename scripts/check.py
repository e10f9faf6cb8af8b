"""All that CI checks: format, lint, types, layers, migrations, deployment, translations, tests.

Runs in the environment that `make test` has made, with data of its own in var/test. The checks run
two at a time and all of them, so that one run tells everything; the tests follow.
"""

import os
import secrets
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BASE))

from crm.postgres import server  # noqa: E402 - the path comes first
from crm.postgres.place import find_place  # noqa: E402

PYTHON = sys.executable
BIN = Path(PYTHON).parent
VAR_DIR = BASE / "var" / "test"
MANAGE = [PYTHON, "manage.py"]
NO_TESTS = 5  # what pytest says when nothing was selected


def main() -> int:
    """Run it all; return how many parts failed."""
    full = "--full" in sys.argv[1:]
    environment = prepare()
    try:
        failed = run_checks(environment)
        failed += run_tests(environment, full=full)
    finally:
        if "DATABASE_URL" not in environment:
            server.stop(find_place(VAR_DIR))
    print("\n" + (f"FAILED: {', '.join(failed)}" if failed else "Everything is in order."))
    return len(failed)


def prepare() -> dict[str, str]:
    """Give the tests a world of their own."""
    environment = {
        name: value
        for name, value in os.environ.items()
        # Settings of a running service must not leak into the tests.
        if name not in ("SECRET_KEY", "ALLOWED_HOSTS", "PORT", "HOST", "DEMO", "DEBUG", "DB_POOL")
    }
    environment |= {"CRM_MODE": "demo", "VAR_DIR": str(VAR_DIR), "STATIC_MANIFEST": "0"}
    environment["PATH"] = f"{BIN}{os.pathsep}{environment['PATH']}"
    place = find_place(VAR_DIR)
    place.conf.mkdir(parents=True, exist_ok=True)
    # What the tests write may be lost with the machine, and not waiting for the disk halves them.
    careless = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"
    (place.conf / "local.conf").write_text(careless)
    if "DATABASE_URL" not in environment:
        server.ensure_running(place)
    return environment


def run_checks(environment: dict[str, str]) -> list[str]:
    """Run what reads the code; return the names of what failed."""
    production = environment | {
        "CRM_MODE": "production",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": "crm.invalid",
        # Checks of settings ask no database.
        "DATABASE_URL": "postgres://crm:a-password@localhost/nowhere",
        "STATIC_MANIFEST": "1",
    }
    checks: list[tuple[str, list[str], dict[str, str]]] = [
        ("types", [PYTHON, "-m", "mypy"], environment),
        ("format", [PYTHON, "-m", "ruff", "format", "--check", "--quiet", "."], environment),
        ("lint", [PYTHON, "-m", "ruff", "check", "--quiet", "."], environment),
        ("templates", [str(BIN / "djlint"), "--lint", "--quiet", "templates"], environment),
        ("layers", [str(BIN / "lint-imports"), "--no-cache"], environment),
        ("migrations", [*MANAGE, "makemigrations", "--check", "--dry-run"], environment),
        ("system", [*MANAGE, "check", "--fail-level", "WARNING"], environment),
        ("deployment", [*MANAGE, "check", "--deploy", "--fail-level", "WARNING"], production),
        ("translations", [*MANAGE, "translations", "check"], environment),
    ]
    failed = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        for name, code, output, seconds in pool.map(lambda check: run_check(*check), checks):
            print(f"{'ok  ' if code == 0 else 'FAIL'} {name} ({seconds:.1f} s)", flush=True)
            if code:
                print(output, flush=True)
                failed.append(name)
    subprocess.run([*MANAGE, "translations", "compile"], cwd=BASE, env=environment, check=True)
    return failed


def run_check(
    name: str, command: list[str], environment: dict[str, str]
) -> tuple[str, int, str, float]:
    """Run one check and keep what it says."""
    started = time.monotonic()
    done = subprocess.run(command, cwd=BASE, env=environment, capture_output=True, text=True)
    return name, done.returncode, done.stdout + done.stderr, time.monotonic() - started


def run_tests(environment: dict[str, str], *, full: bool) -> list[str]:
    """Run pytest: first what needs no browser, then what does, then what takes long."""
    if not has_chromium():
        return ["browser (no Chromium could be installed)"]
    parts = [
        ("tests", "not browser and not slow", ["-n", "2", "--dist", "loadfile"]),
        ("browser", "browser and not slow", ["-n", "2", "--dist", "loadfile"]),
    ]
    if full:
        # The slow ones measure and race: nothing may run beside them.
        parts.append(("slow", "slow", []))
    failed = []
    for name, marks, options in parts:
        print(f"\n{name}:", flush=True)
        command = [PYTHON, "-m", "pytest", "-m", marks, "--create-db", *options]
        code = subprocess.run(command, cwd=BASE, env=environment).returncode
        if code and not (code == NO_TESTS and name == "slow"):
            failed.append(name)
    return failed


def has_chromium() -> bool:
    """Find a Chromium, or install one: Debian's as root, Playwright's own otherwise."""
    if any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        return True
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Chromium …", flush=True)
        quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
            subprocess.run(["apt-get", "-qq", *command], env=quiet, stdout=subprocess.DEVNULL)
        # Where the package is only a pointer to a snap there is still no program.
        if shutil.which("chromium"):
            return True
    command = [PYTHON, "-m", "playwright", "install", "chromium"]
    if os.geteuid() == 0:
        command.insert(-1, "--with-deps")
    return subprocess.run(command).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
