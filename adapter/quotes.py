"""What is shown of an instrument: the facts of its last packet, and which way its price went.

Pure but for the memory of the prices that were shown last. Packets are decoded here for a view
alone, and only those of the instruments on its page.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from .instrument import Instrument, InstrumentKey, exchange_name
from .selection import TYPED, Chosen, Seen, Selection, chosen
from .tick import Level, Tick
from .wire.packet import decode_packet

_TINT_S = 0.9
"""A price that moved is shown as such until the next look a second later."""
_FRESH_S = 2.5
"""A price that was shown longer ago says nothing about a move now."""
_LEAST_PERCENT, _MOST_PERCENT = 1e-6, 1e6


@dataclass(frozen=True, slots=True)
class InstrumentSnapshot:
    """One instrument with what its last packet carried, prices in rupees; None: not carried.

    `age_s` None: no tick since it was subscribed. `move`: 1 for a price that rose about a second
    ago or less, -1 for one that fell, else 0.
    """

    exchange: str
    symbol: str
    token: str
    ltp: Decimal | None = None
    change_percent: float | None = None
    volume: int | None = None
    ticks: int = 0
    age_s: float | None = None
    change: Decimal | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None
    open_interest: int | None = None
    bid_quantity: int | None = None
    ask_quantity: int | None = None
    oi_change_percent: float | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    move: int = 0


@dataclass(frozen=True, slots=True)
class StrikeSnapshot:
    """A strike of a chain in rupees; None where that side is not subscribed."""

    strike: Decimal
    call: InstrumentSnapshot | None
    put: InstrumentSnapshot | None


@dataclass(frozen=True, slots=True)
class ChainSnapshot:
    """An option chain: a part of its subscribed strikes, in order, the first of them number `first`
    of `strikes_total`.

    `name` is as typed, `expiry` ISO. `money` is the strike nearest the spot, None before the spot
    has a price.
    """

    name: str
    underlying: str
    expiry: str
    spot: InstrumentSnapshot
    money: Decimal | None = None
    strikes: tuple[StrikeSnapshot, ...] = ()
    first: int = 0
    strikes_total: int = 0


class ChainListing(NamedTuple):
    """A chain as it is followed: `contracts` are the call and the put of each strike, in order."""

    name: str
    underlying: str
    expiry: str
    spot: Instrument
    contracts: Mapping[Decimal, tuple[Instrument | None, Instrument | None]]


class Page(NamedTuple):
    """Some instruments, how they were chosen (selection.py)."""

    instruments: tuple[InstrumentSnapshot, ...]
    chosen: Chosen


NO_PAGE = Page((), Chosen((), 0, 0, TYPED))


class Quotes:
    """Makes the rows of a view. `symbols` are the names of the keys.

    `now_s` is on the clock of `Seen.at_s`, `looked_at_s` on the viewer's: they differ where a
    recording is played. Asked by one thread as a rule; by several, a move may be shown once more
    or once less.
    """

    def __init__(self, symbols: Mapping[InstrumentKey, str]) -> None:
        self._symbols = symbols
        self._prices: dict[InstrumentKey, _Price] = {}

    def page(
        self,
        keys: Sequence[InstrumentKey],
        seen: Mapping[InstrumentKey, Seen],
        selection: Selection,
        now_s: float,
        looked_at_s: float | None = None,
    ) -> Page:
        """The instruments of a page; `keys` are all of them in the order typed."""
        found = chosen(keys, seen, self._symbols, selection)
        at_s = now_s if looked_at_s is None else looked_at_s
        return Page(tuple(self.row(key, seen.get(key), now_s, at_s) for key in found.keys), found)

    def row(
        self, key: InstrumentKey, seen: Seen | None, now_s: float, looked_at_s: float
    ) -> InstrumentSnapshot:
        """One instrument's present state."""
        symbol = self._symbols.get(key, "")
        if seen is None or not seen.ticks:
            return InstrumentSnapshot(exchange_name(key[0]), symbol, key[1])
        tick = decode_packet(seen.packet)
        close = tick.close_price
        bid, ask = _best(tick.bids), _best(tick.asks)
        return InstrumentSnapshot(
            exchange=tick.exchange,
            symbol=symbol,
            token=tick.token,
            ltp=tick.ltp,
            change_percent=(tick.last_price - close) * 100 / close if close else None,
            volume=tick.volume,
            ticks=seen.ticks,
            age_s=max(0.0, now_s - seen.at_s),
            change=tick.decimal(tick.last_price - close) if close else None,
            bid=None if bid is None else tick.decimal(bid.price),
            ask=None if ask is None else tick.decimal(ask.price),
            open_interest=tick.open_interest,
            bid_quantity=None if bid is None else bid.quantity,
            ask_quantity=None if ask is None else ask.quantity,
            oi_change_percent=_oi_change(tick),
            low=tick.low or None,
            high=tick.high or None,
            move=self._move(key, tick.last_price, looked_at_s),
        )

    def chain(
        self,
        listing: ChainListing,
        seen: Mapping[InstrumentKey, Seen],
        selection: Selection,
        now_s: float,
    ) -> ChainSnapshot:
        """A chain, with as many strikes as are asked for, the money in their middle."""
        spot = self.row(listing.spot.key, seen.get(listing.spot.key), now_s, now_s)
        strikes = list(listing.contracts)
        at, money = _money(strikes, spot.ltp)
        rows = selection.chain_rows
        first = max(0, min(at - rows // 2 + selection.chain_offset, len(strikes) - rows))
        return ChainSnapshot(
            name=listing.name,
            underlying=listing.underlying,
            expiry=listing.expiry,
            spot=spot,
            money=money,
            strikes=tuple(
                StrikeSnapshot(strike, *self._sides(listing.contracts[strike], seen, now_s))
                for strike in strikes[first : first + rows]
            ),
            first=first,
            strikes_total=len(strikes),
        )

    def _sides(
        self,
        contracts: tuple[Instrument | None, Instrument | None],
        seen: Mapping[InstrumentKey, Seen],
        now_s: float,
    ) -> tuple[InstrumentSnapshot | None, InstrumentSnapshot | None]:
        call, put = (
            None if one is None else self.row(one.key, seen.get(one.key), now_s, now_s)
            for one in contracts
        )
        return call, put

    def _move(self, key: InstrumentKey, price: int, now_s: float) -> int:
        last = self._prices.get(key)
        if last is None:
            last = self._prices[key] = _Price(price, now_s)
        elif price != last.price:
            if now_s - last.looked_at_s < _FRESH_S:
                last.way, last.moved_at_s = (1 if price > last.price else -1), now_s
            last.price = price
        last.looked_at_s = now_s
        return last.way if now_s - last.moved_at_s < _TINT_S else 0


class _Price:
    """The price that was shown last, and when and which way it last moved."""

    __slots__ = ("looked_at_s", "moved_at_s", "price", "way")

    def __init__(self, price: int, looked_at_s: float) -> None:
        self.price = price
        self.looked_at_s = looked_at_s
        self.moved_at_s = -math.inf
        self.way = 0


def _best(levels: Sequence[Level | None]) -> Level | None:
    """The best level of one side; None where it is empty, or none are carried."""
    return levels[0] if levels else None


def _oi_change(tick: Tick) -> float | None:
    """The change of the open interest; None where the field holds no percentage.

    The broker calls the field unreliable; a whole number in its place reads as next to nothing.
    """
    percent = tick.oi_change_percent
    if percent is None or not math.isfinite(percent):
        return None
    return percent if percent == 0 or _LEAST_PERCENT <= abs(percent) < _MOST_PERCENT else None


def _money(strikes: Sequence[Decimal], spot: Decimal | None) -> tuple[int, Decimal | None]:
    """The place and the strike nearest the spot (the lower on a tie); the middle without one."""
    if not strikes or not spot:
        return len(strikes) // 2, None
    money = min(strikes, key=lambda strike: (abs(strike - spot), strike))
    return strikes.index(money), money
