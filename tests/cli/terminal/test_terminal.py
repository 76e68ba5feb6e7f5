"""What the streams lead to, and where a dashboard is drawn."""

from __future__ import annotations

import io
import sys
from dataclasses import replace

import pytest

from ticks.cli.terminal.terminal import Terminal

DRAWABLE = Terminal(can_draw=True, has_color=True, is_shared=False)


@pytest.mark.parametrize(
    ("terminal", "wanted", "writes_stdout", "is_quiet", "draws"),
    [
        (DRAWABLE, None, False, False, True),
        (DRAWABLE, None, True, False, True),
        (DRAWABLE, False, False, False, False),
        (DRAWABLE, None, False, True, False),
        (DRAWABLE, True, False, True, True),
        (replace(DRAWABLE, has_color=False), None, False, False, False),
        (replace(DRAWABLE, has_color=False), True, False, False, True),
        (replace(DRAWABLE, can_draw=False), True, False, False, False),
        (replace(DRAWABLE, is_shared=True), None, False, False, True),
        (replace(DRAWABLE, is_shared=True), True, True, False, False),
    ],
)
def test_the_dashboard_is_drawn_where_it_can_be_and_is_wanted(
    terminal: Terminal, wanted: bool | None, writes_stdout: bool, is_quiet: bool, draws: bool
) -> None:
    shows = terminal.shows_dashboard(wanted, writes_stdout=writes_stdout, is_quiet=is_quiet)
    assert shows is draws


class Tty(io.StringIO):
    """A standard stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "can_draw", "has_color"),
    [
        ({"TERM": "xterm"}, True, True),
        ({"TERM": "dumb"}, False, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, True),
    ],
)
def test_the_environment_says_what_a_terminal_takes(
    variables: dict[str, str], can_draw: bool, has_color: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", Tty())
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    here = Terminal.here()
    assert (here.can_draw, here.has_color) == (can_draw, has_color)


def test_a_stderr_that_is_no_terminal_is_not_drawn_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert not Terminal.here().can_draw
