"""`python -m crm.postgres start|stop|status`: the embedded server by hand, for VAR_DIR."""

import os
import sys
from pathlib import Path

from crm.postgres import server
from crm.postgres.place import find_place


def main() -> int:
    """Do what the one argument says."""
    place = find_place(Path(os.environ.get("VAR_DIR", "var")))
    match sys.argv[1:]:
        case ["start"]:
            print("started" if server.ensure_running(place) else "already running")  # noqa: T201
        case ["stop"]:
            print("stopped" if server.stop(place) else "not running")  # noqa: T201
        case ["status"]:
            pid = server.find_postmaster(place)
            print(f"running, pid {pid}, data in {place.data}" if pid else "not running")  # noqa: T201
            return 0 if pid else 3
        case _:
            print(__doc__, file=sys.stderr)  # noqa: T201
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
