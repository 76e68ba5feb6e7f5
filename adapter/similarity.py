"""What a misspelled option, variable, key or command was most likely meant to be. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_SIMILAR = 0.75
"""A guess less similar than this (0 to 1) would only confuse."""


def similar(word: str, known: Iterable[str]) -> str | None:
    """The one of `known` that was most likely meant, None where none is similar."""
    bare = {_bare(name): name for name in known}
    close = get_close_matches(_bare(word), bare, 1, _SIMILAR)
    return bare[close[0]] if close else None


def _bare(name: str) -> str:
    """`--silence-after`, `silence_after` and `SILENCE_AFTER` are one name."""
    return name.replace("_", "-").lstrip("-").lower()
