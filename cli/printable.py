"""Text from elsewhere (a broker's reason, a symbol, a file name) made safe to print."""

from __future__ import annotations


def printable(text: str) -> str:
    """Text from elsewhere without what could move a cursor or change a terminal."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)
