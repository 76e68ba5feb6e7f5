"""The rows of a recording, counted one by one in one pass. Pure; the hot path.

Rules
- Times are compared as the text that they are in a row: it sorts. They become numbers where a
  second ends, and where the exchange time of an instrument moved on.
- A step back is a row whose `received_at` is before that of the row before it; or whose
  `exchange_time` is before the last one of its instrument; or whose `volume` is less than its
  instrument had before on this day. What a row does not hold is not compared.
- A delay is `received_at` less `exchange_time`, of rows that move their instrument's exchange time
  on. A snapshot of yesterday is not a delay, nor is the second packet within one exchange second.
- A price is frozen where it did not change for `FROZEN_US` of a session in at least `FROZEN_ROWS`
  rows of an instrument, while its exchange time or its volume moved on.
- A distance between two rows of `LEAST_GAP_US` or more may be a gap.

Memory is bounded by the instruments and the days, not by the rows, and those have limits: the last
row and the longest freeze of an instrument, the minutes of a day, and the longest `MOST_DISTANCES`
are kept.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import date
from heapq import heappush, heappushpop
from itertools import groupby
from typing import NamedTuple, TypeAlias

from ..clock import ist_time
from ..errors import RecordingError
from ..instrument import InstrumentKey
from ..intervals import Interval, common, length
from ..rows.block import RecordedBlock, RowBlock, check_number_of_instruments
from ..rows.decode import Recorded, exchange_ms_of, received_ns_of
from ..rows.encode import CsvRows, JsonRows
from ..rows.format import Csv, TickFormat
from ..rows.scan import Head
from ..tick import Mode
from ..wire.packet import token_text
from .delays import Delays
from .duplicates import Duplicates

SECOND_US = 1_000_000
LEAST_GAP_US = SECOND_US
MOST_DISTANCES = 10_000
FROZEN_US = 300 * SECOND_US
FROZEN_ROWS = 30
FRESH_US = 120 * SECOND_US
MINUTES_A_DAY = 1440
MOST_DAYS = 5_000
"""Twenty years of trading; a day takes 12 kB."""
_DAY, _MINUTE, _SECOND = len("2026-11-20"), len("2026-11-20T09:15"), len("2026-11-20T09:15:00")
_TOKEN = slice(2, 27)
"""Where a packet has its token."""

SpansOf: TypeAlias = Callable[[str, str, str, date], Sequence[Interval]]
"""When an instrument (exchange, symbol, token) may trade on a day: microseconds, in order."""


class Freeze(NamedTuple):
    """A price that did not change from one row to another. `us` is how much of that lay in a
    session."""

    us: int
    exchange: str
    symbol: str
    token: str
    price: str
    from_us: int
    to_us: int
    rows: int


class _Instrument:
    """One instrument on one day."""

    __slots__ = (
        *("day", "exchange", "symbol", "token", "first", "last", "rows", "rows_summed"),
        *("exchanged", "volume", "volume_at", "price", "stands_since"),
    )

    def __init__(self, day: date, exchange: str, symbol: str, token: str, exchanged: bytes) -> None:
        self.day = day
        self.exchange = exchange
        self.symbol = symbol
        self.token = token
        self.first = self.last = b""
        self.rows = self.rows_summed = 0
        self.exchanged = exchanged
        self.volume = b""
        self.volume_at = b""
        """The exchange time at which this volume came first."""
        self.price = b""
        self.stands_since = (b"", b"", b"", 0)
        """Of the first row with this price: received, exchange time, volume, and its number."""


class SegmentDay:
    """The totals of a segment's rows on one day; times are microseconds."""

    def __init__(self) -> None:
        self.first_us = 1 << 62
        self.last_us = -(1 << 62)
        self.rows = 0


class Day:
    """The totals of a day's rows.

    `first_live` and `last_live` are the earliest and latest time of rows that prove a market (texts
    as in a row, b"" for none): that move an exchange time on, or are an instrument's first of the
    day and at most `FRESH_US` old.
    """

    def __init__(self) -> None:
        self.rows_by_minute = array("Q", bytes(8 * MINUTES_A_DAY))
        self.segments: dict[str, SegmentDay] = {}
        self.first_live = self.last_live = b""

    def add_live(self, first: bytes, last: bytes) -> None:
        """Rows that prove a market, from one time to another."""
        self.last_live = max(self.last_live, last)
        if first < self.first_live or not self.first_live:
            self.first_live = first

    @property
    def live(self) -> Interval | None:
        """From the first to the last of those rows; None where there are none."""
        return (_us(self.first_live), _us(self.last_live)) if self.first_live else None


