"""What a replay looks like, and that it always fits.

The looks are kept under `snapshots/` as text. After a change that is meant:
`TICKS_UPDATE_SNAPSHOTS=1 pytest tests/cli/view/test_replay_view.py`, and read the difference.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.replay.replay import ReplaySnapshot
from ticks.adapter.sinks.sink import OutputFigures
from ticks.cli.view.replay_view import render, selection_of
from ticks.cli.view.view_state import UNTOUCHED, ViewState

from .. import feeds

SNAPSHOTS = Path(__file__).parent / "snapshots"
SIZES = [(40, 24), (80, 24), (120, 35), (200, 50)]
KEYS = ViewState(has_keys=True)
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
    instruments=feeds.INSTRUMENTS,
    instruments_total=4,
    matching=4,
)
LOOKS = {
    "playing": (KEYS, False),
    "paused": (replace(KEYS, is_paused=True), False),
    "over": (UNTOUCHED, True),
}


def words(
    now: ReplaySnapshot, before: ReplaySnapshot | None = BEFORE, view: ViewState = KEYS
) -> str:
    return "\n".join(render(now, before, view, width=80, height=23).plain())


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("look", LOOKS)
def test_a_look_is_the_one_that_was_designed(look: str, size: tuple[int, int]) -> None:
    file = SNAPSHOTS / f"replay-{look}-{size[0]}x{size[1]}.txt"
    view, is_over = LOOKS[look]
    frame = render(PLAYING, BEFORE, view, width=size[0], height=size[1] - 1, is_over=is_over)
    drawn = "\n".join(frame.plain()) + "\n"
    if os.environ.get("TICKS_UPDATE_SNAPSHOTS"):
        file.write_text(drawn, encoding="utf-8")
    assert drawn == file.read_text(encoding="utf-8")


def test_the_first_line_says_where_it_is_and_of_what() -> None:
    first = words(PLAYING).splitlines()[0]
    assert first.startswith("▶ REPLAY 10x  2026-11-20 09:27:42, 78 % of recordings/2026-11-20.csv ")
    assert words(replace(PLAYING, speed=None)).startswith("▶ REPLAY max  ")
    assert words(PLAYING, view=replace(KEYS, is_paused=True)).startswith("‖ PAUSED 10x")
    held = replace(KEYS, is_held=True, held_s=4.0)
    assert words(PLAYING, view=held).splitlines()[0].endswith("held 4.0 s")


def test_a_pause_is_offered_and_ended_with_space() -> None:
    assert "space pause" in words(PLAYING).splitlines()[-1]
    assert "space go on" in words(PLAYING, view=replace(KEYS, is_paused=True)).splitlines()[-1]


def test_the_table_has_the_place_of_the_events() -> None:
    asked = selection_of(replace(KEYS, first_row=3, filter_text="nif"), 80, 23)
    assert (asked.most, asked.first, asked.text) == (13, 3, "nif")
    many = tuple(replace(feeds.INSTRUMENTS[0], symbol=f"S{n}") for n in range(13))
    shown = words(replace(PLAYING, instruments=many, instruments_total=99, matching=99))
    assert "rows 1-13 of 99" in shown
    assert "\nS12 " in shown


def test_before_the_first_row_nothing_is_made_up() -> None:
    assert "no row yet" in words(replace(PLAYING, position=""), None)
    for before in (None, replace(BEFORE, position="")):
        assert "\n410                 –    " in words(PLAYING, before) or before is None
        assert "×" not in words(PLAYING, before).replace("10× asked", "")


def test_silence_in_the_recording_is_said() -> None:
    assert "no row for 5.0 s" in words(replace(PLAYING, ticks=BEFORE.ticks))


def test_the_speed_is_the_measured_one_also_when_a_recording_begins_again() -> None:
    for position in (PLAYING.position, "2026-11-20T09:15:00.000000"):
        lines = words(replace(PLAYING, position=position)).splitlines()
        assert [lines[3][20:33], lines[4][20:29]] == ["9.9× measured", "10× asked"]


def test_what_comes_from_stdin_has_no_share() -> None:
    from_stdin = words(replace(PLAYING, recordings=("-", "b.csv", "c.csv"), bytes_total=None))
    assert "% of" not in from_stdin
    assert from_stdin.startswith("▶ REPLAY 10x  2026-11-20 09:27:42, - +2 more")
    assert "30,050 rows" in from_stdin


def test_text_that_is_not_due_yet_is_not_done() -> None:
    small = replace(PLAYING, bytes_read=1000, bytes_total=1000, bytes_held=600)
    assert small.share == pytest.approx(0.4)
    assert "40 % of recordings" in words(small)
    assert replace(small, bytes_held=5000).share == 0.0


@given(
    *(st.integers(1, 220), st.integers(0, 60), st.text(), st.booleans(), st.booleans()),
    st.lists(st.sampled_from(feeds.INSTRUMENTS), max_size=40),
)
def test_it_always_fits(
    width: int, height: int, name: str, is_over: bool, is_paused: bool, shown: list[Any]
) -> None:
    outputs = (OutputFigures(name, 1, 1),) * 6
    now = replace(
        PLAYING, recordings=(name,), outputs=outputs, late=1, instruments=tuple(shown), matching=50
    )
    view = replace(KEYS, is_paused=is_paused, filter_text=name, shows_help=len(shown) == 7)
    frame = render(now, BEFORE, view, width=width, height=height, is_over=is_over)
    assert len(frame.lines) <= height
    assert max(frame.widths(), default=0) <= width
    assert "".join(frame.plain()).isprintable()


def test_what_was_left_out_is_counted_by_its_reason() -> None:
    odd = replace(PLAYING, duplicates=31, late=4)
    frame = render(odd, BEFORE, KEYS, width=200, height=49)
    assert "2 damaged, 31 duplicates, 4 late" in "\n".join(frame.plain())
