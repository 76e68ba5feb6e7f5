"""Packets to rows of CSV or JSON text. Pure: no file, no clock. The way back: decode.py.

Rules (for users: docs/row-format.md)
- A row is lossless: it decodes to the canonical packet, byte for byte.
- Prices are made from integers, never through a binary fraction. Doubles are the shortest text
  that reads back equal, without `.0` when whole; -0.0 stays `-0`; nan, inf and -inf are strings
  in JSON, which has no numbers for them.
- A time of 0 is absent: an empty cell, `null` in JSON. A time that no calendar between 1970 and
  9999 holds is its bare integer, a string in JSON.
- An all-zero depth item is an empty level at its position: empty cells, `null` in JSON.

How it is fast: one `unpack` a packet, in which runs of bytes that repeat from packet to packet
(the head, the day's prices) stay slices; text is kept for the slices, prices and times seen
before, in memories that are bounded; what is left is one f-string a packet. CSV and JSON differ
only in the text between the values, so one piece of code writes both.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from ..clock import ist_time
from ..errors import PacketError
from ..instrument import InstrumentKey, exchange_name, price_digits
from ..tick import Mode
from ..wire.packet import (
    BUY_FLAG,
    HEAD_FIELDS,
    LEVELS,
    QUOTE_FIELDS,
    SELL_FLAG,
    SNAP_FIELDS,
    Field,
    split_best_five,
    token_text,
)
from .columns import QUOTE_COLUMNS, SNAP_COLUMNS, columns
from .texts import CALENDAR_END_S, ExchangeTimes, Memory, Prices, Wrapped

_BLOCKS = {
    "mode": "token",
    "open_price": "close_price",
    "oi_change_percent": "oi_change_percent",
    "upper_circuit_price": "low_52w_price",
}
"""Runs of fields (first: last) that repeat from packet to packet, each read as a slice."""


def _layout(fields: Sequence[Field]) -> struct.Struct:
    """The struct of `fields`: blocks as slices, what is between them skipped."""
    ends = {field.name: field.offset + struct.calcsize("<" + field.code) for field in fields}
    codes = []
    position = 0
    for field in fields:
        if field.offset < position:
            continue
        last = _BLOCKS.get(field.name)
        code = field.code if last is None else f"{ends[last] - field.offset}s"
        codes.append(f"{field.offset - position}x{code}")
        position = ends[last or field.name]
    return struct.Struct("<" + "".join(codes))


_LTP_LAYOUT = _layout(HEAD_FIELDS)
_QUOTE_LAYOUT = _layout(HEAD_FIELDS + QUOTE_FIELDS)
_SNAP_LAYOUT = _layout(HEAD_FIELDS[:3] + SNAP_FIELDS)
_FOUR_PRICES = struct.Struct("<4q")
_DOUBLE = struct.Struct("<d")
_UNFLAGGED_LEVELS = struct.Struct("<" + "2xqqH" * 2 * LEVELS)
_LEVEL_SIZE = _UNFLAGGED_LEVELS.size // (2 * LEVELS)
_FLAGS_LOW_BYTES = bytes([BUY_FLAG] * LEVELS + [SELL_FLAG] * LEVELS)
_FLAGS_HIGH_BYTES = bytes(2 * LEVELS)

_WHOLE_BELOW = 1e15
"""A whole double below this is written as an integer: the digits of its shortest text, sooner."""


class _Head(NamedTuple):
    """What an instrument's rows have in common: its cells, and its segment's price texts."""

    cells: str
    prices: Prices
    day: Memory[bytes, str]
    limits: Memory[bytes, str]


class _Rows:
    """What CSV and JSON rows share.

    A format has `_around_received`, the texts before and after a row's time of receipt; `_end`,
    the last of a row; `_absent`, the text of no value; `_level`, the template of a level (price,
    quantity, orders); `_no_level`, an empty one; `_sides`, the template of bids and asks, whose
    levels are separated by a comma; and the methods at the end.
    """

    _around_received: tuple[str, str]
    _end: str
    _absent: str
    _level: str
    _no_level: str
    _sides: str

    def __init__(self, symbols: Mapping[InstrumentKey, str]) -> None:
        self._symbols = symbols
        self._second, self._second_text = -1, ""
        self._ends: Memory[int, str] = Memory(lambda mode: self._padding(Mode(mode)) + self._end)
        self._quote_names = tuple(map(self._before, ("ltp", *QUOTE_COLUMNS[:5])))
        self._heads = Memory(self._head)
        self._price_texts = {digits: self._texts_with(digits) for digits in (2, 7)}
        self._exchange_times = ExchangeTimes(
            partial(self._time, unit_ns=10**6, shown="milliseconds")
        )
        self._trade_times = Memory(self._trade_time)
        self._interest_changes = Memory(self._interest_change)
        opening, to_quantity, to_orders, closing = self._level.split("%s")
        to_bids, to_asks, end = self._sides.split("%s")
        self._to_first_price = to_bids + opening
        self._quantities = Wrapped(to_quantity, to_orders)
        self._orders = Wrapped("", f"{closing},{opening}")
        self._last_bid_orders = Wrapped("", f"{closing}{to_asks}{opening}")
        self._last_ask_orders = Wrapped("", f"{closing}{end}")

    def encode(self, received_ns: int, packets: Sequence[bytes]) -> bytes:
        """The rows of one drain, in order, each with its line end; all came at `received_ns`.

        The packets are whole, of modes 1-3, with tokens that are UTF-8; longer ones are cut.
        Raises PacketError (reason `mode`) for a packet of a mode that has no row here.
        """
        second, rest_ns = divmod(received_ns, 10**9)
        if second != self._second:
            self._second = second
            self._second_text = ist_time(second * 10**9).strftime("%Y-%m-%dT%H:%M:%S")
        to_received, to_exchange = self._around_received
        start = f"{to_received}{self._second_text}.{rest_ns // 1000:06d}+05:30{to_exchange}"
        if len(packets) == 1 or len({packet[0] for packet in packets}) == 1:
            return self._run(packets[0][0], start, packets).encode()
        runs = groupby(packets, itemgetter(0))
        return "".join([self._run(mode, start, list(run)) for mode, run in runs]).encode()

    def forget_symbols(self) -> None:
        """Look symbols up again: one in `symbols` has changed."""
        self._heads.clear()

    def _run(self, mode: int, start: str, packets: Sequence[bytes]) -> str:
        """The rows of packets of one mode."""
        if mode == Mode.LTP:
            rows = self._ltp_rows(packets)
        elif mode == Mode.QUOTE:
            rows = self._quote_rows(packets)
        elif mode == Mode.SNAP:
            rows = self._snap_rows(packets)
        else:
            raise PacketError(f"a packet of mode {mode} has no row", reason="mode")
        end = self._ends[mode]
        return start + (end + start).join(rows) + end

    # In these comprehensions a `for` over one tuple names values; it does not loop.

    def _ltp_rows(self, packets: Sequence[bytes]) -> list[str]:
        times, heads = self._exchange_times, self._heads
        ltp = self._before("ltp")
        return [
            f"{times[time_ms]}{cells}{sequence}{ltp}{prices[last]}"
            for head, sequence, time_ms, last in map(_LTP_LAYOUT.unpack_from, packets)
            for cells, prices, _, _ in (heads[head],)
        ]

    def _quote_rows(self, packets: Sequence[bytes]) -> list[str]:
        times, heads, number = self._exchange_times, self._heads, self._number
        ltp, quantity, average, volume, buys, sells = self._quote_names
        return [
            f"{times[time_ms]}{cells}{sequence}{ltp}{prices[last]}"
            f"{quantity}{traded}{average}{prices[mean]}{volume}{total}"
            f"{buys}{int(buy) if 0 < buy < _WHOLE_BELOW and buy.is_integer() else number(buy)}"
            f"{sells}{int(sell) if 0 < sell < _WHOLE_BELOW and sell.is_integer() else number(sell)}"
            f"{day[block]}"
            for head, sequence, time_ms, last, traded, mean, total, buy, sell, block in map(
                _QUOTE_LAYOUT.unpack_from, packets
            )
            for cells, prices, day, _ in (heads[head],)
        ]

    def _snap_rows(self, packets: Sequence[bytes]) -> list[str]:
        times, changes, heads = self._trade_times, self._interest_changes, self._heads
        best_five, interest = self._best_five, self._before("open_interest")
        return [
            f"{quote}{times[time_s]}{interest}{contracts}{changes[change]}{limits[block]}"
            f"{best_five(items, prices)}"
            for quote, (head, time_s, contracts, change, items, block) in zip(
                self._quote_rows(packets), map(_SNAP_LAYOUT.unpack_from, packets), strict=True
            )
            for _, prices, _, limits in (heads[head],)
        ]

    def _best_five(self, items: bytes, prices: Prices) -> str:
        """The ten levels, in one go where all are there and in their places."""
        if items[::_LEVEL_SIZE] == _FLAGS_LOW_BYTES and items[1::_LEVEL_SIZE] == _FLAGS_HIGH_BYTES:
            size, count = self._quantities, self._orders
            # fmt: off
            (
                qa, a, na, qb, b, nb, qc, c, nc, qd, d, nd, qe, e, ne,
                qf, f, nf, qg, g, ng, qh, h, nh, qi, i, ni, qj, j, nj,
            ) = _UNFLAGGED_LEVELS.unpack(items)
            if f and g and h and i and j:
                return "".join((
                    self._to_first_price,
                    prices[a], size[qa], count[na], prices[b], size[qb], count[nb],
                    prices[c], size[qc], count[nc], prices[d], size[qd], count[nd],
                    prices[e], size[qe], self._last_bid_orders[ne],
                    prices[f], size[qf], count[nf], prices[g], size[qg], count[ng],
                    prices[h], size[qh], count[nh], prices[i], size[qi], count[ni],
                    prices[j], size[qj], self._last_ask_orders[nj],
                ))
            # fmt: on
        bids, asks = (
            ",".join(
                [
                    self._level % (prices[level.price], level.quantity, level.orders)
                    if level is not None
                    else self._no_level
                    for level in side
                ]
            )
            for side in split_best_five(items)
        )
        return self._sides % (bids, asks)

    def _head(self, head: bytes) -> _Head:
        mode, exchange_type = Mode(head[0]), head[1]
        token = token_text(head[2:])
        texts = {
            "exchange": exchange_name(exchange_type),
            "symbol": self._symbols.get((exchange_type, token), ""),
            "token": token,
            "mode": mode.label,
        }
        cells = "".join([self._before(column) + self._text(text) for column, text in texts.items()])
        return _Head(
            cells + self._before("sequence"), *self._price_texts[price_digits(exchange_type)]
        )

    def _texts_with(self, digits: int) -> tuple[Prices, Memory[bytes, str], Memory[bytes, str]]:
        """Memories of prices, of the day's four and of the four limits, for one price unit."""
        prices = Prices(digits)

        def block_text(block: bytes, names: Sequence[str]) -> str:
            values = _FOUR_PRICES.unpack(block)
            named = zip(names, values, strict=True)
            return "".join([self._before(name) + prices[value] for name, value in named])

        return (
            prices,
            Memory(partial(block_text, names=QUOTE_COLUMNS[-4:])),
            Memory(partial(block_text, names=SNAP_COLUMNS[-4:])),
        )

    def _trade_time(self, time_s: int) -> str:
        return self._before("last_trade_time") + self._time(time_s, unit_ns=10**9, shown="seconds")

    def _interest_change(self, double: bytes) -> str:
        (percent,) = _DOUBLE.unpack(double)
        return self._before("oi_change_percent") + self._number(percent)

    def _time(self, time: int, unit_ns: int, shown: str) -> str:
        if time == 0:
            return self._absent
        if 0 < time * unit_ns < CALENDAR_END_S * 10**9:
            return self._text(ist_time(time * unit_ns).isoformat(timespec=shown))
        return self._text(str(time))

    # What each format writes in its own way.

    def _before(self, column: str) -> str:
        """What is between the column before `column` and its value."""
        raise NotImplementedError

    def _text(self, text: str) -> str:
        raise NotImplementedError

    def _number(self, number: float) -> str:
        raise NotImplementedError

    def _padding(self, mode: Mode) -> str:
        """What ends a row of `mode` before the line end. Raises PacketError for too high a mode."""
        raise NotImplementedError


