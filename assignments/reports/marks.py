"""How marks are drawn, wherever they stand."""

from __future__ import annotations

# Tone and icon of each mark; the icons echo WhatsApp's own ticks.
LOOKS: dict[tuple[str, str], tuple[str, str]] = {
    ("reach", "ada"): ("ok", "check-check"),
    ("reach", "ceklis1"): ("warn", "check"),
    ("reach", "tidak"): ("bad", "x"),
    ("response", "ya"): ("ok", "message-circle-reply"),
    ("response", "tidak"): ("bad", "message-circle-off"),
}
