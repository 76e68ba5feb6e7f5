"""A frame: lines of styled text, for Rich and for a terminal that is written to directly.

Styles are named by what they mean and use the terminal's own palette. Each reads on a dark and on a
light background: yellow, which is next to nothing on white, is a background with black on it, and
green and red text is not bold, which many terminals draw in a bright shade that is as pale. Each
look also reads without any colour, where a price that moved is bold and nothing else is. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.color import ColorSystem
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style

from ..printable import printable

STYLES = {
    "": "",
    "label": "dim",
    "faint": "dim",
    "strong": "bold",
    "good": "green",
    "calm": "",
    "warn": "black on yellow",
    "bad": "red",
    "good strong": "green",
    "calm strong": "bold",
    "warn strong": "black on yellow",
    "bad strong": "bold white on red",
    "faint strong": "bold",
    "up": "green",
    "down": "red",
    "up strong": "green",
    "down strong": "red",
    "good rule": "green",
    "calm rule": "dim",
    "warn rule": "yellow",
    "bad rule": "red",
    "faint rule": "dim",
}
"""The name of a style, and its look. A `rule` is drawn with lines and blocks, not read."""

_WITHOUT_COLOR = {"up strong": "bold", "down strong": "bold"}

LABEL_WIDTH = 9
"""The width of the labels at the left."""
_ELLIPSIS = "…"


class Span(NamedTuple):
    """A few words in one style."""

    text: str
    style: str = ""


Line = tuple[Span, ...]


def cells(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return len(text) if text.isascii() else cell_len(text)


def width_of(line: Sequence[Span]) -> int:
    """How many columns a line takes."""
    return cells("".join([span.text for span in line]))


def cropped(text: str, width: int) -> str:
    """`text` in at most `width` columns; what is missing at the end shows as an ellipsis."""
    if cells(text) <= width:
        return text
    return set_cell_size(text, width - 1) + _ELLIPSIS if width > 0 else ""


def cropped_line(line: Sequence[Span], width: int) -> Line:
    """A line in at most `width` columns."""
    if width_of(line) <= width:
        return tuple(line)
    kept: list[Span] = []
    for span in line:
        kept.append(Span(cropped(span.text, width), span.style))
        width -= cells(span.text)
        if width <= 0:
            break
    return tuple(kept)


def padded(line: Sequence[Span], width: int) -> Line:
    """A line filled up with blanks to `width` columns."""
    missing = width - width_of(line)
    return (*line, Span(" " * missing)) if missing > 0 else tuple(line)


def flowed(label: str, parts: Sequence[Span], width: int) -> list[Line]:
    """Parts joined by `·` after their label; those that do not fit continue below."""
    lines: list[Line] = []
    line: list[Span] = [Span(f"{label:<{LABEL_WIDTH}}", "label")]
    for index, part in enumerate(parts):
        joint = Span(" · ", "faint")
        if index and width_of(line) + width_of((joint, part)) > width:
            lines.append(tuple(line))
            line = [Span(" " * LABEL_WIDTH)]
        elif index:
            line.append(joint)
        line.append(Span(cropped(part.text, width - LABEL_WIDTH), part.style))
    return [*lines, tuple(line)]


@cache
def _style(name: str) -> Style:
    return Style.parse(STYLES[name])


@cache
def _codes(name: str, *, has_color: bool) -> tuple[str, str]:
    """What switches a style on and off."""
    style = _style(name) if has_color else Style.parse(_WITHOUT_COLOR.get(name, ""))
    before, _, after = style.render("|", color_system=ColorSystem.STANDARD).partition("|")
    return before, after


def _rendered(line: Line, *, has_color: bool) -> str:
    """A line with its codes; neighbours of one style share theirs."""
    parts: list[str] = []
    now, after = "", ""
    for text, style in line:
        if style != now and text:
            before, following = _codes(style, has_color=has_color)
            parts.append(after + before)
            now, after = style, following
        parts.append(printable(text))
    return "".join(parts) + after


@dataclass(frozen=True, slots=True)
class Frame:
    """Lines, top to bottom; a Rich renderable. No text of a span reaches a terminal unless it is
    printable; what comes from elsewhere passes `printable` before it is measured too."""

    lines: tuple[Line, ...]

    def plain(self) -> list[str]:
        """The lines without style."""
        return ["".join(printable(span.text) for span in line).rstrip() for line in self.lines]

    def ansi(self, *, has_color: bool) -> list[str]:
        """The lines for a terminal; without colour only a price that moved is marked, by bold."""
        return [_rendered(line, has_color=has_color) for line in self.lines]

    def widths(self) -> list[int]:
        """How many columns each line takes."""
        return [width_of(line) for line in self.lines]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self.lines:
            for span in line:
                yield Segment(printable(span.text), _style(span.style))
            yield Segment.line()
