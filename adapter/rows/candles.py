"""Ticks into candles (open, high, low, close, volume of a span of time). Pure: no clock, no file.

Rules
- Bars are whole spans of the Indian day: 1m bars begin at full minutes IST. A tick belongs to the
  bar of its exchange time; of its time of reception where it has none, or one that is more than
  an hour ahead of that.
- Inside a bar the times decide, not the order of coming: open is the earliest price, close the
  latest; of equal times the first that came opens and the last closes.
- Volume is what the day's volume grew by, from the highest one seen before on that day. A first
  tick of a day has nothing before it and adds none, so the bars of a day sum up to the last volume
  less the first one seen. Where ticks carry no volume (mode ltp) a bar has none.
- A bar leaves when the exchange's time, the latest seen, is `GRACE_MS` past its end. A tick for a
  bar of its instrument that has left, or an earlier one, is late: counted, and in no bar.
- Prices stay integers until shown.
"""

from __future__ import annotations

import json
from math import inf
from typing import NamedTuple, TypeAlias

from ..clock import ist_time
from ..errors import RecordingError
from ..instrument import InstrumentKey, exchange_name, price_digits
from .encode import csv_cell, price_text
from .format import Jsonl, RowFormat, TickFormat

COLUMNS = (
    "bar_time",
    "exchange",
    "symbol",
    "token",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "ticks",
)
GRACE_MS = 2000
DAY_S = 86_400
_AHEAD_MS = 3_600_000
_IST_MS = 19_800_000


class Candle(NamedTuple):
    """One bar of one instrument, prices in the broker's unit; `start_ms` since the epoch."""

    start_ms: int
    exchange_type: int
    token: str
    symbol: str
    open: int
    high: int
    low: int
    close: int
    volume: int | None
    ticks: int


class _Bar:
    """A bar that is still open."""

    __slots__ = ("close", "first_ms", "high", "last_ms", "low", "open", "ticks", "volume")

    def __init__(self, time_ms: int, price: int) -> None:
        self.first_ms = self.last_ms = time_ms
        self.open = self.high = self.low = self.close = price
        self.volume: int | None = None
        self.ticks = 0

    def add(self, time_ms: int, price: int, volume: int | None) -> None:
        self.ticks += 1
        if time_ms < self.first_ms:
            self.first_ms, self.open = time_ms, price
        if time_ms >= self.last_ms:
            self.last_ms, self.close = time_ms, price
        self.high = max(self.high, price)
        self.low = min(self.low, price)
        if volume is not None:
            self.volume = (self.volume or 0) + volume


class _OpenBars:
    """The open bars of one instrument, by their start, and what came before them."""

    __slots__ = ("bars", "day", "day_volume", "left_ms", "symbol")

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.bars: dict[int, _Bar] = {}
        self.left_ms = -DAY_S * 1000
        self.day = -1
        self.day_volume = 0

    def traded(self, time_ms: int, day_volume: int | None) -> int | None:
        """What the day's volume grew by; None without one."""
        if day_volume is None:
            return None
        day = (time_ms + _IST_MS) // (DAY_S * 1000)
        before = day_volume if day > self.day else self.day_volume
        if day < self.day:
            return 0
        self.day, self.day_volume = day, max(before, day_volume)
        return self.day_volume - before