class Tally:
    """Takes the rows of a recording in their order; what it counted can be read after `end`.

    Past the limits of instruments and days `take` raises RecordingError.
    `least_gap_us`: two rows that are less apart have no gap between them.
    """

    def __init__(self, spans_of: SpansOf, *, least_gap_us: int = LEAST_GAP_US) -> None:
        self.rows = 0
        self.back_received = self.back_exchange = self.back_volume = 0
        self.duplicates = Duplicates()
        self.delays = Delays()
        self.days: dict[date, Day] = {}
        self.distances: list[tuple[int, int, int]] = []
        """A heap of the longest: length, from, to (microseconds)."""
        self.freezes: dict[tuple[str, str], Freeze] = {}
        """The longest of an instrument, by exchange and token."""
        self.instruments: dict[tuple[str, str], str] = {}
        """The symbols, by exchange and token."""
        self._spans_of = spans_of
        self.least_gap_us = least_gap_us
        self._comparable = _Comparable()
        self._previous = b""
        self._second_us = 0
        self._second_end = b""
        """A row from the last one's time up to before this is in the same second."""
        self._today = date.min
        self._day = Day()
        self._active: dict[bytes, dict[bytes, _Instrument]] = {}
        """By exchange and token: what came since the day, or the order of time, last broke."""
        self._parked: dict[tuple[bytes, bytes], _Instrument] = {}
        """The others. A day that comes again costs only what came meanwhile."""

    def take(self, block: RowBlock) -> None:
        """Count the rows of a block."""
        self._count_minutes(block)
        previous, second_end = self._previous, self._second_end
        active = self._active
        moved: list[tuple[bytes, bytes, bytes]] = []
        for received, head in zip(block.times, block.heads, strict=True):
            exchanged, exchange, _, token, price, volume = head
            if not previous <= received < second_end:
                self._turn(previous, received)
                second_end, active = self._second_end, self._active
            previous = received
            try:
                one = active[exchange][token]
            except KeyError:
                one = self._activate(received, head)
            if exchanged != one.exchanged and exchanged:
                moved.append((received, one.exchanged, exchanged))
                one.exchanged = exchanged
            if volume != one.volume and volume:
                if volume < one.volume or len(volume) < len(one.volume):
                    self._check_volume(one, volume)  # as text it is less, as a number it may be
                one.volume = volume
                one.volume_at = one.exchanged
            if price != one.price:
                if one.rows - one.stands_since[3] >= FROZEN_ROWS:
                    self._end_price(one)
                one.price = price
                one.stands_since = (received, one.exchanged, volume, one.rows)
            one.rows += 1
            one.last = received
        self._previous = previous
        self._count_moved(moved)

    def end(self) -> None:
        """The recording is over."""
        self._park()
        for one in self._parked.values():
            self._end_price(one)

    # --- by the block: what needs no look at each row ---

    def _count_minutes(self, block: RowBlock) -> None:
        self.rows += block.count
        rows = self._comparable.rows(block)
        for minute, start, end in _minutes(block.times):
            number = int(minute[11:13]) * 60 + int(minute[14:16])
            self._day_of(_date(minute)).rows_by_minute[number] += end - start
            self.duplicates.add(minute, rows[start:end])

    def _count_moved(self, moved: Sequence[tuple[bytes, bytes, bytes]]) -> None:
        """Of rows with another exchange time: when received, the time before (b"": none), it."""
        self.back_exchange += sum(exchanged < before for _, before, exchanged in moved)
        on = [(at, exchanged) for at, before, exchanged in moved if before and exchanged > before]
        self.delays.add([_us(at) - exchange_ms_of(exchanged) * 1000 for at, exchanged in on])
        for day, times in groupby((at for at, _ in on), key=_date_text):
            live = list(times)
            self._day_of(_date(day)).add_live(min(live), max(live))

    def _day_of(self, today: date) -> Day:
        day = self.days.get(today)
        if day is None:
            if len(self.days) >= MOST_DAYS:
                raise RecordingError(
                    f"there are rows of more than {MOST_DAYS:,} days", kind="too-many-days"
                )
            day = self.days[today] = Day()
        return day

    # --- by the second, and the day ---

    def _turn(self, previous: bytes, received: bytes) -> None:
        """A row that is not in the second of the row before it, or goes back."""
        was_us = self._second_us + int(previous[20:]) if previous else None
        self._second_us = received_ns_of(received[:_SECOND] + b".000000") // 1000
        now_us = self._second_us + int(received[20:])
        if self.least_gap_us >= SECOND_US:
            after = ist_time((self._second_us + SECOND_US) * 1000).replace(tzinfo=None)
            self._second_end = after.isoformat(timespec="microseconds").encode()
        if received < previous or received[:_DAY] != previous[:_DAY]:
            self._park()
            self._today = _date(received)
            self._day = self._day_of(self._today)
        if was_us is None:
            return
        if now_us < was_us:
            self.back_received += 1
        elif now_us - was_us >= self.least_gap_us:
            self._keep_distance((now_us - was_us, was_us, now_us))

    def _keep_distance(self, distance: tuple[int, int, int]) -> None:
        if len(self.distances) < MOST_DISTANCES:
            heappush(self.distances, distance)
        else:
            heappushpop(self.distances, distance)

    def _park(self) -> None:
        """Sum up what is active: its rows are an unbroken run of time."""
        for exchange, by_token in self._active.items():
            segment = self._day.segments.setdefault(exchange.decode(), SegmentDay())
            for token, one in by_token.items():
                segment.first_us = min(segment.first_us, _us(one.first))
                segment.last_us = max(segment.last_us, _us(one.last))
                segment.rows += one.rows - one.rows_summed
                one.rows_summed = one.rows
                self._parked[exchange, token] = one
        self._active = {}

    # --- by the instrument ---

    def _activate(self, received: bytes, head: Head) -> _Instrument:
        exchanged, exchange, symbol, token, *_ = head
        one = self._parked.pop((exchange, token), None)
        if one is None or one.day != self._today:
            last_exchanged = b""
            if one is not None:
                self._end_price(one)
                last_exchanged = one.exchanged
            named = (exchange.decode(), symbol.decode(), token.decode())
            one = _Instrument(self._today, *named, last_exchanged)
            self.instruments[one.exchange, one.token] = one.symbol
            check_number_of_instruments(len(self.instruments))
            if abs(_us(received) - exchange_ms_of(exchanged) * 1000) <= FRESH_US:
                self._day.add_live(received, received)
        one.first = received
        self._active.setdefault(exchange, {})[token] = one
        return one

    def _check_volume(self, one: _Instrument, volume: bytes) -> None:
        is_same_day = one.exchanged[:_DAY] == one.volume_at[:_DAY]  # a new day begins from nothing
        if one.volume and int(volume) < int(one.volume) and is_same_day:
            self.back_volume += 1

    def _end_price(self, one: _Instrument) -> None:
        """The price of the instrument's last row has changed: was it frozen?"""
        since, exchanged, volume, first_row = one.stands_since
        rows = one.rows - first_row
        if rows < FROZEN_ROWS or not float(one.price):
            return
        from_us, to_us = _us(since), _us(one.last)
        has_moved = one.exchanged > exchanged or one.volume != volume
        if to_us - from_us < FROZEN_US or not has_moved:
            return
        spans = self._spans_of(one.exchange, one.symbol, one.token, one.day)
        us = length(common([(from_us, to_us)], spans))
        known = self.freezes.get((one.exchange, one.token))
        if us >= FROZEN_US and (known is None or us > known.us):
            named = (one.exchange, one.symbol, one.token, one.price.decode())
            self.freezes[one.exchange, one.token] = Freeze(us, *named, from_us, to_us, rows)


