"""What `crm.settings` needs to know of the embedded server. Nothing is started or created here."""

from pathlib import Path
from typing import Any

from crm.postgres.place import DATABASE, OWNER, PORT, find_place


def embedded_database(var_dir: Path) -> dict[str, Any]:
    """The `DATABASES` entry for the embedded server that belongs to this folder."""
    return {
        "ENGINE": "crm.postgres.backend",
        "NAME": DATABASE,
        "USER": OWNER,
        "PASSWORD": "",  # the socket says who is asking
        "HOST": str(find_place(var_dir).sockets),
        "PORT": str(PORT),
        "EMBEDDED_VAR_DIR": str(var_dir),
    }
