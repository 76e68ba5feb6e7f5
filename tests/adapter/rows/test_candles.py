"""Ticks become bars by their times, whatever order they come in."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.clock import IST
from ticks.adapter.errors import RecordingError
from ticks.adapter.rows.candles import (
    COLUMNS,
    GRACE_MS,
    Candle,
    CandleMaker,
    CsvCandles,
    JsonCandles,
    check_width,
)

OPEN_MS = int(datetime(2026, 11, 20, 9, 15, tzinfo=IST).timestamp()) * 1000
SBIN = (1, "3045")
Trade = tuple[int, int, int]
"""Milliseconds after the market opened, price, the day's volume."""


def made(trades: list[Trade], width_s: int = 60) -> CandleMaker:
    maker = CandleMaker(width_s)
    for after_ms, price, volume in trades:
        time_ms = OPEN_MS + after_ms
        maker.add(SBIN, "SBIN-EQ", time_ms, time_ms, price, volume)
    return maker


def bars(trades: list[Trade], width_s: int = 60) -> list[tuple[int, ...]]:
    """(minutes after the opening, open, high, low, close, volume, ticks)."""
    candles = made(trades, width_s).take_all()
    return [((c.start_ms - OPEN_MS) // 60_000, *c[4:8], c.volume or 0, c.ticks) for c in candles]


def test_a_bar_has_the_first_highest_lowest_and_last_price_and_what_was_traded() -> None:
    trades = [(0, 100, 50), (1000, 103, 60), (59_000, 99, 75), (60_000, 98, 80), (179_999, 97, 90)]
    assert bars(trades) == [
        (0, 100, 103, 99, 99, 25, 3),
        (1, 98, 98, 98, 98, 5, 1),
        (2, 97, 97, 97, 97, 10, 1),
    ]


def test_of_equal_times_the_first_opens_and_the_last_closes() -> None:
    assert bars([(5, 1, 0), (5, 2, 0), (5, 3, 0)]) == [(0, 1, 3, 1, 3, 0, 3)]


@pytest.mark.parametrize(
    ("width_s", "start"), [(60, "09:15"), (900, "09:15"), (3600, "09:00"), (86_400, "00:00")]
)
def test_bars_begin_where_the_indian_clock_does(width_s: int, start: str) -> None:
    [candle] = made([(90, 1, 0)], width_s).take_all()
    [row] = CsvCandles().text([candle]).decode().splitlines()
    assert row.startswith(f"2026-11-20T{start}:00+05:30,")


def test_a_tick_without_a_time_of_the_exchange_counts_when_it_was_received() -> None:
    maker = CandleMaker(60)
    maker.add(SBIN, "", 0, OPEN_MS + 61_000, 1, None)
    assert [c.start_ms for c in maker.take_all()] == [OPEN_MS + 60_000]


def test_a_time_far_ahead_does_not_end_the_bars_of_others() -> None:
    maker = made([(0, 100, 1)])
    maker.add(SBIN, "", OPEN_MS + 10**12, OPEN_MS + 1000, 101, 2)
    assert maker.latest_ms == OPEN_MS + 1000
    assert maker.take_due() == []


def test_a_bar_leaves_when_the_exchange_is_past_its_end_by_the_grace() -> None:
    maker = made([(0, 100, 1), (60_000 + GRACE_MS - 1, 101, 2)])
    assert maker.take_due() == []
    assert [c.ticks for c in maker.take_due(OPEN_MS + 60_000 + GRACE_MS)] == [1]
    assert maker.take_due(OPEN_MS + 60_000 + GRACE_MS) == []


def test_another_instrument_lets_a_bar_leave() -> None:
    maker = made([(0, 100, 1)])
    late_ms = OPEN_MS + 60_000 + GRACE_MS
    maker.add((1, "2885"), "RELIANCE-EQ", late_ms, late_ms, 5, 5)
    assert [c.token for c in maker.take_due()] == ["3045"]


def test_a_late_tick_is_counted_and_changes_nothing() -> None:
    maker = made([(0, 100, 1), (70_000, 101, 2)])
    [left] = maker.take_due()
    maker.add(SBIN, "", OPEN_MS + 59_000, OPEN_MS + 70_000, 1, 2)
    assert maker.late == 1
    assert left.low == 100
    assert [c.ticks for c in maker.take_all()] == [1]


def test_volume_that_falls_within_a_day_adds_nothing_and_is_not_counted_again() -> None:
    assert bars([(0, 1, 100), (1000, 1, 90), (60_000, 1, 120)]) == [
        (0, 1, 1, 1, 1, 0, 2),
        (1, 1, 1, 1, 1, 20, 1),
    ]


def test_a_new_day_counts_its_own_volume() -> None:
    day_ms = 86_400_000
    trades = [(0, 1, 1000), (1000, 1, 1100), (day_ms, 1, 30), (day_ms + 1000, 1, 45)]
    assert [bar[5] for bar in bars(trades)] == [100, 15]


def test_without_volume_the_cell_is_empty() -> None:
    maker = CandleMaker(60)
    maker.add(SBIN, "SBIN-EQ", OPEN_MS, OPEN_MS, 81245, None)
    candles = maker.take_all()
    row = "2026-11-20T09:15:00+05:30,NSE,SBIN-EQ,3045,812.45,812.45,812.45,812.45,,1\n"
    assert CsvCandles().text(candles).decode() == row
    assert json.loads(JsonCandles().text(candles))["volume"] is None


def test_json_has_the_names_and_digits_of_csv() -> None:
    candle = Candle(OPEN_MS, 13, "1", 'a "b", c', 7, -7, 0, 10**7, 3, 4)
    header = CsvCandles().header.decode().strip()
    assert header == ",".join(COLUMNS)
    line = JsonCandles().text([candle]).decode()
    read = json.loads(line, parse_float=str, parse_int=str)
    assert list(read) == list(COLUMNS)
    assert read["open"] == "0.0000007"
    assert read["close"] == "1.0000000"
    assert read["symbol"] == 'a "b", c'
    assert '"a ""b"", c"' in CsvCandles().text([candle]).decode()
    JsonCandles().check_line(line.encode())


@pytest.mark.parametrize("line", [b"", b"[1]", b'{"received_at":1}', b"{"])
def test_a_line_that_is_no_candle_is_refused(line: bytes) -> None:
    with pytest.raises(RecordingError):
        JsonCandles().check_line(line)


@pytest.mark.parametrize("width_s", [0.5, 1.5, 7, 55, 86_401, 172_800, 0])
def test_a_width_that_does_not_divide_the_day_is_refused(width_s: float) -> None:
    with pytest.raises(ValueError, match="divide a day"):
        check_width(width_s)


TRADES = st.lists(
    st.tuples(st.integers(0, 600_000), st.integers(-(10**9), 10**9), st.integers(0, 10**9)),
    min_size=1,
    max_size=40,
)


@given(TRADES, st.sampled_from([1, 60, 300]))
def test_the_bars_of_any_ticks_add_up(trades: list[Trade], width_s: int) -> None:
    trades = sorted(trades)
    expected = defaultdict(list)
    for after_ms, price, _ in trades:
        expected[after_ms // (width_s * 1000)].append(price)
    candles = made(trades, width_s).take_all()
    shown = [((c.start_ms - OPEN_MS) // (width_s * 1000), c.high, c.low, c.ticks) for c in candles]
    assert shown == [(n, max(p), min(p), len(p)) for n, p in sorted(expected.items())]
    volumes = [volume for _, _, volume in trades]
    assert sum(c.volume or 0 for c in candles) == max(volumes) - volumes[0]


@given(TRADES.filter(lambda trades: len({t for t, _, _ in trades}) == len(trades)), st.randoms())
def test_prices_do_not_depend_on_the_order_of_coming(trades: list[Trade], random: object) -> None:
    in_order = sorted(trades)
    shuffled = list(in_order)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    prices = [[c[:8] for c in made(each).take_all()] for each in (in_order, shuffled)]
    assert prices[0] == prices[1]


@given(TRADES, st.integers(1, 5))
def test_bars_that_leave_as_time_goes_on_are_those_of_the_whole(
    trades: list[Trade], every: int
) -> None:
    maker, left = CandleMaker(60), []
    for number, (after_ms, price, volume) in enumerate(sorted(trades)):
        maker.add(SBIN, "SBIN-EQ", OPEN_MS + after_ms, OPEN_MS + after_ms, price, volume)
        if number % every == 0:
            left += maker.take_due()
    assert left + maker.take_all() == made(sorted(trades)).take_all()
    assert maker.late == 0


@given(st.integers(0, 10**13), st.sampled_from([1, 60, 3600, 86_400]))
def test_the_next_bars_leave_after_now_and_within_one_width(now_ms: int, width_s: int) -> None:
    maker = CandleMaker(width_s)
    next_ms = maker.next_leave_ms(now_ms)
    assert now_ms < next_ms <= now_ms + width_s * 1000
    maker.add(SBIN, "", now_ms + 1, now_ms + 1, 1, None)
    end_ms = maker.take_all()[0].start_ms + width_s * 1000 + GRACE_MS
    assert (next_ms - end_ms) % (width_s * 1000) == 0
