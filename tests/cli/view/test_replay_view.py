"""What a replay looks like, and that it always fits.

The looks are kept under `snapshots/` as text. After a change that is meant:
`TICKS_UPDATE_SNAPSHOTS=1 pytest tests/cli/view/test_replay_view.py`, and read the difference.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.replay.replay import ReplaySnapshot
from ticks.adapter.sinks.sink import OutputFigures
from ticks.cli.view.replay_view import render

SNAPSHOTS = Path(__file__).parent / "snapshots"
SIZES = [(80, 24), (40, 24)]
BEFORE = ReplaySnapshot(
    recordings=("recordings/2026-11-20.csv",),
    position="2026-11-20T09:26:52.500000",
    speed=10.0,
    seconds=67.0,
    ticks=28_000,
    read=28_000,
    damaged=0,
    late=0,
    bytes_read=3_000_000,
    bytes_total=4_000_000,
    bytes_held=60_000,
    outputs=(OutputFigures("stdout", 28_000, 2_900_000),),
    played_s=712.5,
)
PLAYING = replace(
    BEFORE,
    position="2026-11-20T09:27:42.000000",
    seconds=72.0,
    ticks=30_050,
    read=30_100,
    damaged=2,
    bytes_read=3_130_000,
    bytes_held=10_000,
    outputs=(OutputFigures("stdout", 30_050, 3_112_345),),
    played_s=762.0,
)


def words(now: ReplaySnapshot, before: ReplaySnapshot | None = BEFORE) -> str:
    return "\n".join(render(now, before, width=80, height=24).plain())


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("look", ["playing", "over"])
def test_a_look_is_the_one_that_was_designed(look: str, size: tuple[int, int]) -> None:
    file = SNAPSHOTS / f"replay-{look}-{size[0]}x{size[1]}.txt"
    frame = render(PLAYING, BEFORE, width=size[0], height=size[1], is_over=look == "over")
    drawn = "\n".join(frame.plain()) + "\n"
    if os.environ.get("TICKS_UPDATE_SNAPSHOTS"):
        file.write_text(drawn, encoding="utf-8")
    assert drawn == file.read_text(encoding="utf-8")


def test_before_the_first_row_nothing_is_made_up() -> None:
    assert "no row yet" in words(replace(PLAYING, position=""), None)
    assert "measured" not in words(PLAYING, None)
    assert "measured" not in words(PLAYING, replace(BEFORE, position=""))


def test_silence_in_the_recording_is_said() -> None:
    assert "10× asked · no row for 5.0 s" in words(replace(PLAYING, ticks=BEFORE.ticks))


def test_the_speed_is_the_measured_one_also_when_a_recording_begins_again() -> None:
    for position in (PLAYING.position, "2026-11-20T09:15:00.000000"):
        assert "10× asked · 9.9× measured\n" in words(replace(PLAYING, position=position))


def test_what_comes_from_stdin_has_no_share() -> None:
    from_stdin = words(replace(PLAYING, recordings=("-", "b.csv", "c.csv"), bytes_total=None))
    assert "%" not in from_stdin
    assert from_stdin.startswith("▶ playing  - +2 more")


def test_text_that_is_not_due_yet_is_not_done() -> None:
    small = replace(PLAYING, bytes_read=1000, bytes_total=1000, bytes_held=600)
    assert small.share == pytest.approx(0.4)
    assert "IST · 40 %" in words(small)
    assert replace(small, bytes_held=5000).share == 0.0


@given(st.integers(1, 200), st.integers(0, 60), st.text(), st.booleans())
def test_it_always_fits(width: int, height: int, name: str, is_over: bool) -> None:
    now = replace(PLAYING, recordings=(name,), outputs=(OutputFigures(name, 1, 1),) * 6, late=1)
    frame = render(now, BEFORE, width=width, height=height, is_over=is_over)
    assert len(frame.lines) <= height
    assert max(frame.widths(), default=0) <= width
    assert "".join(frame.plain()).isprintable()
