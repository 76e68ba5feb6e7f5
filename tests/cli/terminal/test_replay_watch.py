"""What is drawn beside a replay, and what stays of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from waits import until

from ticks.adapter.clock import SystemClock
from ticks.adapter.replay.replay import Replay, ReplayOptions
from ticks.adapter.replay.row_filter import RowFilter
from ticks.adapter.waker import Waker
from ticks.cli.terminal.console import Console
from ticks.cli.terminal.outlet import Outlet
from ticks.cli.terminal.replay_watch import ReplayWatch
from ticks.cli.terminal.screen import Screen


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """Where the screen writes."""
    return tmp_path / "drawn"


@pytest.fixture
def watch(drawn: Path) -> Iterator[ReplayWatch]:
    """Next to a replay that has given no row yet."""
    playing = Replay(ReplayOptions(("day.csv",)), RowFilter(), clock=SystemClock(), waker=Waker())
    with drawn.open("wb") as file:
        console = Console(screen=Screen(Outlet(file.fileno())), has_color=False)
        yield ReplayWatch(playing, console, SystemClock())


def text_of(drawn: Path) -> str:
    """What was drawn, without escape codes."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn.read_text(encoding="utf-8"))


def test_it_draws_while_the_replay_runs_and_its_last_frame_stays(
    watch: ReplayWatch, drawn: Path
) -> None:
    with watch:
        until(lambda: "▶ REPLAY 1x  no row yet, day.csv" in text_of(drawn))
    assert text_of(drawn).count("■ STOPPED 1x") == 1


def test_a_replay_that_fails_leaves_its_last_frame_too(watch: ReplayWatch, drawn: Path) -> None:
    with pytest.raises(ZeroDivisionError), watch:
        raise ZeroDivisionError
    assert "■ STOPPED 1x" in text_of(drawn)


def test_space_pauses_and_lets_go_on_without_a_jump_of_the_speed(
    watch: ReplayWatch, drawn: Path
) -> None:
    with watch:
        until(lambda: "▶ REPLAY 1x" in text_of(drawn))
        watch._control.press([" "])
        until(lambda: "‖ PAUSED 1x" in text_of(drawn))
        assert watch._playing.is_paused
        watch._control.press([" "])
        until(lambda: not watch._playing.is_paused)
