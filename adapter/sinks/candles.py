"""Candles of a recording, and of a running stream: a bar is written at its end, whether or not a
tick comes then.

In a recording a bar is written when its instrument's own times are past its end, at a new day, and
at the end. In a stream the exchange's time goes on by this machine's clock while nothing comes; a
thread of the sink's own waits for the end of each bar. Bars and counting: rows/candles.py.

Rules of a stream
- A bar whose instrument is silent leaves when the market's time is past its end: by a packet of any
  instrument, or by the clock once nothing moved for `hold_s`. That is how long it takes to find a
  feed silent: before that it is not known whether the rest of the bar was blind.
- What waits is taken first: a look that comes too late (the process was stopped, an output blocked)
  closes no bar, since packets of its time may be on their way.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from ..clock import NS_PER_MS, Clock, SystemClock, ist_time
from ..errors import OutputError
from ..files.outputs import Note, Rotated, TextOutputs, open_output
from ..instrument import InstrumentKey, exchange_number, price_digits
from ..market.calendar import MarketCalendar
from ..periodic import every
from ..rows.block import RowBlock, check_number_of_instruments
from ..rows.candle_text import CandleFormat, candle_format
from ..rows.candles import GRACE_MS, Candle, CandleMaker, LeftOut
from ..rows.decode import exchange_ms_of, price_of, received_ns_of
from ..rows.format import TickFormat
from ..tick import Mode
from ..wire.packet import LAYOUTS, token_text
from .blindness import Blindness
from .sink import TextSink
from .written_bars import WrittenBars

_OVERSLEPT_S = 1.0
_DAY = len("2026-11-20")
_NOT_REPORTED = {LeftOut.NO_PRICE, LeftOut.KNOWN}
"""No trades."""


class BarPlan(NamedTuple):
    """What bars are wanted: `width_s` wide, anchored by `calendar`.

    `blindness` makes what knows how long the feed was blind, one for each output. `hold_s`: how
    long nothing moves in a stream before the clock alone ends bars.
    """

    width_s: int
    calendar: MarketCalendar
    blindness: Callable[[], Blindness]
    keeps_pre_open: bool = False
    hold_s: float = 42.0


class CandleSink(TextSink):
    """Bars of the rows of recordings, but for those that are `written`."""

    _output: TextOutputs

    def __init__(
        self,
        plan: BarPlan,
        candles: CandleFormat,
        output: TextOutputs,
        *,
        written: WrittenBars,
        note: Note,
    ) -> None:
        super().__init__(output)
        self._maker = CandleMaker(plan.width_s, plan.calendar, keeps_pre_open=plan.keeps_pre_open)
        self._format = candles
        self._written = written
        self._blindness = plan.blindness()
        self._note = note
        self._instruments: dict[tuple[bytes, ...], tuple[InstrumentKey, str, int]] = {}
        self._day = b""
        self._is_closed = False

    @property
    def late(self) -> int:
        """Ticks that came when their bar was complete."""
        return self._maker.left_out[LeftOut.LATE]

    @property
    def pre_open(self) -> int:
        """Ticks from before the opening that are in no bar."""
        return self._maker.left_out[LeftOut.PRE_OPEN]

    def write_block(self, block: RowBlock) -> None:
        """Take rows."""
        add = self._maker.add
        for time, (exchange_time, *named, ltp, volume) in zip(
            block.times, block.heads, strict=True
        ):
            if time[:_DAY] > self._day:
                self._begin_day(time[:_DAY])
            key, symbol, digits = self._instrument(tuple(named))
            add(
                key,
                symbol,
                exchange_ms_of(exchange_time),
                received_ns_of(time) // 1_000_000,
                price_of(ltp, digits),
                int(volume) if volume else None,
            )

    def _begin_day(self, day: bytes) -> None:
        """Rows come in the order of time: none of the day before follows, so its bars leave."""
        if self._day:
            self._take(self._maker.take_all())
        self._day = day

    def _instrument(self, named: tuple[bytes, ...]) -> tuple[InstrumentKey, str, int]:
        known = self._instruments.get(named)
        if known is None:
            exchange, symbol, token = (cell.decode() for cell in named)
            exchange_type = exchange_number(exchange) or 0
            known = (exchange_type, token), symbol, price_digits(exchange_type)
            self._instruments[named] = known
            check_number_of_instruments(len(self._instruments))
        return known

    def flush(self) -> None:
        self._take(self._maker.take_complete())
        self._output.flush()

    def close(self) -> None:
        """Write the bars that are still open, and close."""
        if not self._is_closed:
            self._is_closed = True
            last = self._maker.take_all()
            self._put(self._written.untouched(last))
            self._take(last)
            self._report()
        self._output.close()

    def _take(self, candles: Sequence[Candle]) -> None:
        """Bars to the output, into the file of their time where it rotates."""
        for start_ms, bars in groupby(candles, attrgetter("start_ms")):
            self._output.begin(start_ms * NS_PER_MS)  # what the file has already is known then
            self._put([self._with_blind_time(candle) for candle in self._written.new(list(bars))])

    def _with_blind_time(self, candle: Candle) -> Candle:
        """With its blind time, added to that of an earlier run."""
        blind_ms = self._blindness.of(candle, self._now_ms())
        if blind_ms is not None and candle.blind_ms is not None:
            blind_ms += candle.blind_ms
        return candle._replace(blind_ms=candle.blind_ms if blind_ms is None else blind_ms)

    def _now_ms(self) -> int | None:
        """Up to when the feed can be known to be blind; None: events say all."""
        return None

    def _put(self, candles: list[Candle]) -> None:
        if not candles:
            return
        if self._written.surplus:  # rows of bars that go on: written again, now or when they end
            self._output.take_back(self._written.surplus)
            candles = self._written.taken_back() + candles
        self._output.take(self._format.text(candles), len(candles), candles[0].start_ms * NS_PER_MS)

    def _report(self) -> None:
        left_out = self._maker.left_out
        parts = [
            f"{left_out[each]:,} {'tick' if left_out[each] == 1 else 'ticks'} {each}"
            for each in LeftOut
            if left_out[each] and each not in _NOT_REPORTED
        ]
        if parts:
            self._note(f"{self.name}: not in a bar: {', '.join(parts)}")
        if skipped := self._written.skipped:
            bars = "bar was" if skipped == 1 else "bars were"
            self._note(f"{self.name}: {skipped:,} {bars} there already, and not written again")


class LiveCandleSink(CandleSink):
    """Bars of a stream; the thread begins with the first packets and ends with `close`."""

    def __init__(
        self,
        plan: BarPlan,
        candles: CandleFormat,
        output: TextOutputs,
        symbols: Mapping[InstrumentKey, str],
        *,
        written: WrittenBars,
        note: Note,
        clock: Clock,
    ) -> None:
        super().__init__(plan, candles, output, written=written, note=note)
        self._symbols = symbols
        self._maker.watch(symbols, clock.wall_ns() // NS_PER_MS)
        self._clock = clock
        self._hold_s = plan.hold_s
        self._latest_at_s = clock.now_s()
        self._look_at_s = 0.0
        self._lock = threading.Lock()  # the maker and the output: written by both threads
        self._is_beside = False
        self._beside = ExitStack()

    def takes(self, packets: int) -> bool:
        """Whether the output is one that never waits: the sink's own thread may hold the lock
        while it writes to one that does."""
        return self._output.takes(sys.maxsize)

    def write(self, received_ns: int, packets: Sequence[bytes]) -> None:
        """Take packets of modes 1-3."""
        with self._lock:
            before_ms = self._maker.latest_ms
            for packet in packets:
                self._add(received_ns, packet)
            if self._maker.latest_ms > before_ms:
                self._latest_at_s = self._clock.now_s()
        if not self._is_beside:
            self._is_beside = True
            self._beside.enter_context(every(self._wait_s, self._flush_due, name="candles"))

    def _add(self, received_ns: int, packet: bytes) -> None:
        layout = LAYOUTS[Mode.LTP if packet[0] == Mode.LTP else Mode.QUOTE]
        _, exchange_type, token, _, exchange_ms, price, *rest = layout.unpack_from(packet)
        key = exchange_type, token_text(token)
        volume = rest[2] if rest else None
        received_ms = received_ns // 1_000_000
        self._maker.add(key, self._symbols.get(key, ""), exchange_ms, received_ms, price, volume)

    def flush(self) -> None:
        with self._lock:
            self._flush()

    def _flush(self) -> None:
        latest_ms, now_ms = self._maker.latest_ms, self.exchange_ms()
        if self._clock.now_s() - self._latest_at_s < self._hold_s:
            now_ms = min(now_ms, latest_ms + GRACE_MS)
        self._take(self._maker.take_until(now_ms))
        self._output.flush()

    def close(self) -> None:
        self._beside.close()
        super().close()

    def exchange_ms(self) -> int:
        """The exchange's time now, by its last tick and this machine's clock."""
        passed_s = self._clock.now_s() - self._latest_at_s
        return self._maker.latest_ms + int(passed_s * 1000)

    def _now_ms(self) -> int:
        return self._clock.wall_ns() // NS_PER_MS

    def _wait_s(self) -> float:
        """Until the next bar ends and may leave."""
        with self._lock:
            now_s, now_ms = self._clock.now_s(), self.exchange_ms()
            wait_s = (self._maker.next_leave_ms(now_ms) - now_ms) / 1000
            held_s = self._latest_at_s + self._hold_s - now_s
            if held_s > 0:
                wait_s = min(wait_s, held_s)
            if now_s - self._look_at_s > _OVERSLEPT_S:
                wait_s = min(wait_s, _OVERSLEPT_S)
            self._look_at_s = now_s + wait_s
            return wait_s

    def _flush_due(self) -> None:
        with suppress(OutputError), self._lock:  # raised again where the stream writes
            if self._clock.now_s() - self._look_at_s <= _OVERSLEPT_S:
                self._flush()


def open_candle_sink(
    path: str,
    row_format: TickFormat,
    plan: BarPlan,
    *,
    symbols: Mapping[InstrumentKey, str],
    note: Note,
    rotated: Rotated | None = None,
    overwrite: bool = False,
    fsync: bool = False,
) -> LiveCandleSink:
    """A sink for bars, in the format that ticks would have; the rest as `open_sink`. `symbols` are
    those that are recorded from now on; it may grow."""
    clock = SystemClock()
    now_ns = clock.wall_ns()
    candles = candle_format(row_format)
    written = WrittenBars(plan.width_s, candles, now_ns // NS_PER_MS)
    output = open_output(
        path,
        candles,
        note=note,
        rotated=rotated,
        overwrite=overwrite,
        fsync=fsync,
        appended=written.read,
    )
    if output.is_rotating and os.path.exists(ist_time(now_ns).strftime(path)):
        output.begin(now_ns)  # a bar of it may go on
    return LiveCandleSink(plan, candles, output, symbols, written=written, note=note, clock=clock)


def candle_sink_into(
    output: TextOutputs,
    row_format: TickFormat,
    plan: BarPlan,
    *,
    symbols: Mapping[InstrumentKey, str],
    note: Note,
) -> LiveCandleSink:
    """A sink for bars into an output that is open and holds none yet."""
    clock = SystemClock()
    candles = candle_format(row_format)
    written = WrittenBars(plan.width_s, candles, clock.wall_ns() // NS_PER_MS)
    return LiveCandleSink(plan, candles, output, symbols, written=written, note=note, clock=clock)


def open_recorded_candle_sink(
    path: str,
    row_format: TickFormat,
    plan: BarPlan,
    *,
    note: Note,
    overwrite: bool = False,
    fsync: bool = False,
    inputs: Sequence[str] = (),
) -> CandleSink:
    """A sink for bars of recordings; the rest as `open_output`."""
    candles = candle_format(row_format)
    written = WrittenBars(plan.width_s, candles, None)
    output = open_output(
        path,
        candles,
        note=note,
        overwrite=overwrite,
        fsync=fsync,
        inputs=inputs,
        appended=written.read,
    )
    return CandleSink(plan, candles, output, written=written, note=note)


def recorded_candle_sink_into(
    output: TextOutputs, row_format: TickFormat, plan: BarPlan, *, note: Note
) -> CandleSink:
    """A sink for bars of recordings into an output that is open and holds none yet."""
    candles = candle_format(row_format)
    written = WrittenBars(plan.width_s, candles, None)
    return CandleSink(plan, candles, output, written=written, note=note)
