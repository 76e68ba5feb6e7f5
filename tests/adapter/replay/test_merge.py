"""Recordings merged by time are what sorting all their rows would give."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.replay.merge import merged
from ticks.adapter.rows.block import RowBlock
from ticks.adapter.tick import Mode

from ..rows.recordings import csv_text, runs_of

SECONDS = st.lists(st.integers(0, 30), max_size=12).map(sorted)


def lines_of(runs: Iterable[RowBlock]) -> list[bytes]:
    return [line for run in runs for line in run.lines]


def run_of(seconds: list[int], token: str) -> RowBlock:
    return RowBlock(Mode.LTP, csv_text(seconds, token, header=False))


@given(st.lists(SECONDS, min_size=1, max_size=4), st.integers(1, 5))
def test_all_rows_come_in_the_order_of_time_then_of_recordings(
    recordings: list[list[int]], rows_a_run: int
) -> None:
    cut = [
        [
            run_of(seconds[start : start + rows_a_run], str(number))
            for start in range(0, len(seconds) + 1, rows_a_run)
        ]
        for number, seconds in enumerate(recordings)
    ]
    rows = lines_of(merged([iter(runs) for runs in cut]))
    by_recording = [lines_of(runs) for runs in cut]
    assert rows == sorted(sum(by_recording, []), key=lambda line: line[:26])  # noqa: RUF017


def test_files_one_after_another_move_in_whole_runs() -> None:
    runs = [run_of([20, 21], "1"), run_of([1, 2, 3], "2")]
    assert [run.count for run in merged([iter([run]) for run in runs])] == [3, 2]


def test_a_recording_keeps_its_own_order() -> None:
    back = run_of([5, 1, 9], "1")
    rows = lines_of(merged([iter([back]), iter([run_of([4, 6], "2")])]))
    assert [line for line in rows if b",1,ltp" in line] == back.lines
    assert len(rows) == 5


def test_a_single_recording_passes_untouched_with_its_headers(tmp_path: Path) -> None:
    runs = runs_of(tmp_path / "a", csv_text([1]) + csv_text([2]))
    assert list(merged([iter(runs)])) == runs
    assert [run.is_header for run in runs] == [True, False, True, False]