class CandleMaker:
    """Makes bars of `width_s` seconds, which divide a day. `late`: ticks that are in none."""

    def __init__(self, width_s: int) -> None:
        self.width_ms = width_s * 1000
        self.late = 0
        self.latest_ms = 0
        self._books: dict[InstrumentKey, _OpenBars] = {}
        self._earliest_ms: float = inf

    def add(
        self,
        key: InstrumentKey,
        symbol: str,
        exchange_ms: int,
        received_ms: int,
        price: int,
        day_volume: int | None,
    ) -> None:
        """Take one tick. Times in ms since the epoch; `exchange_ms` 0: it has none."""
        is_known = 0 < exchange_ms <= received_ms + _AHEAD_MS
        time_ms = exchange_ms if is_known else received_ms
        self.latest_ms = max(self.latest_ms, time_ms)
        book = self._books.get(key)
        if book is None:
            book = self._books[key] = _OpenBars(symbol)
        book.symbol = symbol
        start_ms = time_ms - (time_ms + _IST_MS) % self.width_ms
        if start_ms <= book.left_ms:
            self.late += 1
            return
        bar = book.bars.get(start_ms)
        if bar is None:
            bar = book.bars[start_ms] = _Bar(time_ms, price)
            self._earliest_ms = min(start_ms, self._earliest_ms)
        bar.add(time_ms, price, book.traded(time_ms, day_volume))

    def next_leave_ms(self, now_ms: int) -> int:
        """When, in the exchange's time, bars leave next after `now_ms`."""
        passed_ms = (now_ms - GRACE_MS + _IST_MS) % self.width_ms
        return now_ms - passed_ms + self.width_ms

    def take_due(self, now_ms: int | None = None) -> list[Candle]:
        """The bars that leave at the exchange's time `now_ms` (None: the latest seen), in order."""
        end_ms = (self.latest_ms if now_ms is None else now_ms) - GRACE_MS - self.width_ms
        return self._take(end_ms) if self._earliest_ms <= end_ms else []

    def take_all(self) -> list[Candle]:
        """The bars that are still open: the last ones of a recording."""
        return self._take(self.latest_ms)

    def _take(self, last_start_ms: int) -> list[Candle]:
        taken = []
        for (exchange_type, token), book in self._books.items():
            for start_ms in sorted(start for start in book.bars if start <= last_start_ms):
                b = book.bars.pop(start_ms)
                book.left_ms = start_ms
                prices = (b.open, b.high, b.low, b.close)
                taken.append(
                    Candle(start_ms, exchange_type, token, book.symbol, *prices, b.volume, b.ticks)
                )
        self._earliest_ms = min(
            (start for book in self._books.values() for start in book.bars), default=inf
        )
        return sorted(taken)


def check_width(width_s: float) -> int:
    """The seconds of a bar's width. Raises ValueError for one that does not divide a day."""
    if not 1 <= width_s <= DAY_S or width_s % 1 or DAY_S % width_s:
        raise ValueError("bars are 1s to 24h long and divide a day: 1m, 5m, 15m, 1h")
    return int(width_s)


class CsvCandles(RowFormat):
    """Candles as CSV rows."""

    @property
    def header(self) -> bytes:
        return ",".join(COLUMNS).encode() + b"\n"

    def text(self, candles: list[Candle]) -> bytes:
        return "".join([",".join(map(csv_cell, _cells(each))) + "\n" for each in candles]).encode()


class JsonCandles(RowFormat):
    """Candles as JSON lines, prices with the same digits as in CSV."""

    @property
    def line_start(self) -> bytes:
        return b'{"bar_time":'

    def check_line(self, line: bytes) -> None:
        try:
            fields = json.loads(line)
        except ValueError as error:
            raise RecordingError(f"not valid JSON: {error}") from error
        if not isinstance(fields, dict) or tuple(fields) != COLUMNS:
            raise RecordingError(f"a candle has {', '.join(COLUMNS)}")

    def text(self, candles: list[Candle]) -> bytes:
        return "".join(map(_json_line, candles)).encode()


CandleFormat: TypeAlias = CsvCandles | JsonCandles
"""How candles are written."""


def candle_format(ticks: TickFormat) -> CandleFormat:
    """How candles are written where ticks would be in this format."""
    return JsonCandles() if isinstance(ticks, Jsonl) else CsvCandles()


_TEXTS = COLUMNS[:4]


def _cells(candle: Candle) -> list[str]:
    digits = price_digits(candle.exchange_type)
    return [
        ist_time(candle.start_ms * 1_000_000).isoformat(),
        exchange_name(candle.exchange_type),
        candle.symbol,
        candle.token,
        *(price_text(price, digits) for price in candle[4:8]),
        "" if candle.volume is None else str(candle.volume),
        str(candle.ticks),
    ]


def _json_line(candle: Candle) -> str:
    values = (
        json.dumps(cell, ensure_ascii=False) if column in _TEXTS else cell or "null"
        for column, cell in zip(COLUMNS, _cells(candle), strict=True)
    )
    pairs = zip(COLUMNS, values, strict=True)
    return "{" + ",".join(f'"{column}":{value}' for column, value in pairs) + "}\n"
