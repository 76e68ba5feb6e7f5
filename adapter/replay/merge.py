"""Several recordings as one, by the time of reception. Pure.

Each keeps its own order; of equal times the earlier recording's rows come first. Rows move in
blocks: as many of one recording as precede the next row of any other.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from itertools import repeat

from ..rows.block import RowBlock


def merged(recordings: Sequence[Iterator[RowBlock]]) -> Iterator[tuple[int, RowBlock]]:
    """All blocks of the recordings, cut and ordered, each with its recording's number (from 0).

    Those of a single recording come as they are.
    """
    if len(recordings) == 1:
        yield from zip(repeat(0), recordings[0], strict=False)
        return
    heads = [_next_head(number, blocks) for number, blocks in enumerate(recordings)]
    heap = [head for head in heads if head is not None]
    heapify(heap)
    while heap:
        _, number, start, block = heappop(heap)
        end = _end_of_turn(block, number, start, heap)
        yield number, block.part(start, end)
        if end < block.count:
            heappush(heap, (block.times[end], number, end, block))
        elif (head := _next_head(number, recordings[number])) is not None:
            heappush(heap, head)


_Head = tuple[bytes, int, int, RowBlock]
"""The time of a row, its recording's number, the row's number in its block, the block."""


def _next_head(number: int, blocks: Iterator[RowBlock]) -> _Head | None:
    block = next((block for block in blocks if block.count), None)
    return None if block is None else (block.times[0], number, 0, block)


def _end_of_turn(block: RowBlock, number: int, start: int, others: Sequence[_Head]) -> int:
    """Up to where the rows of `block` lie before the next of any other recording."""
    if not others:
        return block.count
    time, other, _, _ = others[0]
    bisect = bisect_right if number < other else bisect_left
    return bisect(block.times, time, lo=start + 1)
