"""Zip archives, read as if every number in them were a lie.

Sizes in a zip's headers are only claims: each entry is inflated in pieces and counted, and what
grows past its claim, past the ratio of honest files or past the total limit is refused at once.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from databases.importing import limits
from databases.importing.problems import FileProblem

_PIECE = 256 * 1024
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")
_ENCRYPTED = 0x1


class Archive:
    """A zip archive of which nothing is believed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        self.inflated = 0
        try:
            with zipfile.ZipFile(path) as archive:
                entries = archive.infolist()
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as e:
            raise FileProblem("damaged") from e
        if len(entries) > limits.ZIP_ENTRIES:
            raise FileProblem("too_complex")
        if any(entry.flag_bits & _ENCRYPTED for entry in entries):
            raise FileProblem("encrypted")
        self.entries = {entry.filename.lstrip("/"): entry for entry in entries}
        # Two entries of one name: which one is meant depends on who reads it.
        if len(self.entries) != len(entries):
            raise FileProblem("damaged")
        self.claimed = sum(entry.file_size for entry in entries)
        if self.claimed > limits.INFLATED_BYTES:
            raise FileProblem("inflates")
        if (
            self.claimed > limits.INFLATED_RATIO_FROM
            and self.claimed > self.size * limits.INFLATED_RATIO
        ):
            raise FileProblem("inflates")

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    def names(self) -> list[str]:
        return list(self.entries)

    def check_all(self) -> None:
        """Inflate everything once, keeping nothing: for readers that will not count themselves."""
        for name in self.entries:
            for _ in self.pieces(name):
                pass
        self.inflated = 0

    def read(self, name: str, most: int) -> bytes:
        """Give a small entry whole."""
        parts, length = [], 0
        for piece in self.pieces(name):
            length += len(piece)
            if length > most:
                raise FileProblem("too_complex")
            parts.append(piece)
        return b"".join(parts)

    def pieces(self, name: str) -> Iterator[bytes]:
        """Give the content of an entry in pieces, counting."""
        entry = self.entries[name]
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise FileProblem("damaged")
        produced = 0
        try:
            for piece in self._inflate(entry):
                produced += len(piece)
                self.inflated += len(piece)
                if produced > entry.file_size:
                    raise FileProblem("damaged")
                if self.inflated > limits.INFLATED_BYTES or (
                    produced > limits.INFLATED_RATIO_FROM
                    and produced > entry.compress_size * limits.INFLATED_RATIO
                ):
                    raise FileProblem("inflates")
                yield piece
        except (zlib.error, OSError, struct.error) as error:
            raise FileProblem("damaged") from error
        if produced != entry.file_size:
            raise FileProblem("damaged")

    def _inflate(self, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            file.seek(entry.header_offset)
            header = file.read(_LOCAL_HEADER.size)
            if len(header) < _LOCAL_HEADER.size or header[:4] != b"PK\x03\x04":
                raise FileProblem("damaged")
            fields = _LOCAL_HEADER.unpack(header)
            file.seek(fields[-2] + fields[-1], 1)
            left = entry.compress_size
            inflater = zlib.decompressobj(-15)
            stored = entry.compress_type == zipfile.ZIP_STORED
            while left > 0:
                chunk = file.read(min(_PIECE, left))
                if not chunk:
                    raise FileProblem("damaged")
                left -= len(chunk)
                if stored:
                    yield chunk
                    continue
                while chunk:
                    piece = inflater.decompress(chunk, _PIECE * 4)
                    if piece:
                        yield piece
                    chunk = inflater.unconsumed_tail
                    if inflater.eof:
                        return
            if not stored:
                while piece := inflater.flush():
                    yield piece
                if not inflater.eof:
                    raise FileProblem("damaged")
