"""Bars of a running stream are written at their end, by whichever clock shows it first."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticks.adapter.errors import OutputError
from ticks.adapter.files.outputs import Note
from ticks.adapter.rows.candles import GRACE_MS, CsvCandles
from ticks.adapter.rows.format import Csv
from ticks.adapter.sinks.candles import CandleSink, LiveCandleSink, open_candle_sink
from ticks.adapter.tick import Mode

from ..rows.recordings import (
    START_NS,
    SYMBOLS,
    MemoryOutput,
    VirtualTime,
    blocks_of,
    csv_text,
    json_text,
    packet,
)

MINUTE_NS = 60 * 10**9


def sink_of(output: MemoryOutput, clock: VirtualTime, note: Note = pytest.fail) -> LiveCandleSink:
    return LiveCandleSink(60, CsvCandles(), output, SYMBOLS, note, clock)


def test_a_bar_is_written_with_the_first_tick_past_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    sink = open_candle_sink(
        str(path), Csv(Mode.QUOTE), width_s=60, symbols=SYMBOLS, note=pytest.fail, fsync=True
    )
    sink.write(START_NS, [packet(0, mode=Mode.QUOTE), packet(59, mode=Mode.QUOTE)])
    sink.flush()
    assert (sink.name, sink.rows) == (str(path), 0)
    sink.write(START_NS, [packet(62)])
    sink.flush()
    assert sink.rows == 1
    sink.close()
    sink.close()
    rows = path.read_text(encoding="utf-8").splitlines()
    assert rows == [
        CsvCandles().header.decode().strip(),
        "2026-11-20T09:15:00+05:30,NSE,ONE-EQ,1,100.00,100.59,100.00,100.59,59,2",
        "2026-11-20T09:16:00+05:30,NSE,ONE-EQ,1,100.62,100.62,100.62,100.62,,1",
    ]
    assert sink.bytes_written == path.stat().st_size


def test_the_time_of_the_exchange_goes_on_while_nothing_comes() -> None:
    output, clock = MemoryOutput(), VirtualTime()
    sink = sink_of(output, clock)
    sink.write(START_NS, [packet(30)])
    began_ms = sink.exchange_ms()
    clock.s += 30 + GRACE_MS / 1000
    assert sink.exchange_ms() == began_ms + 30_000 + GRACE_MS
    sink.flush()
    assert output.rows == 1
    sink.close()


class HastyTime(VirtualTime):
    """A clock that is 2.95 s later at each look."""

    def now_s(self) -> float:
        self.s += 2.95
        return self.s


def test_the_thread_writes_a_bar_when_no_tick_comes() -> None:
    output = MemoryOutput()
    sink = LiveCandleSink(1, CsvCandles(), output, SYMBOLS, pytest.fail, HastyTime())
    sink.write(START_NS, [packet(0)])
    assert output.flushed.wait(20)
    assert output.rows == 1
    sink.close()
    assert output.is_closed


def test_late_ticks_are_reported_at_the_end() -> None:
    notes: list[str] = []
    sink = sink_of(MemoryOutput(), VirtualTime(), notes.append)
    sink.write(START_NS, [packet(0), packet(62)])
    sink.flush()
    sink.write(START_NS, [packet(1)])
    sink.close()
    assert notes == ["memory: 1 late tick in no bar"]


def test_an_output_that_failed_raises_at_the_next_flush() -> None:
    output, clock = MemoryOutput(), VirtualTime()
    sink = sink_of(output, clock)
    sink.write(START_NS, [packet(0)])
    output.fails = OutputError("full")
    with pytest.raises(OutputError, match="full"):
        sink.flush()
    output.fails = None
    sink.close()


@pytest.mark.parametrize("make", [csv_text, json_text])
def test_bars_leave_as_the_recording_passes_their_end(tmp_path: Path, make: object) -> None:
    output = MemoryOutput()
    sink = CandleSink(60, CsvCandles(), output)
    [first] = blocks_of(tmp_path / "a", make([0, 30], mode=Mode.QUOTE))  # type: ignore[operator]
    [second] = blocks_of(tmp_path / "a", make([62, 59, 70], "1"))  # type: ignore[operator]
    sink.write_block(first)
    sink.flush()
    assert output.rows == 0
    sink.write_block(second.part(0, 1))
    sink.flush()
    sink.write_block(second.part(1, 3))
    sink.close()
    assert output.text.decode().splitlines() == [
        "2026-11-20T09:15:00+05:30,NSE,ONE-EQ,1,100.00,100.30,100.00,100.30,30,2",
        "2026-11-20T09:16:00+05:30,NSE,ONE-EQ,1,100.62,100.70,100.62,100.70,,2",
    ]
    assert sink.late == 1
