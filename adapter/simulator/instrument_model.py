"""One instrument of the synthetic market: a random walk of the price, and the raw frames that carry
it.

Source: protocol.md, "Binary packets"; the layouts are those of `wire/packet.py`.

Rules
- Prices are multiples of the tick size, between the circuits; low <= last <= high; volume only
  grows. It draws from its own generator, seeded by the market's seed and its key, and a step draws
  the same whatever modes are watched: a seed repeats the prices exactly.
- Sequence numbers grow over a whole exchange feed and are 0 for indices. The exchange time is that
  of the last change, in whole seconds, as milliseconds. An index has neither volume nor depth, nor
  has the cheapest paper depth.
- Before the day's first trade all prices but the previous close are 0, and so are the quantities.
- A step is some ten integer operations and a packet one `struct` call on a prepared head (frame
  header, mode, exchange, token), so that one core makes some hundred thousand a second.
"""

from __future__ import annotations

import struct
from functools import cache
from itertools import count
from random import Random

from ..tick import Mode
from ..wire.frames import Opcode, encode_frame
from ..wire.packet import (
    BEST_FIVE,
    BUY_FLAG,
    FIELDS,
    LEVELS,
    PACKET_SIZES,
    SELL_FLAG,
    TOKEN_SIZE,
)
from .listings import Liquidity, Listing

PREFIX = struct.Struct(f"<BB{TOKEN_SIZE}s")
"""What a packet begins with: mode, exchange type, token. It names a subscription unit."""

_MOVES = (-3, -2, -1, -1, -1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 3)
"""Ticks that a trade moves the price by; sixteen, so that four random bits choose one."""
_NARROWEST_BAND = 40
"""Ticks from the close to a circuit, at least; an opening lies within 16."""
MODES = (Mode.LTP, Mode.QUOTE, Mode.SNAP)
"""The modes that the feed sends."""
RARE_STEPS = 300
"""An instrument that trades seldom does so once in as many steps of the market."""


def unit_prefix(mode: int, exchange_type: int, token: str) -> bytes:
    """The 27 bytes that all packets of a unit begin with. Raises ValueError for a longer token."""
    encoded = token.encode()
    if len(encoded) > TOKEN_SIZE:
        raise ValueError(f"token {token!r} does not fit {TOKEN_SIZE} bytes")
    return PREFIX.pack(mode, exchange_type, encoded)


def frame_header(packet_size: int) -> bytes:
    """What a server puts before a binary message of that size."""
    return encode_frame(Opcode.BINARY, bytes(packet_size))[:-packet_size]


HEADERS: dict[int, bytes] = {mode: frame_header(PACKET_SIZES[mode]) for mode in MODES}
"""By mode: the header of a frame that carries one packet."""
_FRAMES = {
    mode: struct.Struct(
        f"<{len(HEADERS[mode]) + PREFIX.size}s" + "".join(each.code for each in FIELDS[mode][3:])
    )
    for mode in MODES
}


