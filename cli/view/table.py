"""The instruments: one row each, in blocks side by side where they do not fit one. Pure.

Rules
- Figures are set in columns, each as wide as its widest cell.
- The columns that a block has no room for are given up in the order of `GIVEN_UP_FIRST`; the
  symbol keeps enough to be known by.
- A price that has just moved is green or red; bold without colour.
- What never ticked says so; instruments of two exchanges that share a name say which they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from ...adapter.selection import Sort
from ...adapter.snapshot import InstrumentSnapshot
from ..printable import printable
from .frame import Line, Span, cells, cropped, padded
from .layout import BLOCK_GAP, Layout
from .table_columns import GIVEN_UP_FIRST, GIVEN_UP_FOR_SYMBOLS, Filled, filled
from .view_state import ViewState

NEVER = "no tick yet"
_LONGEST_SYMBOL, _SHORTEST_SYMBOL = 28, 12
_NARROWEST_SYMBOL = 8
_STRIKE = len("25500CE")
_JOINT = (Span(" "), Span("│", "faint"), Span(" "))
_NARROW = ("LTP", "%")
_ORDERS = {
    Sort.ACTIVITY: "most active first",
    Sort.SYMBOL: "by symbol",
    Sort.CHANGE: "by change",
}


class Listing(Protocol):
    """What a table shows: a page of a feed's or a replay's instruments."""

    @property
    def instruments(self) -> tuple[InstrumentSnapshot, ...]: ...
    @property
    def instruments_total(self) -> int: ...
    @property
    def first_row(self) -> int: ...
    @property
    def matching(self) -> int | None: ...
    @property
    def order(self) -> str: ...


def table_lines(listing: Listing, layout: Layout) -> list[Line]:
    """The heading and the rows, in `layout.table` lines at most."""
    instruments, rows = listing.instruments[: layout.capacity], layout.rows
    if not instruments or rows < 1:
        return []
    blocks = min(layout.blocks, -(-len(instruments) // rows))
    gaps = BLOCK_GAP * (blocks - 1)
    width = (layout.table_width - gaps) // blocks
    names = _names(instruments)
    columns, symbol_width = _fitting(filled(instruments), names, width, layout)
    gap = _gap(width - symbol_width, columns)
    heading = _heading(columns, symbol_width, gap)
    lines = [
        _never(_shortened(name, symbol_width), symbol_width, width)
        if one.age_s is None
        else _row(number, one, _shortened(name, symbol_width), columns, symbol_width, gap)
        for number, (one, name) in enumerate(zip(instruments, names, strict=True))
    ]
    return _side_by_side(heading, lines, rows, blocks, width)


def status(listing: Listing, view: ViewState) -> list[str]:
    """What a person must know of a table that does not show everything as it was typed."""
    shown, total = len(listing.instruments), listing.instruments_total
    matching = total if listing.matching is None else listing.matching
    parts: list[str] = []
    if view.filter_text:
        parts.append(f"{matching:,} of {total:,} match '{printable(view.filter_text)}'")
    if 0 < shown < matching:
        first = listing.first_row + 1
        parts.append(f"rows {first:,}-{first + shown - 1:,} of {matching:,}")
    if listing.order in _ORDERS and (shown < matching or view.sort is not Sort.AUTO):
        parts.append(_ORDERS[Sort(listing.order)])
    return parts


def _names(instruments: Sequence[InstrumentSnapshot]) -> list[str]:
    """Symbols; with the exchange where another one of these has the same, but for the series."""
    symbols = [printable(one.symbol or one.token) for one in instruments]
    places = {
        (symbol.partition("-")[0].upper(), one.exchange)
        for symbol, one in zip(symbols, instruments, strict=True)
    }
    often = Counter(stem for stem, _ in places)
    return [
        f"{printable(one.exchange)}:{symbol}"
        if often[symbol.partition("-")[0].upper()] > 1
        else symbol
        for symbol, one in zip(symbols, instruments, strict=True)
    ]


def _fitting(
    columns: list[Filled], names: Sequence[str], width: int, layout: Layout
) -> tuple[list[Filled], int]:
    """The columns that a block has room for, and the width of its symbols."""
    if layout.is_narrow:
        columns = [each for each in columns if each.column.name in _NARROW]
    longest = max(map(cells, names))
    wanted = min(longest, _LONGEST_SYMBOL)
    enough = min(longest, _SHORTEST_SYMBOL)
    for given_up in GIVEN_UP_FIRST:
        if _room(columns, width) >= (wanted if given_up in GIVEN_UP_FOR_SYMBOLS else enough):
            break
        columns = [each for each in columns if each.column.name not in given_up]
    room = _room(columns, width)
    if room < min(enough, _NARROWEST_SYMBOL):
        return [], min(wanted, width)
    return columns, min(wanted, room)


def _room(columns: Sequence[Filled], width: int) -> int:
    """What the columns leave for the symbol."""
    return width - sum(1 + each.width for each in columns)


def _gap(room: int, columns: Sequence[Filled]) -> int:
    """Blanks before each column: as many as there is room for, three at most."""
    if not columns:
        return 1
    return max(1, min(3, (room - sum(each.width for each in columns)) // len(columns)))


def _heading(columns: Sequence[Filled], symbol_width: int, gap: int) -> Line:
    text = f"{cropped('SYMBOL', symbol_width):<{symbol_width}}" + "".join(
        f"{'':{gap}}{each.column.name:>{each.width}}" for each in columns
    )
    return (Span(text, "label"),)


def _row(
    number: int,
    one: InstrumentSnapshot,
    name: str,
    columns: Sequence[Filled],
    symbol_width: int,
    gap: int,
) -> Line:
    figures = (
        Span(_right(each.texts[number], gap + each.width), each.column.style(one))
        for each in columns
    )
    return (*padded((Span(name, "strong"),), symbol_width), *figures)


def _never(name: str, symbol_width: int, width: int) -> Line:
    """The row of an instrument without a tick."""
    note = cropped(f"  {NEVER}", max(0, width - symbol_width))
    return (*padded((Span(name, "faint"),), symbol_width), Span(note, "faint"))


def _right(text: str, width: int) -> str:
    return " " * (width - cells(text)) + text


def _shortened(name: str, width: int) -> str:
    """A symbol in `width` columns: an option is known by its beginning and by its strike, which
    is shown whole where five letters of the beginning remain: `NIFTY…25500CE`."""
    if cells(name) <= width or not name.isascii() or width < _SHORTEST_SYMBOL - 2:
        return cropped(name, width)
    end = max(width // 2 - 1, min(_STRIKE, width - 6))
    return f"{name[: width - end - 1]}…{name[-end:]}"


def _side_by_side(
    heading: Line, lines: Sequence[Line], rows: int, blocks: int, width: int
) -> list[Line]:
    """The rows in blocks that are filled one after the other, each under a heading."""
    if blocks == 1:
        return [heading, *lines]
    columns = [[heading, *lines[at * rows : (at + 1) * rows]] for at in range(blocks)]
    blank: Line = ()
    joined: list[Line] = []
    for number in range(len(columns[0])):
        line = padded(columns[0][number], width)
        for column in columns[1:]:
            cell = column[number] if number < len(column) else blank
            line = (*line, *_JOINT, *padded(cell, width))
        joined.append(line)
    return joined
