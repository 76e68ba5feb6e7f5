"""The tick: one packet of the feed, decoded.

Prices are kept as integers in the broker's unit (paise; 1e-7 rupees in the currency segment) in
the fields whose names end in `_price`, and shown as exact decimals by the properties that have
the names of the columns (`ltp`, `open`, `bid1_price`, ...). Nothing here ever goes through a binary
fraction.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Context, Decimal
from enum import IntEnum
from typing import NamedTuple, TypeAlias

from .clock import IST, ist_time
from .errors import PacketError
from .instrument import exchange_name, price_digits


class Mode(IntEnum):
    """How much a packet holds; the numbers are the wire's. DEPTH was withdrawn on 2025-04-25."""

    LTP = 1
    QUOTE = 2
    SNAP = 3
    DEPTH = 4

    @property
    def label(self) -> str:
        """The word in options, rows and files: ltp, quote, snap, depth."""
        return self.name.lower()

    @classmethod
    def of(cls, mode: str | int) -> Mode:
        """The mode that a word (`quote`) or a number names. Raises ValueError."""
        found = MODES_BY_LABEL.get(mode.lower()) if isinstance(mode, str) else cls(mode)
        if found is None:
            raise ValueError(f"{mode!r} is not a valid Mode")
        return found


MODES_BY_LABEL: dict[str, Mode] = {mode.label: mode for mode in Mode}


Cell: TypeAlias = str | int | float | Decimal | datetime | None
"""A value of a row."""


class Level(NamedTuple):
    """One level of the order book: shares or contracts, price in the broker's unit, orders."""

    quantity: int
    price: int
    orders: int


