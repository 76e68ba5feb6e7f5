"""What the keys do, and how the screen is read, in the place of the table. Pure."""

from __future__ import annotations

from .frame import Line, Span, cells, cropped_line, padded
from .key_bindings import Scene, bindings_of

_GAP = 3
_READING = (
    "The first line is the verdict: the worst thing that is true now.",
    "Figures are of the last minute, unless they say so far.",
    "A price that has just moved is bold: green up, red down.",
)


def help_lines(width: int, height: int, scene: Scene) -> list[Line]:
    """The help in at most `height` lines."""
    bindings = bindings_of(scene)
    keys_width = max(cells(binding.shown) for binding in bindings) + _GAP
    lines: list[Line] = [
        (*padded((Span(binding.shown, "strong"),), keys_width), Span(binding.help))
        for binding in bindings
    ]
    if height >= len(lines) + len(_READING) + 1:
        lines += [(), *((Span(text, "faint"),) for text in _READING)]
    return [cropped_line(line, width) for line in lines[:height]]
