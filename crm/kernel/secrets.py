"""The demo's own secret key: made once, kept beside its data, never shipped."""

import secrets
from pathlib import Path


def demo_secret_key(var_dir: Path) -> str:
    """Give the key kept in `var_dir`, making it (mode 0600) the first time.

    Two processes may start at once: the one that links its file first decides for both.
    """
    path = var_dir / "secret_key"
    if not path.exists():
        var_dir.mkdir(parents=True, exist_ok=True)
        mine = var_dir / f"secret_key.{secrets.token_hex(8)}"
        mine.touch(mode=0o600)
        mine.write_text(secrets.token_urlsafe(64))
        try:
            path.hardlink_to(mine)
        except FileExistsError:
            pass
        finally:
            mine.unlink()
    return path.read_text()