class Tick(NamedTuple):
    """One packet. Fields that its mode does not carry are None (depth: empty).

    Times: `received_ns` is the wall clock (ns since the epoch) when the packet left the socket;
    `exchange_time_ms` and `last_trade_time_s` are the packet's own, 0 where it has none.
    `bids` and `asks` hold the best level first; None is an empty level at its place.
    """

    received_ns: int
    mode: Mode
    exchange_type: int
    token: str
    symbol: str
    sequence: int
    exchange_time_ms: int
    last_price: int
    last_quantity: int | None = None
    average_traded_price: int | None = None
    volume: int | None = None
    total_buy_quantity: float | None = None
    total_sell_quantity: float | None = None
    open_price: int | None = None
    high_price: int | None = None
    low_price: int | None = None
    close_price: int | None = None
    last_trade_time_s: int | None = None
    open_interest: int | None = None
    oi_change_percent: float | None = None
    upper_circuit_price: int | None = None
    lower_circuit_price: int | None = None
    high_52w_price: int | None = None
    low_52w_price: int | None = None
    bids: tuple[Level | None, ...] = ()
    asks: tuple[Level | None, ...] = ()

    @property
    def exchange(self) -> str:
        """The segment's name: NSE, NFO, BSE, BFO, MCX, NCO, CDS, or its number."""
        return exchange_name(self.exchange_type)

    @property
    def received_at(self) -> datetime:
        """When the packet left the socket, in IST."""
        return ist_time(self.received_ns)

    @property
    def exchange_time(self) -> datetime | None:
        """The exchange's time in IST; None where the packet has none, or none a calendar holds."""
        return _wall_time(self.exchange_time_ms * 1000)

    @property
    def last_trade_time(self) -> datetime | None:
        """The time of the last trade in IST; None as for `exchange_time`."""
        return (
            None if self.last_trade_time_s is None else _wall_time(self.last_trade_time_s * 10**6)
        )

    def decimal(self, price: int) -> Decimal:
        """An integer price of this tick (a level's, say) in rupees, exactly."""
        # A context of our own: one that the program has set may round.
        return Decimal(price).scaleb(-price_digits(self.exchange_type), _EXACT)

    def _decimal_or_none(self, price: int | None) -> Decimal | None:
        return None if price is None else self.decimal(price)

    @property
    def ltp(self) -> Decimal:
        """Last traded price in rupees."""
        return self.decimal(self.last_price)

    @property
    def average_price(self) -> Decimal | None:
        """Volume-weighted average price of the day, in rupees."""
        return self._decimal_or_none(self.average_traded_price)

    @property
    def open(self) -> Decimal | None:
        """First price of the day, in rupees."""
        return self._decimal_or_none(self.open_price)

    @property
    def high(self) -> Decimal | None:
        """Highest price of the day, in rupees."""
        return self._decimal_or_none(self.high_price)

    @property
    def low(self) -> Decimal | None:
        """Lowest price of the day, in rupees."""
        return self._decimal_or_none(self.low_price)

    @property
    def close(self) -> Decimal | None:
        """Close of the previous session while trading, in rupees."""
        return self._decimal_or_none(self.close_price)

    @property
    def upper_circuit(self) -> Decimal | None:
        """Upper price band, in rupees."""
        return self._decimal_or_none(self.upper_circuit_price)

    @property
    def lower_circuit(self) -> Decimal | None:
        """Lower price band, in rupees."""
        return self._decimal_or_none(self.lower_circuit_price)

    @property
    def high_52w(self) -> Decimal | None:
        """Highest price of 52 weeks, in rupees."""
        return self._decimal_or_none(self.high_52w_price)

    @property
    def low_52w(self) -> Decimal | None:
        """Lowest price of 52 weeks, in rupees."""
        return self._decimal_or_none(self.low_52w_price)

    def to_row(self) -> dict[str, Cell]:
        """The columns of its mode, by name, in the order of a CSV recording.

        Prices are `Decimal` in rupees, times aware `datetime` in IST, `mode` and `exchange` text;
        what is an empty cell in CSV is None. A time that no calendar between 1970 and 9999 holds is
        the packet's integer, as in CSV.
        Raises PacketError for mode depth, which has no row.
        """
        if self.mode > Mode.SNAP:
            raise PacketError(f"a {self.mode.label} tick has no row", reason="mode")
        row: dict[str, Cell] = {
            "received_at": self.received_at,
            "exchange_time": self.exchange_time or self.exchange_time_ms or None,
            "exchange": self.exchange,
            "symbol": self.symbol or None,
            "token": self.token or None,
            "mode": self.mode.label,
            "sequence": self.sequence,
            "ltp": self.ltp,
        }
        if self.mode >= Mode.QUOTE:
            row |= {name: getattr(self, name) for name in _QUOTE_COLUMNS}
        if self.mode is Mode.SNAP:
            row["last_trade_time"] = self.last_trade_time or self.last_trade_time_s or None
            row |= {name: getattr(self, name) for name in _SNAP_COLUMNS}
            row |= {name: getattr(self, name) for name in _LEVELS}
        return row


_QUOTE_COLUMNS = (
    "last_quantity",
    "average_price",
    "volume",
    "total_buy_quantity",
    "total_sell_quantity",
    "open",
    "high",
    "low",
    "close",
)
_SNAP_COLUMNS = (
    "open_interest",
    "oi_change_percent",
    "upper_circuit",
    "lower_circuit",
    "high_52w",
    "low_52w",
)
_LEVELS = {
    f"{side}{number}_{part}": (f"{side}s", number - 1, part)
    for side in ("bid", "ask")
    for number in range(1, 6)
    for part in ("price", "quantity", "orders")
}
"""The columns of the best five: where each is in a tick."""


def _level_property(levels: str, index: int, part: str) -> property:
    def value(tick: Tick) -> Decimal | int | None:
        level = next(iter(getattr(tick, levels)[index : index + 1]), None)
        if level is None:
            return None
        return tick.decimal(level.price) if part == "price" else getattr(level, part)

    return property(value, doc=f"The {part} of level {index + 1} of `{levels}`; None if empty.")


for _column, _place in _LEVELS.items():
    setattr(Tick, _column, _level_property(*_place))

_EXACT = Context(prec=28)
_EPOCH = datetime(1970, 1, 1, tzinfo=IST) + timedelta(hours=5, minutes=30)
_LAST_US = (datetime.max.replace(tzinfo=IST) - _EPOCH) // timedelta(microseconds=1)


def _wall_time(microseconds: int) -> datetime | None:
    if not 0 < microseconds <= _LAST_US:
        return None
    return _EPOCH + timedelta(microseconds=microseconds)
