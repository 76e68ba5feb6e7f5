"""Bars of a running stream are written at their end, by whichever clock shows it first."""

from __future__ import annotations

import gzip
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.clock import IST
from ticks.adapter.errors import OutputError, RecordingError
from ticks.adapter.event_log import EventLog
from ticks.adapter.events import Lost, Recovered
from ticks.adapter.files.outputs import Note, open_output
from ticks.adapter.market.calendar import MarketCalendar
from ticks.adapter.rows import block as blocks
from ticks.adapter.rows.candle_text import CsvCandles, candle_format
from ticks.adapter.rows.candles import GRACE_MS, LeftOut
from ticks.adapter.rows.format import Csv, Jsonl
from ticks.adapter.sinks.blindness import Blindness, LiveBlindness
from ticks.adapter.sinks.candles import (
    BarPlan,
    CandleSink,
    LiveCandleSink,
    open_candle_sink,
    open_recorded_candle_sink,
)
from ticks.adapter.sinks.written_bars import WrittenBars
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

SECOND_NS = 10**9
CALENDAR = MarketCalendar()
HEADER = CsvCandles().header.decode().strip()


def plan(width_s: int = 60, hold_s: float = 42.0) -> BarPlan:
    return BarPlan(width_s, CALENDAR, lambda: Blindness([], CALENDAR), hold_s=hold_s)


class MarketTime(VirtualTime):
    """A clock whose wall time is that of the packets: 0 s is the opening."""

    def wall_ns(self) -> int:
        return START_NS + round((self.s - 1000) * 10**9)


def sink_of(
    output: Any, clock: VirtualTime, note: Note = pytest.fail, bars: BarPlan | None = None
) -> LiveCandleSink:
    bars = bars or plan()
    written = WrittenBars(bars.width_s, CsvCandles(), None)
    return LiveCandleSink(
        bars, CsvCandles(), output, SYMBOLS, written=written, note=note, clock=clock
    )


def at(second: float) -> int:
    return START_NS + round(second * SECOND_NS)


def test_a_bar_is_written_with_the_first_tick_past_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    sink = open_candle_sink(
        str(path), Csv(Mode.QUOTE), plan(), symbols=SYMBOLS, note=pytest.fail, fsync=True
    )
    sink.write(at(59), [packet(0, mode=Mode.QUOTE), packet(59, mode=Mode.QUOTE)])
    sink.flush()
    assert (sink.name, sink.rows) == (str(path), 0)
    sink.write(at(62), [packet(62)])
    sink.flush()
    assert sink.rows == 1
    sink.close()
    sink.close()
    rows = path.read_text(encoding="utf-8").splitlines()
    assert rows == [
        HEADER,
        "2026-11-20T09:15:00+05:30,NSE,ONE-EQ,1,100.00,100.59,100.00,100.59,59,2,",
        "2026-11-20T09:16:00+05:30,NSE,ONE-EQ,1,100.62,100.62,100.62,100.62,,1,",
    ]
    assert sink.bytes_written == path.stat().st_size


def test_the_time_of_the_exchange_goes_on_while_nothing_comes() -> None:
    output, clock = MemoryOutput(), VirtualTime()
    sink = sink_of(output, clock, bars=plan(hold_s=10))
    sink.write(at(30), [packet(30)])
    began_ms = sink.exchange_ms()
    clock.s += 30 + GRACE_MS / 1000
    assert sink.exchange_ms() == began_ms + 30_000 + GRACE_MS
    sink.flush()
    assert output.rows == 1
    sink.close()


def test_a_bar_waits_while_nobody_can_say_whether_the_feed_is_lost() -> None:
    output, clock = MemoryOutput(), VirtualTime()
    sink = sink_of(output, clock)
    sink.write(at(50), [packet(50)])
    clock.s += 41
    sink.flush()
    assert output.rows == 0
    clock.s += 1
    sink.flush()
    assert output.rows == 1
    sink.close()


def test_any_instrument_lets_the_clock_end_the_bars_of_all() -> None:
    output, clock = MemoryOutput(), VirtualTime()
    sink = sink_of(output, clock)
    sink.write(at(50), [packet(50)])
    clock.s += 11
    sink.write(at(61), [packet(61, "2")])
    sink.flush()
    assert output.rows == 0
    clock.s += 1
    sink.flush()
    assert output.rows == 1
    sink.close()
    assert output.rows == 2


class HastyTime(VirtualTime):
    """A clock that is 0.3 s later at each look."""

    def now_s(self) -> float:
        self.s += 0.3
        return self.s


def test_the_thread_writes_a_bar_when_no_tick_comes() -> None:
    output = MemoryOutput()
    sink = sink_of(output, HastyTime(), bars=plan(1, hold_s=1))
    sink.write(at(0), [packet(0)])
    assert output.flushed.wait(20)
    assert output.rows == 1
    sink.close()
    assert output.is_closed