class _Comparable:
    """Rows as values that are equal where the rows are, whatever they are written in.

    As the text of the first block's format, which costs nothing where all have it; as packets where
    that has no text.
    """

    def __init__(self) -> None:
        self._has_begun = False
        self._format: TickFormat | None = None
        self._symbols: dict[InstrumentKey, str] = {}
        self._encoders: dict[bool, CsvRows | JsonRows] = {}

    def rows(self, block: RowBlock) -> Sequence[Hashable]:
        """The rows of a block."""
        if not self._has_begun:
            self._has_begun, self._format = True, block.format
        if self._format is None:
            return list(block.recorded())
        if block.format == self._format and not isinstance(block, RecordedBlock):
            return block.lines
        return [self._text_of(self._format, recorded) for recorded in block.recorded()]

    def _text_of(self, row_format: TickFormat, recorded: Recorded) -> bytes:
        packet = recorded.packet
        # A row of more cells than the format has is equal to none in it: any text that
        # distinguishes those rows will do.
        is_beyond = isinstance(row_format, Csv) and packet[0] > row_format.mode
        encoder = self._encoders.get(is_beyond)
        if encoder is None:
            chosen = Csv(Mode.SNAP) if is_beyond else row_format
            encoder = self._encoders[is_beyond] = chosen.encoder(self._symbols)
        key = (packet[1], token_text(packet[_TOKEN]))
        if self._symbols.get(key) != recorded.symbol:
            self._symbols[key] = recorded.symbol
            for each in self._encoders.values():
                each.forget_symbols()
        return encoder.encode(recorded.received_ns, [packet])


def _minutes(times: Sequence[bytes]) -> Iterator[tuple[bytes, int, int]]:
    """The minutes of some rows, each with its first row's number and that after its last."""
    start, count = 0, len(times)
    if list(times) == sorted(times):
        while start < count:
            minute = times[start][:_MINUTE]
            end = bisect_left(times, minute + b";", start)  # a ":" follows the minute
            yield minute, start, end
            start = end
        return
    for minute, rows in groupby(times, key=lambda time: time[:_MINUTE]):
        end = start + sum(1 for _ in rows)
        yield minute, start, end
        start = end


def _date_text(time: bytes) -> bytes:
    return time[:_DAY]


def _date(time: bytes) -> date:
    return date.fromisoformat(time[:_DAY].decode())


def _us(time: bytes) -> int:
    return received_ns_of(time) // 1000
