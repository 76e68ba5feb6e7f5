"""Recordings merged by time are what sorting all their rows would give."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.replay.merge import merged
from ticks.adapter.rows.block import RowBlock
from ticks.adapter.rows.format import Csv
from ticks.adapter.tick import Mode

from ..rows.recordings import blocks_of, csv_text

SECONDS = st.lists(st.integers(0, 30), max_size=12).map(sorted)


def merged_lines(recordings: Sequence[Iterable[RowBlock]]) -> list[bytes]:
    return lines_of([block for _, block in merged([iter(each) for each in recordings])])


def lines_of(blocks: Iterable[RowBlock]) -> list[bytes]:
    return [line for block in blocks for line in block.lines]


def block_of(seconds: list[int], token: str) -> RowBlock:
    return RowBlock(Csv(Mode.LTP), csv_text(seconds, token, header=False))


@given(st.lists(SECONDS, min_size=1, max_size=4), st.integers(1, 5))
def test_all_rows_come_in_the_order_of_time_then_of_recordings(
    recordings: list[list[int]], rows_a_block: int
) -> None:
    cut = [
        [
            block_of(seconds[start : start + rows_a_block], str(number))
            for start in range(0, len(seconds) + 1, rows_a_block)
        ]
        for number, seconds in enumerate(recordings)
    ]
    rows = merged_lines(cut)
    by_recording = [lines_of(blocks) for blocks in cut]
    assert rows == sorted(sum(by_recording, []), key=lambda line: line[:26])  # noqa: RUF017


def test_files_one_after_another_move_in_whole_blocks() -> None:
    blocks = [block_of([20, 21], "1"), block_of([1, 2, 3], "2")]
    assert [(n, b.count) for n, b in merged([iter([b]) for b in blocks])] == [(1, 3), (0, 2)]


def test_a_recording_keeps_its_own_order() -> None:
    back = block_of([5, 1, 9], "1")
    rows = merged_lines([[back], [block_of([4, 6], "2")]])
    assert [line for line in rows if b",1,ltp" in line] == back.lines
    assert len(rows) == 5


def test_a_single_recording_passes_untouched(tmp_path: Path) -> None:
    blocks = blocks_of(tmp_path / "a", csv_text([1]) + csv_text([2]))
    assert list(merged([iter(blocks)])) == [(0, block) for block in blocks]
    assert [block.count for block in blocks] == [1, 1]
