"""What a file of bars holds already is known, and is not written again."""

from __future__ import annotations

import gzip
import os
import tracemalloc
from datetime import datetime
from pathlib import Path

import pytest

from ticks.adapter.clock import IST
from ticks.adapter.rows.candle_text import CandleFormat, CsvCandles, JsonCandles
from ticks.adapter.rows.candles import Candle
from ticks.adapter.sinks.written_bars import WrittenBars

FORMATS = pytest.mark.parametrize("candles", [CsvCandles(), JsonCandles()])


def ms(text: str) -> int:
    return (
        round(datetime.fromisoformat(f"2026-11-20T{text}").replace(tzinfo=IST).timestamp()) * 1000
    )


def bar(start: str, token: str = "1", ticks: int = 1, blind_ms: int | None = None) -> Candle:
    return Candle(ms(start), 1, token, "A", 5, 9, 1, 7, 10, ticks, blind_ms=blind_ms)


def read(path: Path, candles: CandleFormat, bars: list[Candle], now: str | None) -> WrittenBars:
    text = candles.header + candles.text(bars)
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    written = WrittenBars(60, candles, None if now is None else ms(now))
    written.read(str(path))
    return written


@FORMATS
@pytest.mark.parametrize("name", ["bars", "bars.gz"])
def test_a_bar_of_the_file_is_not_written_again(
    tmp_path: Path, candles: CandleFormat, name: str
) -> None:
    written = read(tmp_path / name, candles, [bar("09:15"), bar("09:16", "2")], None)
    new = [bar("09:15"), bar("09:15", "2"), bar("09:16"), bar("09:16", "2")]
    assert written.new(new) == [new[1], new[2]]
    assert written.new(new) == []
    assert written.skipped == 6


@FORMATS
def test_bars_that_have_not_ended_go_on(tmp_path: Path, candles: CandleFormat) -> None:
    bars = [bar("09:15"), bar("09:16", ticks=3, blind_ms=100), bar("09:15", "2"), bar("09:16", "2")]
    written = read(tmp_path / "bars", candles, bars, "09:16:30")
    assert written.surplus == len(candles.text(bars[1:]))
    assert written.taken_back() == [bars[2]]
    now = Candle(ms("09:16"), 1, "1", "B", 2, 12, 2, 3, None, 4, blind_ms=50)
    [joined] = written.new([now])
    assert joined[:10] == (ms("09:16"), 1, "1", "B", 5, 12, 1, 3, 10, 7)
    assert joined.blind_ms == 150
    assert written.untouched([now]) == [bars[3]]
    assert written.skipped == 0


def test_a_day_goes_on_until_midnight(tmp_path: Path) -> None:
    candles = CsvCandles()
    path = tmp_path / "bars"
    path.write_bytes(candles.header + candles.text([bar("09:15")]))
    for now, goes_on in (("2026-11-20T23:59", True), ("2026-11-21T00:00", False)):
        at = round(datetime.fromisoformat(now).replace(tzinfo=IST).timestamp()) * 1000
        written = WrittenBars(86_400, candles, at)
        written.read(str(path))
        assert bool(written.surplus) is goes_on


def test_bars_of_a_file_that_is_opened_later_do_not_go_on(tmp_path: Path) -> None:
    written = read(tmp_path / "one", CsvCandles(), [bar("09:15")], "09:15:30")
    assert written.surplus
    written = read(tmp_path / "one", CsvCandles(), [bar("09:10")], "09:15:30")
    path = tmp_path / "two"
    path.write_bytes(CsvCandles().header + CsvCandles().text([bar("09:15")]))
    written.read(str(path))
    assert not written.surplus


def test_lines_that_are_not_bars_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "bars"
    text = CsvCandles().text([bar("09:15")])
    path.write_bytes(CsvCandles().header + b"rubbish\nx,QQQ,a,b,c\n\n" + text)
    written = WrittenBars(60, CsvCandles(), None)
    written.read(str(path))
    assert written.new([bar("09:15"), bar("09:16")]) == [bar("09:16")]


def test_a_line_that_never_ends_is_no_bar_and_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "bars"
    candles = CsvCandles()
    first, last = bar("09:15"), bar("09:16")
    with path.open("wb") as file:
        file.write(candles.header + candles.text([first]))
        file.seek(200 << 20, os.SEEK_CUR)  # of zeros, which take no disk
        file.write(b"\n" + candles.text([last]))
    written = WrittenBars(60, candles, None)
    tracemalloc.start()
    written.read(str(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert written.new([first, last, bar("09:17")]) == [bar("09:17")]
    assert peak < 4 << 20
