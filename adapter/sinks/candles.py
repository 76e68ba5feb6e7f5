"""Candles of a running stream: a bar is written at its end, whether or not a tick comes then.

The exchange's time goes on by this machine's clock while nothing comes; a thread of the sink's own
waits for the end of each bar. Bars and counting: candles.py.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from operator import attrgetter

from ..clock import Clock, SystemClock
from ..errors import OutputError
from ..files.outputs import Note, Output, Rotated, open_output
from ..instrument import InstrumentKey, exchange_number, price_digits
from ..rows.block import RowBlock
from ..rows.candles import Candle, CandleMaker, candle_text
from ..rows.decode import exchange_ms_of, price_of, received_ns_of
from ..tick import Mode
from ..wire.packet import LAYOUTS, token_text


class CandleWriter:
    """Bars of one width into one output."""

    def __init__(self, width_s: int, rows_format: str, output: Output) -> None:
        self.maker = CandleMaker(width_s)
        self.output = output
        self._text = candle_text(rows_format)
        self._instruments: dict[tuple[bytes, ...], tuple[InstrumentKey, str, int]] = {}

    def add_run(self, run: RowBlock) -> None:
        """Take the rows of a recording."""
        add = self.maker.add
        for time, (exchange_time, *named, ltp, volume) in zip(run.times, run.heads, strict=True):
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

    def add_packet(
        self, received_ns: int, packet: bytes, symbols: Mapping[InstrumentKey, str]
    ) -> None:
        """Take a packet of mode 1-3."""
        layout = LAYOUTS[Mode.LTP if packet[0] == Mode.LTP else Mode.QUOTE]
        _, exchange_type, token, _, exchange_ms, price, *rest = layout.unpack_from(packet)
        key = exchange_type, token_text(token)
        volume = rest[2] if rest else None
        received_ms = received_ns // 1_000_000
        self.maker.add(key, symbols.get(key, ""), exchange_ms, received_ms, price, volume)

    def write(self, candles: Sequence[Candle]) -> None:
        """Bars to the output, into the file of their time where it rotates."""
        for start_ms, bars in groupby(candles, attrgetter("start_ms")):
            rows = list(bars)
            self.output.take(self._text.text(rows), len(rows), start_ms * 1_000_000)

    def finish(self) -> None:
        """The bars that are still open, and the end of the output."""
        self.write(self.maker.take_all())
        self.output.close()


class CandleSink:
    """A `Sink` for bars; the thread begins with the first packets and ends with `close`."""

    def __init__(
        self,
        writer: CandleWriter,
        symbols: Mapping[InstrumentKey, str],
        note: Note,
        clock: Clock | None = None,
    ) -> None:
        self._writer = writer
        self._symbols = symbols
        self._note = note
        self._clock = clock or SystemClock()
        self._latest_at_s = 0.0
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="candles", daemon=True)

    @property
    def name(self) -> str:
        return self._writer.output.name

    @property
    def rows(self) -> int:
        return self._writer.output.rows

    @property
    def bytes_written(self) -> int:
        return self._writer.output.bytes_written

    def write(self, received_ns: int, packets: Sequence[bytes]) -> None:
        with self._lock:
            before_ms = self._writer.maker.latest_ms
            for packet in packets:
                self._writer.add_packet(received_ns, packet, self._symbols)
            if self._writer.maker.latest_ms > before_ms:
                self._latest_at_s = self._clock.now_s()
        if self._thread.ident is None:
            self._thread.start()

    def flush(self) -> None:
        with self._lock:
            self._write_due()

    def close(self) -> None:
        self._end.set()
        if self._thread.ident is not None:
            self._thread.join()
        if self._writer.maker.late:
            late = self._writer.maker.late
            self._note(f"{self.name}: {late:,} late tick{'' if late == 1 else 's'} in no bar")
        self._writer.finish()

    def exchange_ms(self) -> int:
        """The exchange's time now, as far as its last tick and this machine's clock tell."""
        passed_s = self._clock.now_s() - self._latest_at_s
        return self._writer.maker.latest_ms + int(passed_s * 1000)

    def _write_due(self) -> None:
        self._writer.write(self._writer.maker.take_due(self.exchange_ms()))
        self._writer.output.flush()

    def _run(self) -> None:
        """Write at the end of each bar. An output that failed tells it again at the next flush."""
        while True:
            with self._lock:
                now_ms = self.exchange_ms()
            wait_ms = self._writer.maker.next_leave_ms(now_ms) - now_ms
            if self._end.wait(wait_ms / 1000):
                return
            with suppress(OutputError):
                self.flush()


def open_candle_sink(
    path: str,
    rows_format: str,
    *,
    width_s: int,
    symbols: Mapping[InstrumentKey, str],
    note: Note,
    rotated: Rotated | None = None,
    overwrite: bool = False,
    fsync: bool = False,
) -> CandleSink:
    """A sink for bars of `width_s` seconds as `csv` or `jsonl`; the rest as `open_sink`."""
    kind = candle_text(rows_format).kind
    output = open_output(path, kind, note=note, rotated=rotated, overwrite=overwrite, fsync=fsync)
    return CandleSink(CandleWriter(width_s, rows_format, output), symbols, note)
