"""A place for files, and jobs that run when told to, as in the tests of uploads."""

from __future__ import annotations

from tests.databases.conftest import _no_jobs_left, files, media, work

__all__ = ["_no_jobs_left", "files", "media", "work"]