def test_a_look_that_comes_too_late_ends_no_bar() -> None:
    output, clock = MemoryOutput(), VirtualTime()
    sink = sink_of(output, clock, bars=plan(hold_s=5))
    sink.write(at(50), [packet(50)])
    sink._wait_s()
    clock.s += 300  # the process was stopped: packets of 09:15:51 may be waiting
    sink._flush_due()
    assert output.rows == 0
    assert sink._wait_s() <= 1
    clock.s += 1
    sink._flush_due()
    assert output.rows == 1
    sink.close()


def test_what_is_in_no_bar_is_reported_at_the_end() -> None:
    notes: list[str] = []
    sink = sink_of(MemoryOutput(), VirtualTime(), notes.append)
    sink.write(at(62), [packet(0), packet(62)])
    sink.flush()
    sink.write(at(62), [packet(1), packet(-5), packet(3600)])
    sink.close()
    sink.close()
    [note] = notes
    assert note == (
        "memory: not in a bar: 1 tick from before the opening, 1 tick dated ahead of the market,"
        " 1 tick late"
    )
    assert (sink.late, sink.pre_open) == (1, 1)


def test_an_output_that_failed_raises_at_the_next_flush() -> None:
    output, clock = MemoryOutput(), VirtualTime()
    sink = sink_of(output, clock)
    sink.write(at(0), [packet(0)])
    output.fails = OutputError("full")
    with pytest.raises(OutputError, match="full"):
        sink.flush()
    output.fails = None
    sink.close()


def test_the_instruments_of_recordings_have_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "MOST_INSTRUMENTS", 1)
    output: Any = MemoryOutput()
    written = WrittenBars(60, CsvCandles(), None)
    sink = CandleSink(plan(), CsvCandles(), output, written=written, note=lambda text: None)
    [first] = blocks_of(tmp_path / "a", csv_text([0], "1"))
    [second] = blocks_of(tmp_path / "a", csv_text([1], "2"))
    sink.write_block(first)
    with pytest.raises(RecordingError) as caught:
        sink.write_block(second)
    assert caught.value.kind == "too-many-instruments"
    sink.close()
    assert output.rows == 1  # of what was read before


@pytest.mark.parametrize("make", [csv_text, json_text])
def test_bars_leave_as_the_recording_passes_their_end(tmp_path: Path, make: Any) -> None:
    output: Any = MemoryOutput()
    notes: list[str] = []
    written = WrittenBars(60, CsvCandles(), None)
    sink = CandleSink(plan(), CsvCandles(), output, written=written, note=notes.append)
    [first] = blocks_of(tmp_path / "a", make([0, 30], mode=Mode.QUOTE))
    [second] = blocks_of(tmp_path / "a", make([62, 59, 70], "1"))
    sink.write_block(first)
    sink.flush()
    assert output.rows == 0
    sink.write_block(second.part(0, 1))
    sink.flush()
    assert output.rows == 1
    sink.write_block(second.part(1, 3))
    sink.close()
    assert output.text.decode().splitlines() == [
        "2026-11-20T09:15:00+05:30,NSE,ONE-EQ,1,100.00,100.30,100.00,100.30,30,2,",
        "2026-11-20T09:16:00+05:30,NSE,ONE-EQ,1,100.62,100.70,100.62,100.70,,2,",
    ]
    assert sink.late == 1
    assert notes == [f"memory: not in a bar: 1 tick {LeftOut.LATE}"]


def test_a_day_of_a_recording_is_in_its_file_before_the_next_begins(tmp_path: Path) -> None:
    day_s = 3 * 86_400  # the 20th is a Friday
    seconds = [0, 10, day_s + 5, day_s + 10]
    sink = open_recorded_candle_sink(
        str(tmp_path / "%Y-%m-%d.csv"), Csv(Mode.LTP), plan(), note=lambda text: None
    )
    for token in ("1", "2"):
        [block] = blocks_of(tmp_path / "a", csv_text(seconds[:2], token))
        sink.write_block(block)
    [block] = blocks_of(tmp_path / "a", csv_text(seconds[2:], "1"))
    sink.write_block(block)
    assert len((tmp_path / "2026-11-20.csv").read_text().splitlines()) in (1, 3)
    sink.close()
    days = {path.name: len(path.read_text().splitlines()) for path in tmp_path.glob("2026*")}
    assert days == {"2026-11-20.csv": 3, "2026-11-23.csv": 2}


# --- blind ---------------------------------------------------------------------------------------


def test_a_bar_says_how_long_the_feed_was_blind() -> None:
    output, clock = MemoryOutput(), MarketTime()
    log = EventLog(clock)
    bars = plan()._replace(blindness=lambda: LiveBlindness(log.reader(), CALENDAR))
    sink = sink_of(output, clock, bars=bars)
    sink.write(at(1), [packet(1)])
    clock.s += 10
    log.add(Lost("network"), connection=1)
    clock.s += 15
    log.add(Recovered("network", blind_s=15.0), connection=1)
    sink.write(at(26), [packet(26)])
    clock.s += 40
    sink.write(at(65), [packet(65)])
    sink.flush()
    log.add(Lost("network"), connection=1)
    clock.s += 4
    sink.close()
    cells = [line.rsplit(",", 1)[1] for line in output.text.decode().splitlines()]
    assert cells == ["15", "4"]


