"""Rows are due at their own distances, exactly, however long it takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.clock import ist_time
from ticks.adapter.replay.pacer import Pacer

START_US = 1_795_146_300_000_000


def at(seconds: float) -> bytes:
    """`received_at` so many seconds after the first row."""
    time_ns = (START_US + round(seconds * 1_000_000)) * 1000
    return ist_time(time_ns).replace(tzinfo=None).isoformat(timespec="microseconds").encode()


@pytest.mark.parametrize(("speed", "due_s"), [(1.0, 3600.5), (10.0, 360.05), (0.5, 7201.0)])
def test_a_row_is_due_at_its_distance_divided_by_the_speed(speed: float, due_s: float) -> None:
    pace = Pacer(speed)
    assert pace.due_s(at(0)) == 0
    assert pace.due_s(at(3600.5)) == pytest.approx(due_s, abs=1e-9)


def test_nothing_drifts_over_an_hour_of_small_gaps() -> None:
    pace = Pacer(1.0)
    due = [pace.due_s(at(number * 0.000_7)) for number in range(0, 5_200_000, 1000)]
    assert due[-1] == pytest.approx(5_199_000 * 0.000_7, abs=1e-6)


@given(st.lists(st.integers(0, 59_000_000), min_size=1), st.sampled_from([0.5, 1.0, 7.0, 100.0]))
def test_whatever_the_gaps_are_the_distance_from_the_first_counts(
    gaps_us: list[int], speed: float
) -> None:
    pace, total_us = Pacer(speed, skips_idle=True), 0
    pace.due_s(at(0))
    for gap_us in gaps_us:
        total_us += gap_us
        assert pace.due_s(at(total_us / 1e6)) == total_us / 1e6 / speed


def test_silence_over_a_minute_takes_no_time_where_it_is_skipped() -> None:
    pace = Pacer(1.0, skips_idle=True)
    assert [pace.due_s(at(s)) for s in (0, 60, 120.5, 121)] == [0, 60, 60, 60.5]
    waiting = Pacer(1.0)
    assert [waiting.due_s(at(s)) for s in (0, 7200)] == [0, 7200]


def test_a_row_out_of_order_is_due_at_once_and_stretches_nothing() -> None:
    pace = Pacer(1.0)
    assert [pace.due_s(at(s)) for s in (0, 10, 9, 10, 9.5, 11)] == [0, 10, 10, 10, 10, 11]


def test_a_clock_that_was_set_back_counts_on_from_there() -> None:
    pace = Pacer(1.0)
    assert [pace.due_s(at(s)) for s in (7200, 7201, 0, 1)] == [0, 1, 1, 2]


def test_a_recording_that_begins_again_goes_on_without_a_gap() -> None:
    pace = Pacer(1.0)
    assert [pace.due_s(at(s)) for s in (0, 30)] == [0, 30]
    pace.begin_again()
    assert [pace.due_s(at(s)) for s in (0, 30)] == [30, 60]
