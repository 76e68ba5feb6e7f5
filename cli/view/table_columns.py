"""The figures of an instrument that a table can show, in their order. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

from ...adapter.snapshot import InstrumentSnapshot
from .figures import percent, price, short_age, short_count, signed
from .frame import cells

NOTHING = "–"
_CASH = ("NSE", "BSE")


class Column(NamedTuple):
    """A column of figures: its heading, least width (so that it does not jump), text, style."""

    name: str
    least: int
    text: Callable[[InstrumentSnapshot], str]
    style: Callable[[InstrumentSnapshot], str] = lambda _one: ""


def way(change: float | None) -> str:
    """The style of a change as it is shown: up, down, or none for what rounds to nothing."""
    shown = percent(change or 0.0)
    return "up" if shown.startswith("+") else "down" if shown.startswith("-") else ""


def moved(one: InstrumentSnapshot) -> str:
    """The style of a price: it stands out for about a second after it moved."""
    return ("", "up strong", "down strong")[one.move]


def _book(price_: Decimal | None, quantity: int | None) -> str:
    return NOTHING if price_ is None else f"{price(price_)}×{_short(quantity or 0)}"


def _short(quantity: int) -> str:
    return short_count(quantity).replace(" ", "")


COLUMNS = (
    Column("LTP", 9, lambda one: NOTHING if one.ltp is None else price(one.ltp), moved),
    Column(
        "CHANGE",
        7,
        lambda one: NOTHING if one.change is None else signed(one.change),
        lambda one: way(one.change_percent),
    ),
    Column(
        "%",
        5,
        lambda one: NOTHING if one.change_percent is None else percent(one.change_percent),
        lambda one: way(one.change_percent),
    ),
    Column("LOW", 9, lambda one: NOTHING if one.low is None else price(one.low)),
    Column("HIGH", 9, lambda one: NOTHING if one.high is None else price(one.high)),
    Column("BID×QTY", 11, lambda one: _book(one.bid, one.bid_quantity)),
    Column("ASK×QTY", 11, lambda one: _book(one.ask, one.ask_quantity)),
    Column(
        "OI", 6, lambda one: short_count(one.open_interest or 0) if is_contract(one) else NOTHING
    ),
    Column(
        "OI %",
        5,
        lambda one: percent(one.oi_change_percent or 0.0) if is_contract(one) else NOTHING,
        lambda one: way(one.oi_change_percent) if is_contract(one) else "",
    ),
    Column("VOLUME", 9, lambda one: f"{one.volume:,}" if one.volume else NOTHING),
    Column("TICKS", 6, lambda one: f"{one.ticks:,}"),
    Column("AGE", 5, lambda one: short_age(one.age_s or 0.0), lambda _one: "faint"),
)
_OPTIONAL = ("CHANGE", "%", "LOW", "HIGH", "OI")
GIVEN_UP_FOR_SYMBOLS = (("LOW", "HIGH"), ("TICKS",), ("OI %",), ("VOLUME",), ("AGE",))
"""Given up, in this order, before a symbol is cut short."""
GIVEN_UP_FIRST = (*GIVEN_UP_FOR_SYMBOLS, ("OI",), ("CHANGE",), ("BID×QTY", "ASK×QTY"), ("%",))
"""What a narrow block does without, in this order."""


def is_contract(one: InstrumentSnapshot) -> bool:
    """Whether its open interest means anything: cash scrips carry a number too."""
    return one.open_interest is not None and one.exchange not in _CASH


class Filled(NamedTuple):
    """A column of some instruments: its width, and the texts of those that have ticked."""

    column: Column
    width: int
    texts: Sequence[str]


def filled(instruments: Sequence[InstrumentSnapshot]) -> list[Filled]:
    """The columns in which one of these has anything."""
    ticked = [one for one in instruments if one.age_s is not None]
    names = _names_filled(ticked)
    found: list[Filled] = []
    for column in COLUMNS:
        if column.name not in names:
            continue
        texts = ["" if one.age_s is None else column.text(one) for one in instruments]
        if column.name in _OPTIONAL and not any(text not in ("", NOTHING) for text in texts):
            continue
        found.append(Filled(column, max(column.least, *map(cells, texts)), texts))
    return found


def _names_filled(ticked: Sequence[InstrumentSnapshot]) -> set[str]:
    """The columns that mean something for these: the book stands in for ticks and volume where the
    mode carries it, which shows by the open interest."""
    names = {column.name for column in COLUMNS}
    if not any(one.open_interest is not None for one in ticked):
        names -= {"BID×QTY", "ASK×QTY"}
    if not any(is_contract(one) and one.oi_change_percent for one in ticked):
        names -= {"OI %"}
    if not any(one.volume is not None for one in ticked):
        names -= {"VOLUME"}
    return names