# --- runs that follow each other -----------------------------------------------------------------


def run(path: Path, now_s: float, ticks: list[tuple[float, str]], **how: Any) -> list[str]:
    """One run of a stream from `now_s` on, ended after these ticks; what it noted."""
    clock, notes = MarketTime(), []  # type: MarketTime, list[str]
    clock.s += now_s
    jsonl = how.pop("jsonl", False)
    row_format = Jsonl() if jsonl else Csv(Mode.LTP)
    candles = candle_format(row_format)
    written = WrittenBars(60, candles, clock.wall_ns() // 10**6)
    output = open_output(str(path), candles, note=notes.append, appended=written.read)
    sink = LiveCandleSink(
        plan(), candles, output, SYMBOLS, written=written, note=notes.append, clock=clock
    )
    for second, token in ticks:
        sink.write(at(second), [packet(int(second), token)])
        if how.get("flushes", True):
            sink.flush()
    sink.close()
    return notes


def test_a_stream_that_is_started_again_within_a_bar_goes_on_with_it(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    run(path, 0, [(1, "1"), (70, "1"), (75, "2")])
    run(path, 90, [(91, "1"), (100, "1"), (130, "1")])
    rows = [row.split(",") for row in path.read_text().splitlines()[1:]]
    assert [(row[0][14:16], row[3], *row[4:8], row[9]) for row in sorted(rows)] == [
        ("15", "1", "100.01", "100.01", "100.01", "100.01", "1"),
        ("16", "1", "100.70", "101.00", "100.70", "101.00", "3"),
        ("16", "2", "100.75", "100.75", "100.75", "100.75", "1"),
        ("17", "1", "101.30", "101.30", "101.30", "101.30", "1"),
    ]


def test_a_run_without_a_tick_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    run(path, 0, [(1, "1"), (2, "2")])
    before = path.read_bytes()
    run(path, 10, [])
    assert path.read_bytes() == before


def test_in_a_compressed_file_the_bar_of_now_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv.gz"
    run(path, 0, [(1, "1")])
    before = gzip.decompress(path.read_bytes())
    notes = run(path, 10, [(11, "1")])
    assert gzip.decompress(path.read_bytes()) == before
    assert notes == [f"{path}: 1 bar was there already, and not written again"]


RUNS = st.lists(
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from("12")), max_size=6),
    min_size=1,
    max_size=5,
)


@given(RUNS, st.booleans())
def test_no_bar_is_there_twice_and_no_tick_is_lost_however_often_a_stream_is_started(
    tmp_path_factory: pytest.TempPathFactory, runs: list[list[tuple[int, str]]], jsonl: bool
) -> None:
    path = tmp_path_factory.mktemp("runs") / "bars"
    candles = Jsonl() if jsonl else Csv(Mode.LTP)
    now_s, ticks, highest = 0.0, 0, {}  # type: float, int, dict[tuple[str, int], int]
    for steps in runs:
        began_s, times = now_s, []
        for step_s, token in steps:
            now_s += step_s
            times.append((now_s, token))
            ticks += 1
            highest[token, int(now_s) // 60] = 10_000 + int(now_s)
        run(path, began_s, times, jsonl=isinstance(candles, Jsonl))
    row_format = candle_format(candles)
    lines = path.read_bytes().splitlines(keepends=True)
    bars = [row_format.candle(line) for line in lines if not line.startswith(b"bar_time")]
    places = [(bar.token, (bar.start_ms - START_NS // 10**6) // 60_000) for bar in bars]
    assert len(set(places)) == len(places)
    assert sum(bar.ticks for bar in bars) == ticks
    assert {place: bar.high for place, bar in zip(places, bars, strict=True)} == highest


def test_the_file_of_today_goes_on_where_files_rotate(tmp_path: Path) -> None:
    pattern = str(tmp_path / "%Y-%m-%d.csv")
    now = datetime.now(IST)
    exchange_ms = int(now.timestamp()) * 1000
    calendar = MarketCalendar(is_always_open=True)
    bars = BarPlan(86_400, calendar, lambda: Blindness([], calendar))
    for number in range(2):
        sink = open_candle_sink(pattern, Csv(Mode.LTP), bars, symbols=SYMBOLS, note=pytest.fail)
        received_ns = (exchange_ms + 5) * 10**6
        moved = packet((exchange_ms * 10**6 - START_NS) // SECOND_NS + number)
        sink.write(received_ns, [moved])
        sink.close()
    [path] = tmp_path.iterdir()
    [row] = path.read_text().splitlines()[1:]
    assert row.split(",")[9] == "2"
