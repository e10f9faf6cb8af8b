#!/bin/bash
# Fetch the pinned front-end files into static/vendor; run by a developer, its result is committed.
#
# Usage: scripts/vendor.sh [DEST]   (needs node, npm and python3; nothing of them at run time)
#
# basecoat ships nested CSS, which only newer browsers read: lightningcss lowers it once, here.
# Of its components only those stay that our templates use (scripts/trim_kit.py): the work screen is
# opened on slow lines. Whoever first uses another one runs this again.
# manifest.json then holds package versions, sizes and SHA-256; a test compares the files with it.
set -euo pipefail

here=$(dirname "$(realpath "$0")")
dest=$(realpath -m "${1:-$(dirname "$0")/../static/vendor}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$dest"
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts=false \
  basecoat-css@1.0.2 lightningcss-cli@1.33.0 @fontsource-variable/inter@5.3.0

modules=node_modules
"$modules/.bin/lightningcss" --minify --targets "chrome 100" \
  "$modules/basecoat-css/dist/basecoat.cdn.min.css" -o "$dest/basecoat-1.0.2.css"
python3 "$here/trim_kit.py" "$dest/basecoat-1.0.2.css"
cp "$modules/basecoat-css/LICENSE.md" "$dest/LICENSE.basecoat.md"
cp "$modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2" "$dest/inter-latin.woff2"
cp "$modules/@fontsource-variable/inter/LICENSE" "$dest/LICENSE.inter"

python3 - "$dest" <<'PYTHON'
import hashlib
import json
import pathlib
import sys

dest = pathlib.Path(sys.argv[1])
wanted = ("basecoat-css", "@fontsource-variable/inter", "lightningcss-cli")
packages = {}
for name in wanted:
    about = json.loads(pathlib.Path("node_modules", name, "package.json").read_text())
    packages[name] = {"version": about["version"], "licence": about.get("license")}
files = {
    path.name: {
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    for path in sorted(dest.iterdir())
    if path.name != "manifest.json"
}
text = json.dumps({"packages": packages, "files": files}, indent=2)
(dest / "manifest.json").write_text(text + "\n")
print(f"{len(files)} files, {sum(entry['bytes'] for entry in files.values())} bytes in {dest}")
PYTHON
