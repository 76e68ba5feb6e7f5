"""Percentiles of delays, in memory that does not grow with them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.inspection.delays import Delays


def counted(delays_us: list[int]) -> Delays:
    delays = Delays()
    for start in range(0, len(delays_us), 3):
        delays.add(delays_us[start : start + 3])
    return delays


@given(
    st.lists(st.integers(-(10**12), 10**15), min_size=1),
    st.sampled_from([1.0, 50.0, 90.0, 99.0, 100.0]),
)
def test_a_percentile_is_that_of_all_the_delays(delays_us: list[int], percent: float) -> None:
    found = counted(delays_us).percentile_s(percent)
    exact = sorted(delays_us)[math.ceil(len(delays_us) * percent / 100) - 1] / 1_000_000
    assert found is not None
    assert abs(found - exact) <= max(0.001, abs(exact) / 999)


def test_the_longest_is_exact_and_may_be_negative() -> None:
    assert counted([5, 123_456_789, 7]).most_s == 123.456789
    assert counted([-5_000_000, -7_000_000]).most_s == -5.0


def test_without_delays_there_is_no_percentile() -> None:
    assert (counted([]).percentile_s(50), counted([]).most_s, counted([]).count) == (None, None, 0)


def test_ten_million_different_delays_take_few_counts() -> None:
    delays = counted([number * 10**7 for number in range(100_000)])
    assert delays.count == 100_000
    assert len(delays._by_ms) < 60_000
    assert delays.percentile_s(50) == pytest.approx(500_000, rel=0.001)
