"""Several recordings as one, by the time of reception. Pure.

Each keeps its own order; of equal times the earlier recording's rows come first. Rows move in runs:
as many of one recording as lie before the next row of any other.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush

from ..rows.block import RowBlock


def merged(recordings: Sequence[Iterator[RowBlock]]) -> Iterator[RowBlock]:
    """All runs of the recordings, cut and ordered; those of a single one as they are."""
    if len(recordings) == 1:
        yield from recordings[0]
        return
    heads = [_next_head(number, runs) for number, runs in enumerate(recordings)]
    heap = [head for head in heads if head is not None]
    heapify(heap)
    while heap:
        _, number, start, run = heappop(heap)
        end = _end_of_turn(run, number, start, heap)
        yield run.part(start, end)
        if end < run.count:
            heappush(heap, (run.times[end], number, end, run))
        elif (head := _next_head(number, recordings[number])) is not None:
            heappush(heap, head)


_Head = tuple[bytes, int, int, RowBlock]
"""The time of a row, its recording's number, the row's number in its run, the run."""


def _next_head(number: int, runs: Iterator[RowBlock]) -> _Head | None:
    run = next((run for run in runs if run.count), None)
    return None if run is None else (run.times[0], number, 0, run)


def _end_of_turn(run: RowBlock, number: int, start: int, others: Sequence[_Head]) -> int:
    """Up to where the rows of `run` lie before the next of any other recording."""
    if not others:
        return run.count
    time, other, _, _ = others[0]
    bisect = bisect_right if number < other else bisect_left
    return bisect(run.times, time, lo=start + 1)
