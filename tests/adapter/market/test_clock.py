from __future__ import annotations

import pytest

from ticks.adapter.market.clock import MarketClock, goes_on

NS_PER_S = 1_000_000_000
START_MS = 1_800_000_000_000


def wall_ns(now_s: float, error_s: float = 0.0) -> int:
    """The wall clock of a machine that runs `error_s` ahead."""
    return round((START_MS / 1000 + now_s + error_s) * NS_PER_S)


def observe(clock: MarketClock, now_s: float, *, error_s: float = 0.0, late_s: float = 0.3) -> None:
    exchange_ms = START_MS + int(now_s - late_s) * 1000
    clock.observe(now_s, wall_ns(now_s, error_s), exchange_ms)


def test_without_packets_the_date_of_a_reply_counts() -> None:
    assert MarketClock().market_ms(5, wall_ns(5)) == START_MS + 5000
    assert MarketClock(600).market_ms(5, wall_ns(5, 600)) == START_MS + 5000


@pytest.mark.parametrize("error_s", [600.0, -600.0, 5.0])
def test_moving_packets_set_a_wrong_clock_right(error_s: float) -> None:
    clock = MarketClock()
    for second in range(100, 130):
        observe(clock, second + 0.5, error_s=error_s)
    market_ms = clock.market_ms(130, wall_ns(130, error_s))
    assert market_ms == pytest.approx(START_MS + 130_000, abs=1500)


def test_less_than_two_seconds_are_no_offset_and_more_than_an_hour_is_not_believed() -> None:
    for error_s in (1.2, -1.2, 3700.0, -86_400.0):
        clock = MarketClock()
        observe(clock, 100.5, error_s=error_s, late_s=0.0)
        assert clock.offset_ms == 0


def test_the_packet_that_was_delayed_least_counts() -> None:
    clock = MarketClock()
    for second, late_s in ((100, 30), (101, 2), (102, 45)):
        observe(clock, second, error_s=100, late_s=late_s)
    assert clock.offset_ms == pytest.approx(102_000, abs=1000)


def test_what_is_older_than_ten_minutes_is_forgotten_but_the_last_word_stands() -> None:
    clock = MarketClock()
    observe(clock, 60, error_s=10, late_s=0)
    observe(clock, 900, error_s=14, late_s=0)
    assert clock.offset_ms == pytest.approx(14_000, abs=1000)
    assert clock.market_ms(9000, wall_ns(9000, 14)) == pytest.approx(START_MS + 9_000_000, abs=1500)


def test_a_clock_that_is_set_makes_what_was_measured_worthless() -> None:
    clock = MarketClock(600)
    observe(clock, 100, error_s=600)
    assert clock.market_ms(101, wall_ns(101, 0)) == START_MS + 101_000
    assert not clock.is_set(101)


def test_a_clock_counts_as_set_for_a_minute() -> None:
    clock = MarketClock()
    observe(clock, 100)
    assert clock.is_set(160)
    assert not clock.is_set(161)


def test_what_goes_on_from_a_time_follows_it_by_no_more_than_passed_and_a_minute() -> None:
    assert goes_on(1_000_000, 1_001_000, passed_s=1)
    assert goes_on(1_000_000, 1_060_000, passed_s=0)
    assert not goes_on(1_000_000, 1_000_000, passed_s=1)
    assert not goes_on(1_000_000, 999_000, passed_s=1)
    assert not goes_on(1_000_000, 1_062_000, passed_s=1)
    assert goes_on(1_000_000, 1_300_000, passed_s=250)


def test_the_least_delayed_packet_of_each_minute_is_kept_for_ten_minutes() -> None:
    clock = MarketClock()
    observe(clock, 61.0, error_s=100, late_s=1)  # in minute 1
    observe(clock, 119.0, error_s=100, late_s=50)
    observe(clock, 661.0, error_s=100, late_s=30)  # in minute 11
    assert clock.offset_ms == pytest.approx(101_000, abs=1000)
    observe(clock, 721.0, error_s=100, late_s=30)  # in minute 12
    assert clock.offset_ms == pytest.approx(130_000, abs=1000)


def test_before_any_packet_a_clock_is_not_set_and_nothing_is_its_offset() -> None:
    clock = MarketClock()
    assert not clock.is_set(0.0)
    assert clock.offset_ms == 0


@pytest.mark.parametrize(("error_s", "offset_ms"), [(2, 2000), (3600, 3_600_000), (3601, 0)])
def test_offsets_from_two_seconds_to_an_hour_are_believed(error_s: int, offset_ms: int) -> None:
    assert MarketClock(error_s).offset_ms == offset_ms
