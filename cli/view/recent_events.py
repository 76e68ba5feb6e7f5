"""The last events of a stream, as its screen shows them. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from ...adapter.events import Connected, FirstTick, LogEntry, Renewed, Silent
from .event_text import event_text, is_calm
from .frame import Line, Span, cropped

_TIME_WIDTH = len("09:15:00 ")
_SHOWN_IN_FULL = (Connected, FirstTick, Renewed, Silent)
"""Events without a line of their own in a log that the screen shows all the same."""


def event_lines(
    events: Sequence[LogEntry], width: int, height: int, *, is_one_of_several: bool
) -> list[Line]:
    """The newest events in `height` lines at most, the oldest of them first; long ones go on below
    their time where that leaves room for others."""
    lines: list[Line] = []
    for entry in reversed(events):
        text = event_text(entry.event, is_verbose=isinstance(entry.event, _SHOWN_IN_FULL))
        if text is None:
            continue
        if is_one_of_several and entry.connection:
            text = f"feed {entry.connection} {text}"
        parts = _parts(text, width - _TIME_WIDTH, height)
        if lines and len(lines) + len(parts) > height:
            break
        style = "faint" if is_calm(entry.event) else ""
        heads = [f"{entry.at:%H:%M:%S} ", *[" " * _TIME_WIDTH] * (len(parts) - 1)]
        shown: list[Line] = [
            (Span(head, "faint"), Span(part, style))
            for head, part in zip(heads, parts, strict=True)
        ]
        lines = [*shown, *lines]
        if len(lines) >= height:
            break
    return lines[:height] if height > 0 else []


def _parts(text: str, width: int, height: int) -> list[str]:
    """A text in lines; in one where there are few for all."""
    if width < 1:
        return [""]
    if height <= 8:
        return [cropped(text, width)]
    return textwrap.wrap(text, width) or [""]
