"""What all watch screens share: those of a stream and of a replay look alike. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from .foot import calm_lines, key_line
from .frame import Frame, Line, Span, cells, cropped, cropped_line, padded, width_of
from .help_view import help_lines
from .key_bindings import Scene
from .layout import BLOCK_GAP, Layout
from .tiles import Tile, brief_lines, tile_lines
from .view_state import ViewState


class Parts(NamedTuple):
    """A screen's parts. `status` goes into the line above the table; `events` makes the last ones
    for a width and a number of lines. `is_over`: this is the last frame."""

    severity: str
    head: Sequence[Line]
    tiles: Sequence[Tile]
    body: Sequence[Line]
    status: Sequence[str]
    events: Callable[[int, int], Sequence[Line]]
    calm: Sequence[Span]
    scene: Scene
    is_over: bool


def framed(parts: Parts, view: ViewState, layout: Layout, height: int) -> Frame:
    """The parts as a frame of `height` lines of `layout.width` columns at most."""
    width = layout.width
    lines = [*parts.head]
    if layout.has_rules:
        lines.append((Span("─" * width, f"{parts.severity} rule"),))
    if layout.tiles:
        lines += (tile_lines if layout.tiles == 3 else brief_lines)(parts.tiles, width)
    if layout.has_rules:
        lines.append(_titled_rule(parts.status, width))
    lines += _body(parts, view, layout)
    if layout.calm:
        if layout.calm and height >= 20:
            lines.append((Span("─" * width, "faint"),))
        lines += calm_lines(parts.calm, width, layout.calm)
    if layout.has_keys and not parts.is_over:
        lines.append(key_line(view, width, parts.scene))
    return Frame(tuple(cropped_line(line, width) for line in lines)[: max(0, height)])


def _body(parts: Parts, view: ViewState, layout: Layout) -> list[Line]:
    """Table or help, and the last events below it or at its right."""
    table = list(parts.body)
    if view.shows_help and not parts.is_over:
        table = help_lines(layout.table_width, layout.table, parts.scene)
    table = table[: layout.table]
    if layout.side:
        return _beside(table, parts, layout)
    events = list(parts.events(layout.width, layout.events)) if layout.events else []
    if parts.is_over:
        return [*table, *events]
    room = layout.table + layout.events - len(events) - len(table)
    return [*table, *[()] * max(0, room), *events]


def _beside(table: Sequence[Line], parts: Parts, layout: Layout) -> list[Line]:
    """The table with the events in a column at its right, the newest at the bottom."""
    events = list(parts.events(layout.side, layout.table - 1))
    side: list[Line] = [(Span("LAST EVENTS", "label"),), *events]
    rows = max(len(table), len(side)) if parts.is_over else layout.table
    blank: Line = ()
    return [
        (
            *padded(table[row] if row < len(table) else blank, layout.table_width),
            *(Span(" " * (BLOCK_GAP - 2)), Span("│", "faint"), Span(" ")),
            *(side[row] if row < len(side) else blank),
        )
        for row in range(rows)
    ]


def _titled_rule(parts: Sequence[str], width: int) -> Line:
    """A line, with what there is to say of the table in it, as far as that fits."""
    for count in range(len(parts), 0, -1):
        title = f" {' · '.join(parts[:count])} "
        if cells(title) <= width - 4 or count == 1:
            shown = cropped(title, max(0, width - 4))
            rest = max(0, width - 2 - cells(shown))
            return (Span("──", "faint"), Span(shown), Span("─" * rest, "faint"))
    return (Span("─" * width, "faint"),)


def with_clock(head: Line, clocks: Sequence[str], width: int) -> Line:
    """A first line with the first of the `clocks` that fits at its right end."""
    for clock in clocks:
        room = width - width_of(head) - cells(clock)
        if room >= 2:
            return *head, Span(" " * room), Span(clock, "faint")
    return head