class SimulatedInstrument:
    """The state of one instrument, and its packets as raw frames.

    `sequences` is shared by all instruments of one exchange. `changed_s` is when it last changed,
    in seconds since the epoch.
    """

    def __init__(
        self, listing: Listing, seed: int, sequences: count[int], *, changed_s: int
    ) -> None:
        instrument = listing.instrument
        self.is_index = listing.is_index
        self.is_liquid = listing.liquidity is Liquidity.USUAL
        self.steps_a_trade = 1 if self.is_liquid else RARE_STEPS
        self._draw = Random(f"{seed}:{instrument.exchange_type}:{instrument.token}").getrandbits
        self._sequences = sequences
        self._tick = tick = instrument.tick_size
        self._lot = instrument.lot_size
        self._heads = {
            mode: HEADERS[mode] + unit_prefix(mode, instrument.exchange_type, instrument.token)
            for mode in MODES
        }
        start = listing.price
        self._close = _on_tick(start, tick)
        band = max(start // 5, tick * _NARROWEST_BAND)
        self._upper, self._lower = _on_tick(start + band, tick), _on_tick(start - band, tick)
        self._opening = max(self._close + tick * (self._draw(5) - 16), self._lower)
        self._floor = self._upper + 1  # no price is possible until the day's first one is there
        self._last = self._open = self._high = self._low = 0
        self._year_high = _on_tick(start * 5 // 4, tick)
        self._year_low = _on_tick(start * 2 // 3, tick)
        self._volume = self._turnover = self._last_quantity = 0
        self._open_interest = 0 if self.is_index else self._lot * (1000 + self._draw(12))
        self._day_open_interest = self._open_interest
        self._books = _books(self._lot)
        self._bits = 0
        self._sequence = 0
        self._time_s, self._trade_time_s = changed_s, 0
        if listing.liquidity is not Liquidity.UNTRADED:
            self.trade(changed_s)
        elif not self.is_index:
            self._sequence = next(sequences)

    def trade(self, wall_s: int) -> None:
        """One step of the market at that second since the epoch."""
        bits = self._bits = self._draw(32)
        price = self._last + self._tick * _MOVES[bits & 15]
        if not self._floor <= price <= self._upper:
            price = self._last or self._open_day()
        self._last = price
        if price > self._high:
            self._high = price
        elif price < self._low:
            self._low = price
        self._time_s = self._trade_time_s = wall_s
        if self.is_index:
            return
        self._sequence = next(self._sequences)
        quantity = self._last_quantity = self._lot * (1 + (bits >> 4 & 63))
        self._volume += quantity
        self._turnover += quantity * price
        self._open_interest += self._lot * ((bits >> 10 & 3) - 1)

    def _open_day(self) -> int:
        """The price of the day's first trade."""
        self._floor = self._lower
        self._open = self._high = self._low = self._opening
        return self._opening

    def move_to(self, price: int) -> None:
        """Let the next trade start from this price, in the feed's unit; the day's band moves on."""
        if not self._last:
            self._open_day()
        self._last = price = _on_tick(price, self._tick)
        self._high, self._low = max(self._high, price), min(self._low, price)
        band = self._upper - self._close
        self._upper = max(self._upper, price + band)
        self._floor = self._lower = max(min(self._lower, price - band), self._tick)

    def frame(self, mode: Mode) -> bytes:
        """The frame of the packet that carries the present state in `mode`."""
        head = self._heads[mode]
        time_ms = self._time_s * 1000
        if mode is Mode.LTP:
            return _FRAMES[mode].pack(head, self._sequence, time_ms, self._last)
        bits = self._bits
        traded = not self.is_index and self._volume > 0
        quote = (
            head,
            self._sequence,
            time_ms,
            self._last,
            self._last_quantity,
            self._turnover // self._volume if self._volume else 0,
            self._volume,
            float(self._lot * (20000 + (bits >> 8 & 4095))) if traded else 0.0,
            float(self._lot * (20000 + (bits >> 20 & 4095))) if traded else 0.0,
            self._open,
            self._high,
            self._low,
            self._close,
        )
        if mode is Mode.QUOTE:
            return _FRAMES[mode].pack(*quote)
        return _FRAMES[mode].pack(
            *quote,
            self._trade_time_s,
            self._open_interest,
            100.0 * (self._open_interest / self._day_open_interest - 1.0) if traded else 0.0,
            self._best_five() if traded else bytes(BEST_FIVE.size),
            0 if self.is_index else self._upper,
            0 if self.is_index else self._lower,
            self._year_high,
            self._year_low,
        )

    def _best_five(self) -> bytes:
        last, tick = self._last, self._tick
        if last <= LEVELS * tick:
            return bytes(BEST_FIVE.size)
        items = self._books[self._bits >> 4 & 15].copy()
        items[2::4] = (
            *range(last - tick, last - tick * 6, -tick),
            *range(last + tick, last + tick * 6, tick),
        )
        return BEST_FIVE.pack(*items)


@cache
def _books(lot_size: int) -> list[list[int]]:
    """Sixteen best fives, buys then sells: flag, quantity, 0, orders; each use fills in prices."""
    return [
        [
            value
            for flag in (BUY_FLAG, SELL_FLAG)
            for n in range(1, LEVELS + 1)
            for value in (
                flag,
                lot_size * (1 + (n * (book + 3 * flag + 1)) % 29),
                0,
                1 + (n * book) % 7,
            )
        ]
        for book in range(16)
    ]


def _on_tick(price: int, tick: int) -> int:
    return max(price - price % tick, tick)
