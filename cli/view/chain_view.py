"""Option chains: calls at the left, puts at the right, the strike between them. Pure.

Rules
- The money is marked, and is in the middle unless the view is scrolled.
- Chains are set side by side where there is room, in the order in which they were asked for;
  those that there is no room for are named in the status.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from ...adapter.snapshot import ChainSnapshot, InstrumentSnapshot, StrikeSnapshot
from ..printable import printable
from .figures import percent, price, short_count, signed
from .frame import Line, Span, cells, cropped_line, padded
from .layout import BLOCK_GAP, Layout
from .table_columns import NOTHING, moved, way

_MARK = " ◄"


class _Side(NamedTuple):
    """A column of one side: its heading, least width, text and style."""

    name: str
    width: int
    text: Callable[[InstrumentSnapshot], str]
    style: Callable[[InstrumentSnapshot], str] = lambda _one: ""


_COLUMNS = (
    _Side(
        "OI %",
        5,
        lambda one: percent(one.oi_change_percent or 0.0),
        lambda one: way(one.oi_change_percent),
    ),
    _Side("OI", 6, lambda one: short_count(one.open_interest or 0)),
    _Side("VOL", 5, lambda one: short_count(one.volume) if one.volume else NOTHING),
    _Side(
        "CHG",
        6,
        lambda one: NOTHING if one.change is None else signed(one.change),
        lambda one: way(one.change_percent),
    ),
    _Side("LTP", 7, lambda one: NOTHING if one.ltp is None else price(one.ltp), moved),
    _Side("BID", 7, lambda one: NOTHING if one.bid is None else price(one.bid)),
    _Side("ASK", 7, lambda one: NOTHING if one.ask is None else price(one.ask)),
)
"""Their order at the left; at the right it is reversed."""
_GIVEN_UP_FIRST = (("OI %",), ("BID", "ASK"), ("OI",), ("VOL",), ("CHG",))
_LEAST = 2
"""How many of these are given up before another chain is left out."""
_STRIKE_WIDTH = 8


def chain_lines(chains: Sequence[ChainSnapshot], today: date, layout: Layout) -> list[Line]:
    """Title, heading and strikes of as many chains as fit side by side."""
    shown, widths = fitting(chains, layout)
    blocks = [
        _block(chain, today, width, layout.chain_rows)
        for chain, width in zip(shown, widths, strict=True)
    ]
    lines: list[Line] = []
    for number in range(max(map(len, blocks), default=0)):
        line: Line = ()
        start = 0
        for block, width in zip(blocks, widths, strict=True):
            cell = block[number] if number < len(block) else ()
            line = (
                (*padded(line, start - BLOCK_GAP), Span(" "), Span("│", "faint"), Span(" "), *cell)
                if start
                else cell
            )
            start += width + BLOCK_GAP
        lines.append(line)
    return lines[: layout.table]


def fitting(
    chains: Sequence[ChainSnapshot], layout: Layout
) -> tuple[Sequence[ChainSnapshot], list[int]]:
    """The chains that there is room for, and the width of each."""
    shown = list(chains[:1])
    for chain in chains[1:]:
        needed = sum(BLOCK_GAP + _width(_carried(each, _LEAST)) for each in (*shown, chain))
        if needed - BLOCK_GAP > layout.table_width:
            break
        shown.append(chain)
    count = max(1, len(shown))
    return shown, [(layout.table_width - BLOCK_GAP * (count - 1)) // count] * len(shown)


def status(chains: Sequence[ChainSnapshot], layout: Layout) -> list[str]:
    """Which part of the strikes is shown, and which chains are not."""
    shown, _ = fitting(chains, layout)
    parts = [
        f"strikes {chain.first + 1}-{chain.first + len(chain.strikes)} of {chain.strikes_total}"
        for chain in shown[:1]
        if len(chain.strikes) < chain.strikes_total
    ]
    hidden = [printable(chain.name) for chain in chains[len(shown) :]]
    return [*parts, *([f"→ {', '.join(hidden)}"] if hidden else [])]


def _block(chain: ChainSnapshot, today: date, width: int, rows: int) -> list[Line]:
    columns = _columns(chain, width)
    heading = "".join(
        (
            _set(columns, [column.name for column in columns]),
            " │ ",
            f"{'STRIKE':^{_STRIKE_WIDTH}}",
            " │ ",
            _set(columns[::-1], [column.name for column in columns[::-1]]),
        )
    )
    lines = [_title(chain, today, width), cropped_line((Span(heading, "label"),), width)]
    if not chain.strikes:
        return [
            *lines,
            cropped_line((Span("no strike yet: the spot has no price", "faint"),), width),
        ]
    lines += [cropped_line(_row(chain, each, columns), width) for each in chain.strikes[:rows]]
    return lines


def _title(chain: ChainSnapshot, today: date, width: int) -> Line:
    """The underlying, its spot price, and the expiry."""
    spot = chain.spot
    parts = [Span(printable(chain.underlying), "strong")]
    if spot.ltp is not None:
        parts.append(Span(f" {price(spot.ltp)}", moved(spot) or "strong"))
    if spot.change_percent is not None:
        parts.append(Span(f" ({percent(spot.change_percent)} %)", way(spot.change_percent)))
    parts.append(Span(f"   {_expiry(chain.expiry, today)}"))
    if chain.money is not None:
        parts.append(Span(f"   at the money {_strike(chain.money)}", "faint"))
    return cropped_line(parts, width)


def _expiry(iso: str, today: date) -> str:
    """`29 DEC 2026, 33 d`."""
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        return printable(iso)
    left = (day - today).days
    when = "today" if left == 0 else f"{left} d" if left > 0 else "expired"
    return f"{day.day} {day:%b %Y}".upper() + f", {when}"


def _strike(rupees: Decimal) -> str:
    return price(rupees).removesuffix(".00")


def _row(chain: ChainSnapshot, each: StrikeSnapshot, columns: Sequence[_Side]) -> Line:
    is_money = each.strike == chain.money
    strike = f"{_strike(each.strike):^{_STRIKE_WIDTH}}"
    return (
        *_side(each.call, columns),
        Span(" │ ", "faint"),
        Span(strike, "strong" if is_money else ""),
        Span(" │ ", "faint"),
        *_side(each.put, columns[::-1]),
        *([Span(_MARK, "strong")] if is_money else []),
    )


def _side(one: InstrumentSnapshot | None, columns: Sequence[_Side]) -> Line:
    if one is None or one.age_s is None:
        text = _set(columns, ["" if one is None else NOTHING for _ in columns])
        return (Span(text, "faint"),)
    spans: list[Span] = []
    for number, column in enumerate(columns):
        text = column.text(one)
        spans.append(Span(" " * (column.width - cells(text) + (1 if number else 0))))
        spans.append(Span(text, column.style(one)))
    return tuple(spans)


def _set(columns: Sequence[_Side], texts: Sequence[str]) -> str:
    return " ".join(
        " " * (column.width - cells(text)) + text
        for column, text in zip(columns, texts, strict=True)
    )


def _columns(chain: ChainSnapshot, width: int) -> list[_Side]:
    """The columns that there is room for."""
    for given_up in range(len(_GIVEN_UP_FIRST)):
        columns = _carried(chain, given_up)
        if _width(columns) <= width:
            return columns
    return _carried(chain, len(_GIVEN_UP_FIRST))


def _carried(chain: ChainSnapshot, given_up: int) -> list[_Side]:
    """The columns that the mode of the stream fills, as wide as they are, but for those that are
    given up."""
    sides = [
        one
        for each in chain.strikes
        for one in (each.call, each.put)
        if one is not None and one.age_s is not None
    ]
    is_snap = any(one.open_interest is not None for one in sides)
    is_filled = {
        **dict.fromkeys(("OI", "BID", "ASK"), is_snap),
        "OI %": any(one.oi_change_percent for one in sides),
        "VOL": any(one.volume is not None for one in sides),
        "CHG": any(one.change is not None for one in sides),
    }
    without = {name for names in _GIVEN_UP_FIRST[:given_up] for name in names}
    return [
        column._replace(width=max(column.width, *(cells(column.text(one)) for one in sides), 0))
        for column in _COLUMNS
        if is_filled.get(column.name, True) and column.name not in without
    ]


def _width(columns: Sequence[_Side]) -> int:
    side = sum(column.width for column in columns) + len(columns) - 1
    return 2 * side + _STRIKE_WIDTH + 6 + len(_MARK)
