"""Intervals are sets of moments: what holds for sets holds for them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.intervals import Interval, common, length, union, without

INTERVALS = st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), max_size=6)


def moments(intervals: Iterable[Interval]) -> set[int]:
    return {moment for start, end in intervals for moment in range(start, end)}


@given(INTERVALS, INTERVALS)
def test_they_are_joined_cut_and_taken_away_like_sets(
    some: list[Interval], others: list[Interval]
) -> None:
    assert moments(union(some)) == moments(some)
    assert moments(common(some, others)) == moments(some) & moments(others)
    assert moments(without(some, others)) == moments(some) - moments(others)
    assert length(union(some)) == len(moments(some))


@given(INTERVALS, INTERVALS)
def test_what_comes_out_is_sorted_and_apart(some: list[Interval], others: list[Interval]) -> None:
    for found in (union(some), common(some, others), without(some, others)):
        bounds = [bound for interval in found for bound in interval]
        assert bounds == sorted(bounds)
        assert all(start < end for start, end in found)
    joined = union(some)
    assert all(end < start for (_, end), (start, _) in pairwise(joined))
