"""How a batch is named in addresses: the number of its hand-out, or `legacy-<database>`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BatchKey:
    """One batch: a hand-out's records, or the ones of a database that came without any."""

    request_id: int | None
    database_id: int | None

    def __str__(self) -> str:
        return str(self.request_id) if self.request_id else f"legacy-{self.database_id}"


class BatchKeyConverter:
    """Reads a batch's key from an address and writes it there."""

    regex = r"(?:legacy-)?[1-9][0-9]{0,17}"

    def to_python(self, value: str) -> BatchKey:
        number = int(value.removeprefix("legacy-"))
        return BatchKey(None, number) if value.startswith("legacy-") else BatchKey(number, None)

    def to_url(self, value: BatchKey) -> str:
        return str(value)
