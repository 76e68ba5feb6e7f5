"""The dashboard's instruments: as many as fit, the most active first, the rest counted. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from ...adapter.snapshot import FeedSnapshot, InstrumentSnapshot
from ..printable import printable
from .figures import age
from .frame import Line, Span, cells, cropped, padded

_NEVER = "no tick since subscribe"
_LONGEST_SYMBOL, _SHORTEST_SYMBOL = 28, 11
_GAP = 2
_BLOCK_GAP = 4
_STALE_S = 30.0


class Column(NamedTuple):
    """One column of figures: its name, the least width (so that it does not jump), its cells."""

    name: str
    least_width: int
    cells: tuple[str, ...]

    @property
    def width(self) -> int:
        return max(self.least_width, max(map(len, self.cells), default=0))


_GIVEN_UP_FIRST = ("volume", "ticks", "change", "age")
"""The columns that a narrow terminal does without, in this order."""


def instrument_lines(snapshot: FeedSnapshot, width: int, height: int) -> list[Line]:
    """The table in at most `height` lines of `width` columns; none where not one row fits."""
    instruments, total = snapshot.instruments, snapshot.instruments_total
    if height < 2 or not instruments:
        return []
    has_foot = snapshot.never_ticked > 0 or total > height - 1
    rows = height - 1 - has_foot
    if rows < 1:
        return []
    columns = _fitting(_columns(instruments), instruments, width)
    block_width = _symbol_width(columns, instruments, width) + _figures_width(columns)
    blocks = min(
        -(-len(instruments) // rows), max(1, (width + _BLOCK_GAP) // (block_width + _BLOCK_GAP))
    )
    lines = _blocks(_set_rows(instruments, columns, block_width), block_width, rows, blocks)
    shown = min(len(instruments), rows * blocks)
    foot = _foot(total - shown, snapshot.never_ticked)
    return [*lines, (Span(cropped(foot, width), "faint"),)] if foot else lines


def _columns(instruments: Sequence[InstrumentSnapshot]) -> list[Column]:
    """All columns that have anything to show."""
    columns = [
        Column("ltp", 9, tuple(_price(i.ltp) for i in instruments)),
        Column("change", 8, tuple(_change(i) for i in instruments)),
        Column("volume", 10, tuple(_count(i.volume) for i in instruments)),
        Column("ticks", 7, tuple(f"{i.ticks:,}" for i in instruments)),
        Column("age", 6, tuple("" if i.age_s is None else age(i.age_s) for i in instruments)),
    ]
    return [column for column in columns if any(column.cells) or column.name in ("ltp", "age")]


def _change(instrument: InstrumentSnapshot) -> str:
    change = instrument.change_percent
    return "" if change is None else f"{round(change, 2) + 0.0:+,.2f} %"


def _price(price: Decimal | None) -> str:
    return "" if price is None else f"{price:f}"


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _name(instrument: InstrumentSnapshot) -> str:
    return printable(instrument.symbol or instrument.token)


def _shortened(name: str, width: int) -> str:
    """A symbol in `width` columns: an option is known by both its beginning and its end."""
    if cells(name) <= width or not name.isascii() or width < _SHORTEST_SYMBOL:
        return cropped(name, width)
    end = width // 2 - 1
    return f"{name[: width - end - 1]}…{name[-end:]}"


def _figures_width(columns: Sequence[Column]) -> int:
    return sum(_GAP + column.width for column in columns)


def _symbol_width(
    columns: Sequence[Column], instruments: Sequence[InstrumentSnapshot], width: int
) -> int:
    needed = max(cells(_name(i)) for i in instruments)
    most = min(_LONGEST_SYMBOL, max(_SHORTEST_SYMBOL, needed))
    return max(0, min(most, width - _figures_width(columns)))


def _fitting(
    columns: list[Column], instruments: Sequence[InstrumentSnapshot], width: int
) -> list[Column]:
    """The columns that leave a symbol enough room to be known by."""
    enough = min(width, _SHORTEST_SYMBOL, max(cells(_name(i)) for i in instruments))
    for name in (*_GIVEN_UP_FIRST, "ltp"):
        if _symbol_width(columns, instruments, width) >= enough:
            break
        columns = [column for column in columns if column.name != name]
    return columns


def _set_rows(
    instruments: Sequence[InstrumentSnapshot], columns: Sequence[Column], width: int
) -> list[Line]:
    """The head and one line for each instrument, all `width` wide at most."""
    symbol_width = width - _figures_width(columns)
    head = f"{cropped('symbol', symbol_width):<{symbol_width}}" + "".join(
        f"{'':{_GAP}}{column.name:>{column.width}}" for column in columns
    )
    rows: list[Line] = [(Span(head, "label"),)]
    for number, instrument in enumerate(instruments):
        name = padded((Span(_shortened(_name(instrument), symbol_width), "strong"),), symbol_width)
        if instrument.age_s is None:
            note = cropped(_NEVER, max(0, width - symbol_width - _GAP))
            rows.append((*name, Span(" " * _GAP), Span(note, "warn")))
            continue
        figures = (
            Span(f"{'':{_GAP}}{column.cells[number]:>{column.width}}", _style(column, instrument))
            for column in columns
        )
        rows.append((*name, *figures))
    return rows


def _style(column: Column, instrument: InstrumentSnapshot) -> str:
    if column.name == "change":
        change = round(instrument.change_percent or 0.0, 2)
        return "good" if change > 0 else "bad" if change < 0 else ""
    if column.name == "age":
        return "warn" if (instrument.age_s or 0.0) >= _STALE_S else "faint"
    return ""


def _blocks(lines: list[Line], width: int, rows: int, blocks: int) -> list[Line]:
    """Head and rows in `blocks` blocks beside each other, filled one after the other."""
    head, *all_rows = lines
    columns = [[head, *all_rows[at * rows : (at + 1) * rows]] for at in range(blocks)]
    joint = " " * _BLOCK_GAP
    joined: list[Line] = []
    for number in range(len(columns[0])):
        line: Line = ()
        for block, column in enumerate(columns):
            if number < len(column):
                before = padded(line, block * (width + _BLOCK_GAP) - _BLOCK_GAP)
                line = (*before, Span(joint), *column[number]) if block else column[number]
        joined.append(line)
    return joined


def _foot(more: int, never_ticked: int) -> str:
    parts = [f"+{more:,} more"] if more > 0 else []
    if never_ticked > 0:
        parts.append(f"{never_ticked:,} without a tick since subscribe")
    return " · ".join(parts)
