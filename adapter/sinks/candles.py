"""Candles of a recording, and of a running stream: a bar is written at its end, whether or not a
tick comes then.

In a stream the exchange's time goes on by this machine's clock while nothing comes; a thread of the
sink's own waits for the end of each bar. Bars and counting: rows/candles.py.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from itertools import groupby
from operator import attrgetter

from ..clock import Clock, SystemClock
from ..errors import OutputError
from ..files.outputs import Note, Output, Rotated, open_output
from ..instrument import InstrumentKey, exchange_number, price_digits
from ..periodic import every
from ..rows.block import RowBlock
from ..rows.candles import Candle, CandleFormat, CandleMaker, candle_format
from ..rows.decode import exchange_ms_of, price_of, received_ns_of
from ..rows.format import TickFormat
from ..tick import Mode
from ..wire.packet import LAYOUTS, token_text
from .sink import TextSink


class CandleSink(TextSink):
    """Bars of `width_s` seconds of the rows of recordings, each written at the first flush after
    the recording has passed its end."""

    def __init__(self, width_s: int, candles: CandleFormat, output: Output) -> None:
        super().__init__(output)
        self._maker = CandleMaker(width_s)
        self._format = candles
        self._instruments: dict[tuple[bytes, ...], tuple[InstrumentKey, str, int]] = {}

    @property
    def late(self) -> int:
        """Ticks that are in no bar."""
        return self._maker.late

    def write_block(self, block: RowBlock) -> None:
        """Take rows."""
        add = self._maker.add
        for time, (exchange_time, *named, ltp, volume) in zip(
            block.times, block.heads, strict=True
        ):
            key, symbol, digits = self._instrument(tuple(named))
            add(
                key,
                symbol,
                exchange_ms_of(exchange_time),
                received_ns_of(time) // 1_000_000,
                price_of(ltp, digits),
                int(volume) if volume else None,
            )

    def _instrument(self, named: tuple[bytes, ...]) -> tuple[InstrumentKey, str, int]:
        known = self._instruments.get(named)
        if known is None:
            exchange, symbol, token = (cell.decode() for cell in named)
            exchange_type = exchange_number(exchange) or 0
            known = (exchange_type, token), symbol, price_digits(exchange_type)
            self._instruments[named] = known
        return known

    def flush(self) -> None:
        self._take(self._maker.take_due())
        self._output.flush()

    def close(self) -> None:
        """Write the bars that are still open, and close."""
        self._take(self._maker.take_all())
        self._output.close()

    def _take(self, candles: Sequence[Candle]) -> None:
        """Bars to the output, into the file of their time where it rotates."""
        for start_ms, bars in groupby(candles, attrgetter("start_ms")):
            rows = list(bars)
            self._output.take(self._format.text(rows), len(rows), start_ms * 1_000_000)


class LiveCandleSink(CandleSink):
    """Bars of a stream; the thread begins with the first packets and ends with `close`."""

    def __init__(
        self,
        width_s: int,
        candles: CandleFormat,
        output: Output,
        symbols: Mapping[InstrumentKey, str],
        note: Note,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(width_s, candles, output)
        self._symbols = symbols
        self._note = note
        self._clock = clock or SystemClock()
        self._latest_at_s = 0.0
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
            self._take(self._maker.take_due(self.exchange_ms()))
            self._output.flush()

    def close(self) -> None:
        self._beside.close()
        if self.late:
            ticks = "tick" if self.late == 1 else "ticks"
            self._note(f"{self.name}: {self.late:,} late {ticks} in no bar")
        super().close()

    def exchange_ms(self) -> int:
        """The exchange's time now, as far as its last tick and this machine's clock tell."""
        passed_s = self._clock.now_s() - self._latest_at_s
        return self._maker.latest_ms + int(passed_s * 1000)

    def _wait_s(self) -> float:
        """Until the next bar ends and may leave."""
        with self._lock:
            now_ms = self.exchange_ms()
            return (self._maker.next_leave_ms(now_ms) - now_ms) / 1000

    def _flush_due(self) -> None:
        with suppress(OutputError):  # raised again by the next flush, on the thread that writes
            self.flush()


def open_candle_sink(
    path: str,
    row_format: TickFormat,
    *,
    width_s: int,
    symbols: Mapping[InstrumentKey, str],
    note: Note,
    rotated: Rotated | None = None,
    overwrite: bool = False,
    fsync: bool = False,
) -> LiveCandleSink:
    """A sink for bars of `width_s` seconds, in the format that ticks would have; the rest as
    `open_sink`."""
    candles = candle_format(row_format)
    output = open_output(
        path, candles, note=note, rotated=rotated, overwrite=overwrite, fsync=fsync
    )
    return LiveCandleSink(width_s, candles, output, symbols, note)
