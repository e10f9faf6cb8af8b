"""What the bench prints."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One figure: against the limit of the same run (`ratio`), and against a bar, if any."""

    what: str
    figure: str
    ratio: float | None = None
    limit: str = ""  # what the ratio is to
    value: float | None = None  # what the bar is about, where it is not the ratio
    bar: float | None = None
    bar_text: str = ""

    @property
    def verdict(self) -> str:
        value = self.value if self.value is not None else self.ratio
        if self.bar is None or value is None:
            return ""
        return f"{self.bar_text or f'≤ {self.bar:g}x'}: {'held' if value <= self.bar else 'MISSED'}"


def ratio(what: str, figure: str, value: float, *, to: str, bar: float | None = None) -> Line:
    """Make a line about a ratio."""
    return Line(what, figure, ratio=value, limit=to, bar=bar)


def memory(what: str, megabytes: float, *, bar: float | None = None) -> Line:
    """Make a line about memory."""
    text = f"< {bar:g} MB" if bar is not None else ""
    return Line(what, f"{megabytes:,.0f} MB", value=megabytes, bar=bar, bar_text=text)


def render(title: str, lines: list[Line]) -> str:
    """Lay the lines out under each other."""
    cells = [("", "figure", "ratio", "to", "bar")]
    cells += [
        (
            line.what,
            line.figure,
            f"{line.ratio:.2f}x" if line.ratio is not None else "",
            line.limit,
            line.verdict,
        )
        for line in lines
    ]
    widths = [max(len(row[i]) for row in cells) for i in range(5)]
    rows = [
        "  ".join(
            cell.rjust(width) if i in (1, 2) else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    return "\n".join([title, "-" * max(map(len, rows)), *rows])
