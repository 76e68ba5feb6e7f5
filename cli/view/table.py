"""The instruments: one row each, in blocks side by side where they do not fit one. Pure.

Rules
- Figures stand in columns of one width from row to row; each is as wide as its widest cell.
- The columns that a block has no room for are given up in the order of `_GIVEN_UP_FIRST`; the
  symbol keeps enough to be known by.
- A price that has just moved is bold and green or red.
- What never ticked says so; instruments of two exchanges that share a name say which they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple, Protocol

from ...adapter.selection import Sort
from ...adapter.snapshot import InstrumentSnapshot
from ..printable import printable
from .figures import percent, price, short_age, short_count, signed
from .frame import Line, Span, cells, cropped, padded
from .layout import BLOCK_GAP, Layout
from .view_state import ViewState

NEVER = "no tick yet"
_NONE = "–"
_LONGEST_SYMBOL, _SHORTEST_SYMBOL = 28, 12
_NARROWEST_SYMBOL = 8
_JOINT = (Span(" "), Span("│", "faint"), Span(" "))
_CASH = ("NSE", "BSE")
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


class _Column(NamedTuple):
    """A column of figures: its heading, least width (so that it does not jump), text, style."""

    name: str
    least: int
    text: Callable[[InstrumentSnapshot], str]
    style: Callable[[InstrumentSnapshot], str] = lambda _one: ""


def way(change: float | None) -> str:
    shown = percent(change or 0.0)
    return "up" if shown.startswith("+") else "down" if shown.startswith("-") else ""


def moved(one: InstrumentSnapshot) -> str:
    return ("", "up strong", "down strong")[one.move]


def _book(price_: Decimal | None, quantity: int | None) -> str:
    return _NONE if price_ is None else f"{price(price_)}×{_short(quantity or 0)}"


def _short(quantity: int) -> str:
    return short_count(quantity).replace(" ", "")


_COLUMNS = (
    _Column("LTP", 9, lambda one: _NONE if one.ltp is None else price(one.ltp), moved),
    _Column(
        "CHANGE",
        7,
        lambda one: _NONE if one.change is None else signed(one.change),
        lambda one: way(one.change_percent),
    ),
    _Column(
        "%",
        5,
        lambda one: _NONE if one.change_percent is None else percent(one.change_percent),
        lambda one: way(one.change_percent),
    ),
    _Column("LOW", 9, lambda one: _NONE if one.low is None else price(one.low)),
    _Column("HIGH", 9, lambda one: _NONE if one.high is None else price(one.high)),
    _Column("BID×QTY", 11, lambda one: _book(one.bid, one.bid_quantity)),
    _Column("ASK×QTY", 11, lambda one: _book(one.ask, one.ask_quantity)),
    _Column(
        "OI", 6, lambda one: short_count(one.open_interest or 0) if _is_contract(one) else _NONE
    ),
    _Column(
        "OI %",
        5,
        lambda one: percent(one.oi_change_percent or 0.0) if _is_contract(one) else _NONE,
        lambda one: way(one.oi_change_percent) if _is_contract(one) else "",
    ),
    _Column("VOLUME", 9, lambda one: f"{one.volume:,}" if one.volume else _NONE),
    _Column("TICKS", 6, lambda one: f"{one.ticks:,}"),
    _Column("AGE", 5, lambda one: short_age(one.age_s or 0.0), lambda _one: "faint"),
)
_CHEAP = (("LOW", "HIGH"), ("TICKS",), ("OI %",), ("VOLUME",), ("AGE",))
"""Given up before a symbol is cut short."""
_GIVEN_UP_FIRST = (*_CHEAP, ("OI",), ("CHANGE",), ("BID×QTY", "ASK×QTY"), ("%",))
_NARROW = ("LTP", "%")


def _is_contract(one: InstrumentSnapshot) -> bool:
    """Whether its open interest means anything: cash scrips carry a number too."""
    return one.open_interest is not None and one.exchange not in _CASH


def table_lines(listing: Listing, layout: Layout) -> list[Line]:
    """The heading and the rows, in `layout.table` lines at most."""
    instruments, rows = listing.instruments[: layout.capacity], layout.rows
    if not instruments or rows < 1:
        return []
    blocks = min(layout.blocks, -(-len(instruments) // rows))
    gaps = BLOCK_GAP * (blocks - 1)
    width = (layout.table_width - gaps) // blocks
    names = _names(instruments)
    columns, symbol_width = _fitting(instruments, names, width, is_narrow=layout.is_narrow)
    widths = [_width(column, instruments) for column in columns]
    gap = _gap(width - symbol_width, widths)
    heading = _heading(columns, widths, symbol_width, gap)
    lines = [
        _row(one, name, columns, widths, symbol_width, gap)
        for one, name in zip(instruments, names, strict=True)
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


def _width(column: _Column, instruments: Sequence[InstrumentSnapshot]) -> int:
    ticked = (cells(column.text(one)) for one in instruments if one.age_s is not None)
    return max(column.least, max(ticked, default=0))


def _fitting(
    instruments: Sequence[InstrumentSnapshot], names: Sequence[str], width: int, *, is_narrow: bool
) -> tuple[list[_Column], int]:
    """The columns that a block has room for, and the width of its symbols."""
    columns = [column for column in _COLUMNS if _is_filled(column, instruments)]
    if is_narrow:
        columns = [column for column in columns if column.name in _NARROW]
    longest = max(map(cells, names))
    wanted = min(longest, _LONGEST_SYMBOL)
    enough = min(longest, _SHORTEST_SYMBOL if not is_narrow else _NARROWEST_SYMBOL)
    for given_up in _GIVEN_UP_FIRST:
        room = width - sum(1 + _width(column, instruments) for column in columns)
        if room >= (wanted if given_up in _CHEAP else enough):
            break
        columns = [column for column in columns if column.name not in given_up]
    room = width - sum(1 + _width(column, instruments) for column in columns)
    if room < min(enough, _NARROWEST_SYMBOL):
        return [], min(wanted, width)
    return columns, min(wanted, room)


def _is_filled(column: _Column, instruments: Sequence[InstrumentSnapshot]) -> bool:
    """Whether anybody has anything there. The book stands in for volume and ticks."""
    has_book = any(one.open_interest is not None for one in instruments)
    if column.name in ("BID×QTY", "ASK×QTY"):
        return has_book
    if column.name == "OI %":
        return any(_is_contract(one) and one.oi_change_percent for one in instruments)
    if column.name == "VOLUME":
        return any(one.volume is not None for one in instruments)
    if column.name in ("CHANGE", "%", "LOW", "HIGH", "OI"):
        return any(column.text(one) != _NONE for one in instruments)
    return True


def _gap(room: int, widths: Sequence[int]) -> int:
    """Blanks before each column: as many as there is room for, three at most."""
    return max(1, min(3, (room - sum(widths)) // len(widths))) if widths else 1


def _heading(
    columns: Sequence[_Column], widths: Sequence[int], symbol_width: int, gap: int
) -> Line:
    text = f"{cropped('SYMBOL', symbol_width):<{symbol_width}}" + "".join(
        f"{'':{gap}}{column.name:>{width}}" for column, width in zip(columns, widths, strict=True)
    )
    return (Span(text, "label"),)


def _row(
    one: InstrumentSnapshot,
    name: str,
    columns: Sequence[_Column],
    widths: Sequence[int],
    symbol_width: int,
    gap: int,
) -> Line:
    shown = _shortened(name, symbol_width)
    if one.age_s is None:
        room = sum(gap + width for width in widths)
        note = cropped(NEVER, max(0, room - gap))
        return (
            *padded((Span(shown, "faint"),), symbol_width),
            Span(f"{'':{gap}}{note}", "faint"),
        )
    figures = (
        Span(_right(column.text(one), gap + width), column.style(one))
        for column, width in zip(columns, widths, strict=True)
    )
    return (*padded((Span(shown, "strong"),), symbol_width), *figures)


def _right(text: str, width: int) -> str:
    return " " * (width - cells(text)) + text


def _shortened(name: str, width: int) -> str:
    """A symbol in `width` columns: an option is known by both its beginning and its end."""
    if cells(name) <= width or not name.isascii() or width < _SHORTEST_SYMBOL - 2:
        return cropped(name, width)
    end = width // 2 - 1
    return f"{name[: width - end - 1]}…{name[-end:]}"


def _side_by_side(
    heading: Line, lines: Sequence[Line], rows: int, blocks: int, width: int
) -> list[Line]:
    """The rows in blocks that are filled one after the other, each under a heading."""
    if blocks == 1:
        return [heading, *lines]
    columns = [[heading, *lines[at * rows : (at + 1) * rows]] for at in range(blocks)]
    joined: list[Line] = []
    for number in range(len(columns[0])):
        line: Line = ()
        for block, column in enumerate(columns):
            cell = column[number] if number < len(column) else ()
            line = (
                cell
                if block == 0
                else (*padded(line, block * (width + BLOCK_GAP) - BLOCK_GAP), *_JOINT, *cell)
            )
        joined.append(line)
    return joined
