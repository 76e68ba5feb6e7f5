"""What is drawn beside a replay, and what stays of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ticks.adapter.clock import SystemClock
from ticks.adapter.replay.replay import Replay, ReplayOptions
from ticks.adapter.replay.row_filter import RowFilter
from ticks.adapter.waker import Waker
from ticks.cli.terminal.console import Console
from ticks.cli.terminal.outlet import Outlet
from ticks.cli.terminal.replay_watch import ReplayWatch
from ticks.cli.terminal.screen import Screen

DEADLINE_S = 20.0


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    """Where the screen writes."""
    return tmp_path / "drawn"


@pytest.fixture
def watch(drawn: Path) -> Iterator[ReplayWatch]:
    """Beside a replay of which no row has come yet."""
    playing = Replay(ReplayOptions(("day.csv",)), RowFilter(), clock=SystemClock(), waker=Waker())
    with drawn.open("wb") as file:
        console = Console(screen=Screen(Outlet(file.fileno())), has_color=False)
        yield ReplayWatch(playing, console, SystemClock())


def test_it_draws_while_the_replay_runs_and_its_last_frame_stays(
    watch: ReplayWatch, drawn: Path
) -> None:
    give_up_at = time.monotonic() + DEADLINE_S
    with watch:
        while "▶ REPLAY" not in drawn.read_text(encoding="utf-8"):
            assert time.monotonic() < give_up_at
    assert drawn.read_text(encoding="utf-8").count("■ STOPPED") == 1


def test_a_replay_that_fails_leaves_its_last_frame_too(watch: ReplayWatch, drawn: Path) -> None:
    with pytest.raises(ZeroDivisionError), watch:
        raise ZeroDivisionError
    assert "■ STOPPED" in drawn.read_text(encoding="utf-8")
