from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.feed.backoff import BASE_S, JITTER, delay_s

draws = st.floats(min_value=0, max_value=1)


def test_the_delays_double_up_to_the_cap() -> None:
    delays = [delay_s(attempt, 0.0, cap_s=60) for attempt in range(1, 10)]
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_the_draw_adds_up_to_a_tenth_at_the_cap_too() -> None:
    assert delay_s(1, 1.0, cap_s=60) == pytest.approx(1.1)
    assert delay_s(1000, 0.5, cap_s=60) == pytest.approx(63)
    assert delay_s(1000, 1.0, cap_s=60) == pytest.approx(66)


def test_a_least_delay_is_spread_too_and_outdoes_the_cap() -> None:
    assert delay_s(1, 0.0, cap_s=5, least_s=60) == 60
    assert delay_s(1, 1.0, cap_s=5, least_s=60) == pytest.approx(66)
    assert delay_s(9, 0.0, cap_s=600, least_s=60) == 256


@given(st.integers(min_value=1, max_value=10**9), draws, st.floats(min_value=0.001, max_value=1e6))
def test_a_delay_is_within_its_bounds_at_any_attempt(
    attempt: int, draw: float, cap_s: float
) -> None:
    delay = delay_s(attempt, draw, cap_s=cap_s)
    assert min(BASE_S, cap_s) <= delay <= cap_s * (1 + JITTER) * (1 + 1e-12)


@pytest.mark.parametrize("attempt", [0, -1])
def test_there_is_no_attempt_below_the_first(attempt: int) -> None:
    with pytest.raises(ValueError, match="below 1"):
        delay_s(attempt, 0.0, cap_s=60)
