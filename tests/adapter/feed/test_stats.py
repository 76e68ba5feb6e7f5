from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.feed.stats import LatencyHistogram, RateMeter


def test_there_is_no_rate_before_the_first_second() -> None:
    meter = RateMeter(100.0)
    meter.sample(100.5, 10)
    assert (meter.now, meter.peak, meter.history) == (0.0, 0.0, ())
    assert meter.mean(100.5) == 20.0


def test_each_second_gives_one_rate() -> None:
    meter = RateMeter(100.0)
    for second, total in enumerate([5, 25, 25, 28], start=1):
        meter.sample(100.0 + second, total)
    assert meter.history == (5, 20, 0, 3)
    assert (meter.now, meter.peak) == (3, 20)
    assert meter.mean(104.0) == 7.0


def test_looking_more_often_than_once_a_second_changes_no_rate() -> None:
    meter = RateMeter(0.0)
    for quarter in range(1, 13):
        meter.sample(quarter / 4, quarter * 10)
    assert meter.history == (40, 40, 40)


def test_a_long_gap_between_samples_is_spread_over_its_seconds() -> None:
    meter = RateMeter(0.0)
    meter.sample(5.0, 50)
    assert meter.history == (10,) * 5
    meter.sample(3605.0, 50)
    assert meter.history == (0,) * 60
    assert (meter.now, meter.peak) == (0, 10)


def test_a_mean_over_no_time_is_nothing() -> None:
    assert RateMeter(7.0).mean(7.0) == 0.0


def test_a_histogram_without_ticks_has_no_quantile() -> None:
    assert LatencyHistogram().quantile(0.5) is None


def test_a_clock_set_back_counts_as_no_latency() -> None:
    histogram = LatencyHistogram()
    histogram.add(-5_000_000)
    assert histogram.count == 1
    assert histogram.quantile(0.99) == pytest.approx(0.25)


@given(st.floats(min_value=1, max_value=1e9))
def test_a_quantile_names_a_latency_within_a_quarter(microseconds: float) -> None:
    histogram = LatencyHistogram()
    histogram.add(microseconds)
    found = histogram.quantile(0.5)
    assert found is not None
    assert microseconds <= found <= microseconds * 1.25 + 0.25


def test_quantiles_of_many_ticks_are_near_the_true_ones() -> None:
    draw = Random(3)
    latencies = sorted(draw.lognormvariate(6, 1.5) for _ in range(5000))
    histogram = LatencyHistogram()
    for latency in latencies:
        histogram.add(latency)
    for share in (0.5, 0.9, 0.99):
        true = latencies[round(share * len(latencies)) - 1]
        assert histogram.quantile(share) == pytest.approx(true, rel=0.3)


def test_a_batch_counts_for_each_of_its_ticks() -> None:
    histogram = LatencyHistogram()
    histogram.add(10, times=99)
    histogram.add(10_000, times=1)
    assert histogram.count == 100
    assert histogram.quantile(0.5) == pytest.approx(10, rel=0.26)
    assert histogram.quantile(1.0) == pytest.approx(10_000, rel=0.26)


def test_a_latency_beyond_all_buckets_falls_into_the_last() -> None:
    histogram = LatencyHistogram()
    histogram.add(1e30)
    found = histogram.quantile(0.5)
    assert found is not None
    assert found > 1e9
