"""The container's health check: does the web server of this container answer?"""

import http.client
import os
import sys


def main() -> int:
    """Return 0 where it does, or where this container is no web server."""
    with open("/proc/1/cmdline", "rb") as file:
        if b"gunicorn" not in file.read():
            return 0  # a worker that dies takes its container along
    asked = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=3)
    try:
        asked.request("GET", "/livez")
        return 0 if asked.getresponse().status == 200 else 1
    except OSError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
