"""How gunicorn serves: few processes, many threads, so that slow uploads keep nobody waiting."""

import os
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger

from crm.kernel.logs import ESCAPES


class OneLineLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """An access log that no path can break into lines."""

    def atoms(self, *args: Any) -> dict[str, Any]:
        found = super().atoms(*args)
        return {k: v.translate(ESCAPES) if isinstance(v, str) else v for k, v in found.items()}


bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_PROCESSES", "2"))
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "16"))

# `timeout` watches the process, not a request: a thread may take an upload for as long as it takes.
timeout = 60
graceful_timeout = 15
keepalive = 15
max_requests = 0  # a restart would cut uploads off; nothing leaks that would need it
limit_request_line = 8190
# The watchman's file must not wait for a busy disk.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - gunicorn makes its own file there

# Only proxies of ours may say which scheme and address a request came with.
forwarded_allow_ips = "*" if int(os.environ.get("TRUSTED_PROXIES", "0")) else ""

logger_class = OneLineLogger
errorlog = "-"
loglevel = "warning"
accesslog = os.environ.get("ACCESS_LOG", "-") or None
# The path without its query: searches carry names and phone numbers.
access_log_format = '%(h)s %(t)s "%(m)s %(U)s %(H)s" %(s)s %(B)s %(M)sms'
proc_name = "kontak-crm"


def on_starting(server: object) -> None:
    """Have a pool as large as the threads: none waits for a connection that another one holds."""
    os.environ.setdefault("DB_POOL", str(threads))
