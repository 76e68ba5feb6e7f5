"""Ticks into candles (open, high, low, close, volume of a span of time). Pure: no clock, no file.

Rules
- Bars are anchored at the opening of their segment's day (market/calendar.py) and labelled by their
  start, which belongs to them; their end does not. A bar ends with its day at the latest; a bar of
  a day is labelled by the opening and holds the whole day.
- A bar holds trades of its recorder's day. No bar holds: price 0; what is dated before the opening,
  unless that is asked for, or before the day on which it was received; the first packet of an
  instrument that is older than two minutes (a snapshot: others traded in that bar before) by what
  its next packet shows the market's time to be; a packet that repeats time, price and volume a
  second later (what a new subscription sends first).
- A time more than a minute ahead of the market's clock waits for the instrument's next packet, and
  counts if that one goes on from it (market/clock.py).
- Each instrument is judged by its own packets alone, the market's clock included: whatever others
  send, in whatever order, it has the bars that it has alone.
- A tick belongs to the bar of its exchange time; of its time of reception where it has none. Inside
  a bar the times decide, not the order of coming: open is the earliest price, close the latest; of
  equal times the first that came opens and the last closes.
- Volume is what the day's volume grew by, from the highest one seen before on that day. It starts
  from 0 where the recorder was there before the day's first trade: something of the instrument was
  received before the opening (of the market's clock), or with volume 0, or it was watched since.
  Else from the first volume seen. Before the opening it waits for the first bar, unless those
  packets have bars themselves.
- A bar is complete when its instrument's own time is `GRACE_MS` past its end. A tick for such a bar
  is late: counted, and in no bar.
- Prices stay integers until shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from math import inf
from typing import NamedTuple

from ..clock import NS_PER_MS, YEAR_10000_MS, ist_time
from ..instrument import InstrumentKey
from ..market.calendar import MarketCalendar
from ..market.clock import AHEAD_MS, MarketClock, goes_on
from ..market.evidence import FRESH_MS

GRACE_MS = 2000
DAY_S = 86_400
SESSION_S = 22_500
"""09:15 to 15:30: what widths like 75m and 125m divide."""
DAY_MS = DAY_S * 1000
IST_MS = 19_800_000
_REPEATED_AFTER_MS = 1000
"""Exchange times are whole seconds: packets of one come within one."""
_MOST_HELD = 100
_MOST_DAYS = 1_000
"""That are remembered, of all segments."""


class LeftOut(StrEnum):
    """Why a packet is in no bar."""

    NO_PRICE = "without a price"
    PRE_OPEN = "from before the opening"
    OLD = "from before their day"
    KNOWN = "that repeat what was known"
    AHEAD = "dated ahead of the market"
    LATE = "late"


class Candle(NamedTuple):
    """One bar of one instrument, prices in the broker's unit; times in ms since the epoch.

    `volume` None: its ticks carry none. `blind_ms` None: it is not known.
    """

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
    end_ms: int = 0
    blind_ms: int | None = None

    @property
    def key(self) -> InstrumentKey:
        return self.exchange_type, self.token


class _Bar:
    """A bar that is still open."""

    __slots__ = ("close", "end_ms", "first_ms", "high", "last_ms", "low", "open", "ticks", "volume")

    def __init__(self, end_ms: int, time_ms: int, price: int) -> None:
        self.end_ms = end_ms
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


class _Trade(NamedTuple):
    """A packet as far as bars care, times in ms."""

    time_ms: int
    received_ms: int
    price: int
    volume: int | None
    has_time: bool


class _Day(NamedTuple):
    """A day of a segment. Nothing from before `opens_ms` is wanted; `anchor_ms` is the opening."""

    number: int
    start_ms: int
    anchor_ms: int
    opens_ms: int


class _Instrument:
    """The open bars of one instrument, by their start, and what came before them."""

    __slots__ = (
        *(
            "ahead",
            "bars",
            "clock",
            "day",
            "day_volume",
            "doubted",
            "held",
            "known",
            "known_at_ms",
            "latest_ms",
        ),
        *("left_ms", "next_end_ms", "since_ms", "symbol", "volume_day", "watched_ms", "whole_day"),
    )

    def __init__(self, watched_ms: float) -> None:
        self.symbol = ""
        self.bars: dict[int, _Bar] = {}
        self.next_end_ms: float = inf
        self.latest_ms = 0
        self.left_ms = -DAY_MS
        self.clock = MarketClock()
        self.held: list[_Trade] = []
        """Trades that are ahead of the clock and not believed yet."""
        self.ahead: _Trade | None = None
        """The last trade, where it is ahead of the clock."""
        self.doubted: list[_Trade] = []
        """The first trades, where they are old by a clock that may be wrong, until one moves on."""
        self.day: _Day | None = None
        self.since_ms = 0
        """When the first of that day was received."""
        self.known: _Trade | None = None
        self.known_at_ms = 0
        """When its exchange time came first."""
        self.watched_ms = watched_ms
        self.whole_day = self.volume_day = -1
        self.day_volume = 0

    def is_known(self, trade: _Trade) -> bool:
        """Whether it is the packet of before, again."""
        known = self.known
        return (
            known is not None
            and trade.has_time
            and trade.time_ms == known.time_ms
            and trade.price == known.price
            and trade.volume == known.volume
            and trade.received_ms - self.known_at_ms > _REPEATED_AFTER_MS
        )

    def is_first(self, day: _Day) -> bool:
        """Whether nothing of that day is known yet."""
        return self.known is None or self.known.time_ms < day.start_ms

    def remember(self, trade: _Trade) -> None:
        if self.known is None or self.known.time_ms != trade.time_ms:
            self.known_at_ms = trade.received_ms
        self.known = trade

    def grown(self, day: _Day, volume: int | None) -> int | None:
        """What the day's volume grew by; None without one."""
        if volume is None:
            return None
        if day.number < self.volume_day:
            return 0
        if day.number > self.volume_day:
            self.volume_day = day.number
            self.day_volume = 0 if self.was_there(day) else volume
        before, self.day_volume = self.day_volume, max(self.day_volume, volume)
        return self.day_volume - before

    def was_there(self, day: _Day) -> bool:
        """Whether the recorder was there before the day's first trade."""
        since_ms = min(self.since_ms, self.watched_ms) - self.clock.offset_ms
        return since_ms <= day.opens_ms or self.whole_day == day.number


