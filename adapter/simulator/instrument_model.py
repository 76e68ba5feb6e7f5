"""One instrument of the synthetic market: a price that walks, and the raw frames that tell of it.

Source: protocol.md, "Binary packets"; the layouts are those of `wire/packet.py`.

Rules
- Prices lie on the tick size, between the circuits; low <= last <= high; volume only grows. It
  draws from its own generator, seeded by the market's seed and its key, and a step draws the same
  whatever modes are watched: a seed repeats the prices exactly.
- Sequence numbers grow over a whole exchange feed and are 0 for indices. Exchange time is whole
  seconds, in milliseconds. An index has neither volume nor depth, nor has the cheapest paper depth.
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
from .listings import Listing

PREFIX = struct.Struct(f"<BB{TOKEN_SIZE}s")
"""What a packet begins with: mode, exchange type, token. It names a subscription unit."""

_MOVES = (-3, -2, -1, -1, -1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 3)
"""Ticks that a trade moves the price by; sixteen, so that four random bits choose one."""
_NARROWEST_BAND = 40
"""Ticks from the close to a circuit, at least; an opening lies within 16."""
_PRICE_MODES = (Mode.LTP, Mode.QUOTE, Mode.SNAP)


def unit_prefix(mode: int, exchange_type: int, token: str) -> bytes:
    """The 27 bytes that all packets of a unit begin with. Raises ValueError for a longer token."""
    encoded = token.encode()
    if len(encoded) > TOKEN_SIZE:
        raise ValueError(f"token {token!r} does not fit {TOKEN_SIZE} bytes")
    return PREFIX.pack(mode, exchange_type, encoded)


def frame_header(packet_size: int) -> bytes:
    """What a server puts before a binary message of that size."""
    return encode_frame(Opcode.BINARY, bytes(packet_size))[:-packet_size]


HEADERS: dict[int, bytes] = {mode: frame_header(size) for mode, size in PACKET_SIZES.items()}
"""By mode: the header of a frame that carries one packet."""
_FRAMES = {
    mode: struct.Struct(
        f"<{len(HEADERS[mode]) + PREFIX.size}s" + "".join(each.code for each in FIELDS[mode][3:])
    )
    for mode in _PRICE_MODES
}


class SimulatedInstrument:
    """The state of one instrument, and its packets as raw frames.

    `sequences` is shared by all instruments of one exchange.
    """

    def __init__(self, listing: Listing, seed: int, sequences: count[int]) -> None:
        instrument = listing.instrument
        self.is_index = listing.is_index
        self._draw = Random(f"{seed}:{instrument.exchange_type}:{instrument.token}").getrandbits
        self._sequences = sequences
        self._tick = tick = instrument.tick_size
        self._lot = instrument.lot_size
        self._heads = {
            mode: HEADERS[mode] + unit_prefix(mode, instrument.exchange_type, instrument.token)
            for mode in PACKET_SIZES
        }
        start = listing.price
        self._close = _on_tick(start, tick)
        band = max(start // 5, tick * _NARROWEST_BAND)
        self._upper, self._lower = _on_tick(start + band, tick), _on_tick(start - band, tick)
        opening = self._close + tick * (self._draw(5) - 16)
        self._last = self._open = self._high = self._low = max(opening, self._lower)
        self._year_high = _on_tick(start * 5 // 4, tick)
        self._year_low = _on_tick(start * 2 // 3, tick)
        self._volume = self._turnover = self._last_quantity = 0
        self._open_interest = 0 if self.is_index else self._lot * (1000 + self._draw(12))
        self._day_open_interest = self._open_interest
        self._books = _books(self._lot)
        self._bits = 0
        self._sequence = 0
        self._time_s = 0

    def trade(self, wall_s: int) -> None:
        """One step of the market at that second since the epoch."""
        bits = self._bits = self._draw(32)
        price = self._last + self._tick * _MOVES[bits & 15]
        if not self._lower <= price <= self._upper:
            price = self._last
        self._last = price
        if price > self._high:
            self._high = price
        elif price < self._low:
            self._low = price
        self._time_s = wall_s
        if self.is_index:
            return
        self._sequence = next(self._sequences)
        quantity = self._last_quantity = self._lot * (1 + (bits >> 4 & 63))
        self._volume += quantity
        self._turnover += quantity * price
        self._open_interest += self._lot * ((bits >> 10 & 3) - 1)

    def frame(self, mode: Mode) -> bytes:
        """The frame of the packet that tells the present state in `mode`."""
        head = self._heads[mode]
        time_ms = self._time_s * 1000
        if mode is Mode.LTP:
            return _FRAMES[mode].pack(head, self._sequence, time_ms, self._last)
        bits = self._bits
        traded = not self.is_index
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
            self._time_s,
            self._open_interest,
            100.0 * (self._open_interest / self._day_open_interest - 1.0) if traded else 0.0,
            self._best_five() if traded else bytes(BEST_FIVE.size),
            self._upper if traded else 0,
            self._lower if traded else 0,
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
    """Sixteen best fives, buys then sells: flag, quantity, 0, orders; each use puts prices in."""
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
