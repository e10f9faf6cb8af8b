"""Storage that fails as real storage does: full, or not to be written to."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_limit(size: int) -> Iterator[None]:
    """Let the kernel refuse every byte of a file past `size`, as a quota does; works everywhere."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))  # Python ignores the signal
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class Disk:
    """A file system of its own in a folder, of any size. Only root may make one."""

    def __init__(self, folder: Path, size: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() != 0 or not self._mount(f"size={size}", "-t", "tmpfs", "tmpfs"):
            pytest.skip("only root may mount a small file system here; the quota variant has run")

    def grow(self, size: str) -> None:
        assert self._mount(f"remount,size={size}")

    def lock(self) -> None:
        """Make it read-only."""
        assert self._mount("remount,ro")

    def unlock(self) -> None:
        assert self._mount("remount,rw")

    def _mount(self, options: str, *rest: str) -> bool:
        command = ["mount", "-o", options, *rest, str(self.folder)]
        return subprocess.run(command, capture_output=True).returncode == 0

    def remove(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], capture_output=True)