class CandleMaker:
    """Makes bars of `width_s` seconds (`check_width`). `left_out` counts what is in none."""

    def __init__(
        self, width_s: int, calendar: MarketCalendar | None = None, *, keeps_pre_open: bool = False
    ) -> None:
        self.left_out: Counter[LeftOut] = Counter()
        self.latest_ms = 0
        """The newest exchange time that was not ahead of the market's clock."""
        self._width_ms = width_s * 1000
        self._calendar = calendar or MarketCalendar()
        self._keeps_pre_open = keeps_pre_open or self._calendar.is_always_open
        self._instruments: dict[InstrumentKey, _Instrument] = {}
        self._watched: dict[InstrumentKey, int] = {}
        self._days: dict[tuple[int, int], _Day] = {}
        self._complete: list[Candle] = []
        self._earliest_end_ms: float = inf
        """No open bar ends before; some of those that ended then may have left."""

    def watch(self, keys: Iterable[InstrumentKey], since_ms: int) -> None:
        """These are recorded without a pause from now on."""
        self._watched.update(dict.fromkeys(keys, since_ms))

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
        instrument = self._instruments.get(key)
        if instrument is None:
            instrument = self._instruments[key] = _Instrument(self._watched.get(key, inf))
        instrument.symbol = symbol
        has_time = exchange_ms > 0
        time_ms = exchange_ms if has_time else received_ms
        trade = _Trade(time_ms, received_ms, price, day_volume, has_time)
        today = instrument.day
        if today is None or not today.start_ms <= received_ms < today.start_ms + DAY_MS:
            today = instrument.day = self._day(key[0], received_ms)
            instrument.since_ms = received_ms
        if day_volume == 0 and time_ms >= today.start_ms:
            instrument.whole_day = today.number
        if not price:
            self.left_out[LeftOut.NO_PRICE] += 1
        elif time_ms < today.start_ms:
            self.left_out[LeftOut.OLD] += 1
        elif time_ms >= YEAR_10000_MS:
            self.left_out[LeftOut.AHEAD] += 1
        else:
            self._check_clock(key, instrument, trade)

    def _check_clock(self, key: InstrumentKey, instrument: _Instrument, trade: _Trade) -> None:
        """Take what is not ahead of the market's clock, or goes on from what was."""
        received_s, received_ns = trade.received_ms / 1000, trade.received_ms * NS_PER_MS
        clock, held, before = instrument.clock, instrument.held, instrument.ahead
        market_ms = clock.market_ms(received_s, received_ns)
        is_ahead = trade.time_ms > market_ms + AHEAD_MS
        instrument.ahead = trade if is_ahead else None
        is_same = follows = False
        if before is not None:
            passed_s = (trade.received_ms - before.received_ms) / 1000
            is_same = trade.time_ms == before.time_ms
            follows = goes_on(before.time_ms, trade.time_ms, passed_s) or (is_same and not held)
        if held and not follows and not (is_same and len(held) < _MOST_HELD):
            self._drop_held(instrument)
        if is_ahead and not follows:
            held.append(trade)
            return
        if not is_ahead:
            self.latest_ms = max(self.latest_ms, trade.time_ms)
        waiting = held[-1:] or instrument.doubted[:1]
        before_ms = waiting[0].time_ms if waiting else instrument.latest_ms
        is_moving = trade.has_time and trade.time_ms > before_ms > 0
        if instrument.doubted and not is_moving and len(instrument.doubted) < _MOST_HELD:
            instrument.doubted.append(trade)
            return
        if is_moving and not (is_ahead and clock.is_set(received_s)):
            clock.observe(received_s, received_ns, trade.time_ms)
        self._put_doubted(key, instrument)
        for each in held:
            self._take(key, instrument, each, market_ms)
        held.clear()
        self._take(key, instrument, trade, market_ms)

    def _put_doubted(self, key: InstrumentKey, instrument: _Instrument) -> None:
        """Judge them by the clock as it is known now."""
        doubted, instrument.doubted = instrument.doubted, []
        for each in doubted:
            age_ms = each.received_ms - instrument.clock.offset_ms - each.time_ms
            self._put(key, instrument, each, is_old=abs(age_ms) > FRESH_MS)

    def _drop_held(self, instrument: _Instrument) -> None:
        if instrument.held:
            self.left_out[LeftOut.AHEAD] += len(instrument.held)
            instrument.held.clear()

    def _take(
        self, key: InstrumentKey, instrument: _Instrument, trade: _Trade, market_ms: int
    ) -> None:
        is_old = market_ms - trade.time_ms > FRESH_MS
        if is_old and instrument.is_first(self._day_of(key, instrument, trade)):
            instrument.doubted.append(trade)
        else:
            self._put(key, instrument, trade)

    def _day_of(self, key: InstrumentKey, instrument: _Instrument, trade: _Trade) -> _Day:
        day, time_ms = instrument.day, trade.time_ms
        if day is None or not day.start_ms <= time_ms < day.start_ms + DAY_MS:
            day = self._day(key[0], time_ms)
        return day

    def _put(
        self, key: InstrumentKey, instrument: _Instrument, trade: _Trade, *, is_old: bool = False
    ) -> None:
        """Into its bar; `is_old`: it is of a time when nobody listened, others may have traded."""
        time_ms, day = trade.time_ms, self._day_of(key, instrument, trade)
        is_known = instrument.is_known(trade)
        instrument.remember(trade)
        if time_ms < day.opens_ms and not self._keeps_pre_open:
            self.left_out[LeftOut.PRE_OPEN] += 1
            return
        if is_known or is_old:
            if not instrument.was_there(day):
                instrument.grown(day, trade.volume)
            self.left_out[LeftOut.KNOWN] += 1
            return
        start_ms, end_ms = self._span(day, time_ms)
        if end_ms + GRACE_MS <= instrument.latest_ms or start_ms <= instrument.left_ms:
            self.left_out[LeftOut.LATE] += 1
            return
        bar = instrument.bars.get(start_ms)
        if bar is None:
            bar = instrument.bars[start_ms] = _Bar(end_ms, time_ms, trade.price)
            instrument.next_end_ms = min(end_ms, instrument.next_end_ms)
            self._earliest_end_ms = min(end_ms, self._earliest_end_ms)
        bar.add(time_ms, trade.price, instrument.grown(day, trade.volume))
        if time_ms > instrument.latest_ms:
            instrument.latest_ms = time_ms
            if instrument.next_end_ms + GRACE_MS <= time_ms:
                self._complete += _taken(key, instrument, time_ms - GRACE_MS)

    # --- complete bars ---

    def take_complete(self) -> list[Candle]:
        """The bars that are complete by their instruments' own times, in order."""
        taken, self._complete = self._complete, []
        return sorted(taken)

    def take_until(self, now_ms: float) -> list[Candle]:
        """The bars that are complete, and those that the market's time `now_ms` is past."""
        last_end_ms = now_ms - GRACE_MS
        if self._earliest_end_ms <= last_end_ms:
            for key, instrument in self._instruments.items():
                if instrument.next_end_ms <= last_end_ms:
                    self._complete += _taken(key, instrument, last_end_ms)
            ends = (instrument.next_end_ms for instrument in self._instruments.values())
            self._earliest_end_ms = min(ends, default=inf)
        return self.take_complete()

    def take_all(self) -> list[Candle]:
        """The bars that are still open: the last ones of a recording."""
        for key, instrument in self._instruments.items():
            self._drop_held(instrument)
            self._put_doubted(key, instrument)
        return self.take_until(inf)

    def next_leave_ms(self, now_ms: int) -> int:
        """When, in the market's time, bars may leave next after `now_ms`."""
        at_ms = now_ms - GRACE_MS
        ends = (self._span(self._day(key[0], at_ms), at_ms)[1] for key in self._segments())
        return min(ends, default=at_ms + self._width_ms) + GRACE_MS

    def _segments(self) -> Iterable[InstrumentKey]:
        """One instrument of each segment."""
        return {key[0]: key for key in self._instruments}.values()

    # --- days ---

    def _day(self, exchange_type: int, time_ms: int) -> _Day:
        number = (time_ms + IST_MS) // DAY_MS
        found = self._days.get((exchange_type, number))
        if found is None:
            if len(self._days) >= _MOST_DAYS:
                self._days.clear()
            start_ms = number * DAY_MS - IST_MS
            opening = self._calendar.opening(exchange_type, ist_time(start_ms * NS_PER_MS).date())
            anchor_ms = int(opening.timestamp()) * 1000
            opens_ms = start_ms if self._calendar.is_always_open else anchor_ms
            found = self._days[exchange_type, number] = _Day(number, start_ms, anchor_ms, opens_ms)
        return found

    def _span(self, day: _Day, time_ms: int) -> tuple[int, int]:
        """Start and end of the bar of a time."""
        width_ms, day_end_ms = self._width_ms, day.start_ms + DAY_MS
        if width_ms == DAY_MS:
            return day.anchor_ms, day_end_ms
        start_ms = time_ms - (time_ms - day.anchor_ms) % width_ms
        return max(start_ms, day.start_ms), min(start_ms + width_ms, day_end_ms)


def _taken(key: InstrumentKey, instrument: _Instrument, last_end_ms: float) -> list[Candle]:
    """The bars of an instrument that end by then; it has them no longer."""
    taken = []
    bars = instrument.bars
    for start_ms in sorted(start for start, bar in bars.items() if bar.end_ms <= last_end_ms):
        b = bars.pop(start_ms)
        instrument.left_ms = max(instrument.left_ms, start_ms)
        prices = (b.open, b.high, b.low, b.close)
        taken.append(
            Candle(start_ms, *key, instrument.symbol, *prices, b.volume, b.ticks, b.end_ms)
        )
    instrument.next_end_ms = min((bar.end_ms for bar in bars.values()), default=inf)
    return taken


def check_width(width_s: float) -> int:
    """The seconds of a bar's width. Raises ValueError unless it divides the day or the session."""
    is_whole = 1 <= width_s <= DAY_S and not width_s % 1
    if not is_whole or (DAY_S % width_s and SESSION_S % width_s):
        raise ValueError(
            "bars are 1s to 1d long and divide the day or the session of 6h15m; use one of"
            " 1m, 5m, 15m, 75m, 125m, 1h, 1d"
        )
    return int(width_s)
