"""Write requirements/*.txt again from the .in files: hashes, every platform, no index address."""

import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "requirements"


def main() -> None:
    """Resolve in a throwaway environment; later files keep to the versions of earlier ones."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        subprocess.run([f"{folder}/bin/pip", "install", "--quiet", "uv"], check=True)
        for name in ("runtime", "embedded", "dev"):
            command = [f"{folder}/bin/uv", "pip", "compile", f"{name}.in", "-o", f"{name}.txt"]
            command += ["--universal", "--python-version", "3.11", "--upgrade", "--quiet"]
            command += ["--generate-hashes", "--no-header", "--no-annotate"]
            subprocess.run(command, check=True, cwd=FOLDER)
            text = (FOLDER / f"{name}.txt").read_text()
            if re.search(r"https?://|--(extra-)?index-url|--find-links", text):
                sys.exit(f"{name}.txt names an address: it must install from anybody's index.")
            print(f"requirements/{name}.txt is written.")


if __name__ == "__main__":
    main()
