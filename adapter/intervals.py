"""Stretches of time as (start, end) pairs of whole numbers: what lies in some, or in all. Pure.

A list of intervals that these functions return is sorted, its intervals are apart and none is
empty. What they take may be in any order and overlap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

Interval: TypeAlias = tuple[int, int]
"""From the first number up to before the second."""


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """What lies in any of the intervals."""
    joined: list[Interval] = []
    for start, end in sorted(intervals):
        if end <= start:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def common(some: Iterable[Interval], others: Iterable[Interval]) -> list[Interval]:
    """What lies in both."""
    left, right = union(some), union(others)
    found: list[Interval] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start < end:
            found.append((start, end))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return found


def without(some: Iterable[Interval], others: Iterable[Interval]) -> list[Interval]:
    """What lies in `some` and not in `others`."""
    kept: list[Interval] = []
    holes = union(others)
    for start, end in union(some):
        at = start
        for hole_start, hole_end in holes:
            if hole_end <= at:
                continue
            if hole_start >= end:
                break
            if hole_start > at:
                kept.append((at, hole_start))
            at = max(at, hole_end)
        if at < end:
            kept.append((at, end))
    return kept


def length(intervals: Sequence[Interval]) -> int:
    """The sum of intervals that are apart."""
    return sum(end - start for start, end in intervals)
