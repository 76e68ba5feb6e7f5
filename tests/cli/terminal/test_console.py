"""What a person reads on stderr, with and without a dashboard."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from datetime import datetime
from typing import cast

import pytest

from ticks.adapter.clock import IST
from ticks.adapter.events import LogEntry, Lost, Renewed, Waiting
from ticks.adapter.snapshot import FeedSnapshot
from ticks.cli.terminal.console import Console
from ticks.cli.terminal.screen import Screen

AT_NS = 1_763_609_400_000_000_000
WAITING = LogEntry(
    AT_NS, 1, Waiting("silence", "no data for 30.1 s", attempt=2, max_attempts=3, delay_s=2.05)
)
RENEWED = LogEntry(AT_NS, 1, Renewed(datetime(2025, 11, 21, tzinfo=IST)))


def test_a_change_of_state_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.log_event(WAITING)
    console.log_event(RENEWED)
    line = "09:00:00 waiting: attempt 2 of 3 in 2.0 s · silence: no data for 30.1 s\n"
    assert capfd.readouterr() == ("", line)


def test_one_of_several_connections_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    Console().log_event(WAITING, is_one_of_several=True)
    assert capfd.readouterr().err.startswith("09:00:00 feed 1 waiting: attempt 2 of 3")


def test_verbose_shows_every_event(capfd: pytest.CaptureFixture[str]) -> None:
    Console(is_verbose=True).log_event(RENEWED)
    assert capfd.readouterr().err == ("09:00:00 the session is renewed until Fri 21 Nov 00:00\n")


def test_quiet_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    console = Console(is_quiet=True)
    console.log_event(WAITING)
    console.print_line("a word")
    assert capfd.readouterr().err == ""


class FakeScreen:
    """What a console says to a screen, instead of a terminal."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, object]] = []

    def size(self) -> tuple[int, int]:
        return 40, 10

    def print_line(self, line: str) -> None:
        self.calls.append(("said", line))

    def draw(self, block: list[str], lengths: list[int]) -> None:
        self.calls.append(("drew", (len(block), max(lengths))))

    def forget(self) -> None:
        self.calls.append(("forgot", None))

    def close(self) -> None:
        self.calls.append(("closed", None))


def test_words_go_to_the_screen_only_while_it_is_drawn_on(
    live: FeedSnapshot, capfd: pytest.CaptureFixture[str]
) -> None:
    screen = FakeScreen()
    console = Console(screen=cast(Screen, screen))
    console.print_line("before")
    with console.showing():
        console.print_line("above")
        console.show(live)
        os.kill(os.getpid(), signal.SIGCONT)
    console.print_line("after")
    assert capfd.readouterr().err == "before\nafter\n"
    assert screen.calls == [
        ("said", "above"),
        ("drew", (10, 40)),
        ("forgot", None),
        ("closed", None),
    ]


def test_a_foreign_text_moves_no_cursor(capfd: pytest.CaptureFixture[str]) -> None:
    console = Console(is_verbose=True)
    console.print_line("\x1b[2J\x9b31m \u202e")
    console.log_event(LogEntry(0, 1, Lost("closed", "\x1b]0;title\x07")))
    assert all(line.isprintable() for line in capfd.readouterr().err.splitlines())


def test_only_on_a_terminal_without_a_dashboard_the_line_of_a_ctrl_c_is_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for is_terminal, screen, shown in (
        (True, None, "\n"),
        (False, None, ""),
        (True, cast(Screen, FakeScreen()), ""),
    ):
        stderr = io.StringIO()
        monkeypatch.setattr(stderr, "isatty", lambda is_terminal=is_terminal: is_terminal)
        monkeypatch.setattr(sys, "stderr", stderr)
        Console(screen=screen).end_line()
        assert stderr.getvalue() == shown


def test_quiet_reports_no_progress(capfd: pytest.CaptureFixture[str]) -> None:
    with Console(is_quiet=True).progress("instrument master") as report:
        report(1, 2)
    assert capfd.readouterr() == ("", "")


def test_without_a_screen_nothing_is_drawn(
    live: FeedSnapshot, capfd: pytest.CaptureFixture[str]
) -> None:
    console = Console()
    with console.showing():
        console.show(live)
    assert capfd.readouterr() == ("", "")


def test_nobody_pays_for_rich_who_sees_no_dashboard() -> None:
    code = "import sys, ticks.cli.terminal.observer; sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