class CsvRows(_Rows):
    """Rows of a CSV recording of `mode`.

    `symbols` may grow while this runs; an instrument that is not in it when its first packet
    comes has an empty cell. A packet of a lower mode has empty cells at the end of its row; one
    of a higher mode is refused with PacketError.
    """

    _around_received = ("", ",")
    _end = "\n"
    _absent = ""
    _level = "%s,%s,%s"
    _no_level = ",,"
    _sides = ",%s,%s"

    def __init__(self, mode: Mode, symbols: Mapping[InstrumentKey, str]) -> None:
        super().__init__(symbols)
        self._mode = mode

    def _before(self, column: str) -> str:
        return ","

    def _text(self, text: str) -> str:
        return csv_cell(text)

    def _number(self, number: float) -> str:
        return repr(number).removesuffix(".0")

    def _padding(self, mode: Mode) -> str:
        if mode > self._mode:
            raise PacketError(
                f"a {mode.label} packet does not fit a {self._mode.label} recording", reason="mode"
            )
        return "," * (len(columns(self._mode)) - len(columns(mode)))


class JsonRows(_Rows):
    """JSON lines, of any mode. `symbols` as in `CsvRows`."""

    _around_received = ('{"received_at":"', '","exchange_time":')
    _end = "}\n"
    _absent = "null"
    _level = '{"price":%s,"quantity":%s,"orders":%s}'
    _no_level = "null"
    _sides = ',"bids":[%s],"asks":[%s]'

    def _before(self, column: str) -> str:
        return f',"{column}":'

    def _text(self, text: str) -> str:
        return json.dumps(text, ensure_ascii=False)

    def _number(self, number: float) -> str:
        text = repr(number).removesuffix(".0")
        return text if math.isfinite(number) else f'"{text}"'

    def _padding(self, mode: Mode) -> str:
        return ""


def csv_cell(text: str) -> str:
    """A text as a cell, quoted where RFC 4180 says so."""
    if any(special in text for special in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
