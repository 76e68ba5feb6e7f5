"""What the keys do, and what the screen shows, in the place of the table. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from .frame import Line, Span, cropped_line, padded

_KEYS_WIDTH = 14
_FEED = (
    ("q", "end the stream; everything that came is written first"),
    ("↑ ↓ PgUp PgDn", "scroll; Home and End go to the first and the last row"),
    ("s", "sort: typed or most active, by symbol, by change, by activity"),
    ("/", "filter by symbol, such as `nifty ce`; Enter keeps it, Esc clears it"),
    ("p", "hold the picture still; the recording goes on"),
    ("o", "the option chain, where one is followed"),
    ("?", "close this help"),
)
_REPLAY = (
    ("q", "end the replay"),
    ("space", "pause, and go on"),
    *_FEED[1:4],
    ("p", "hold the picture still; the replay goes on"),
    _FEED[-1],
)
_READING = (
    "The first line is the verdict: the worst thing that is true now.",
    "Figures are of the last minute unless they say so far.",
    "A price that has just moved is bold: green up, red down.",
)


def help_lines(width: int, height: int, *, is_replay: bool) -> list[Line]:
    """The help in at most `height` lines."""
    keys: Sequence[tuple[str, str]] = _REPLAY if is_replay else _FEED
    lines: list[Line] = [(Span("KEYS", "label"),)]
    lines += [
        (*padded((Span(key, "strong"),), _KEYS_WIDTH), Span(meaning)) for key, meaning in keys
    ]
    if height >= len(lines) + len(_READING) + 1:
        lines += [(), *((Span(text, "faint"),) for text in _READING)]
    return [cropped_line(line, width) for line in lines[:height]]
