from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.feed.stats import Doublings, LatencyHistogram, RateMeter, RecentGrowth


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


def test_quantiles_are_those_of_the_last_minute_once_it_is_sampled() -> None:
    histogram = LatencyHistogram()
    histogram.sample(0.0)
    histogram.add(10_000_000, 1000)
    for second in range(5, 61, 5):
        histogram.sample(float(second))
        histogram.add(100)
    assert (histogram.quantile(0.99) or 0) > 9_000_000
    for second in range(65, 125, 5):
        histogram.sample(float(second))
        histogram.add(100)
    assert (histogram.quantile(0.99) or 0) < 200
    for second in range(125, 190, 5):
        histogram.sample(float(second))
    assert histogram.quantile(0.5) is None


def test_growth_is_that_of_the_last_minute() -> None:
    growth = RecentGrowth()
    assert growth.sample(1000.0, 7) == 7
    assert growth.sample(1030.0, 10) == 10
    assert growth.sample(1059.0, 10) == 10
    assert growth.sample(1066.0, 10) == 3
    assert growth.sample(1100.0, 10) == 0
    assert growth.sample(5000.0, 12) == 2


def reported(*seconds_and_totals: tuple[float, int]) -> list[int]:
    doublings = Doublings()
    return [total for now_s, total in seconds_and_totals if doublings.is_due(now_s, total)]


def test_a_growing_count_is_reported_at_first_and_at_each_doubling() -> None:
    assert reported(*((100.0 + n, n) for n in range(40))) == [1, 2, 4, 8, 16, 32]
    assert reported((100.0, 1000), (101.0, 1999), (102.0, 2001), (103.0, 2002)) == [1000, 2001]


def test_after_a_quiet_minute_the_last_count_is_reported_and_the_next_trouble_at_once() -> None:
    calm = [(110.0 + n, 1500) for n in range(80)]
    assert reported((100.0, 1000), (101.0, 1500), *calm, (200.0, 1501), (201.0, 1502)) == [
        1000,
        1500,
        1501,
        1502,
    ]


def test_at_the_end_what_is_unreported_is_reported() -> None:
    doublings = Doublings()
    assert doublings.is_due(1.0, 4)
    assert not doublings.is_due(2.0, 5)
    assert doublings.is_due(3.0, 5, is_last=True)
    assert not doublings.is_due(4.0, 5, is_last=True)
