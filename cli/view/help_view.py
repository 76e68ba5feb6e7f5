"""What the keys do, and how the screen is read, in the place of the table. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from .frame import Line, Span, cells, cropped_line, padded
from .key_bindings import Binding, Scene, bindings_of

_GAP = 3
_SHORTEST, _UNBOUNDED = 12, 1_000
_READING = (
    "The first line is the verdict: the worst thing that is true now.",
    "Figures are of the last minute, unless they say so far.",
    "A price that has just moved is green (up) or red (down); bold without colour.",
)


def help_lines(width: int, height: int, scene: Scene) -> list[Line]:
    """The help in at most `height` lines; its sentences are cut where not all of them fit whole."""
    bindings = bindings_of(scene)
    keys_width = max(cells(binding.shown) for binding in bindings) + _GAP
    room = max(_SHORTEST, width - keys_width)
    lines = _keys(bindings, keys_width, room)
    if len(lines) > height:
        lines = _keys(bindings, keys_width, _UNBOUNDED)
    reading = [part for text in _READING for part in textwrap.wrap(text, max(_SHORTEST, width))]
    if height >= len(lines) + len(reading) + 1:
        lines += [(), *((Span(text, "faint"),) for text in reading)]
    return [cropped_line(line, width) for line in lines[:height]]


def _keys(bindings: Sequence[Binding], keys_width: int, room: int) -> list[Line]:
    """Each key with what it does, in as many lines as that takes."""
    lines: list[Line] = []
    for binding in bindings:
        first, *more = textwrap.wrap(binding.help, room)
        lines.append((*padded((Span(binding.shown, "strong"),), keys_width), Span(first)))
        lines += [(Span(" " * keys_width), Span(text)) for text in more]
    return lines
