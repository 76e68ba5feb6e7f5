"""What a person is told, and how a signal asks for the end."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from typing import cast

import pytest

from ticks.adapter.clock import IST
from ticks.adapter.events import LogEntry, Renewed, Waiting
from ticks.adapter.snapshot import FeedSnapshot
from ticks.cli.terminal.console import Console, StopRequestedError, StopSignals, Terminal
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
    assert capfd.readouterr().err == (
        "2025-11-20T09:00:00.000000+05:30 renewed expires_at=2025-11-21T00:00:00+05:30\n"
    )


def test_quiet_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    console = Console(is_quiet=True)
    console.log_event(WAITING)
    console.say("a word")
    assert capfd.readouterr().err == ""


def test_the_first_signal_asks_and_the_second_ctrl_c_ends_at_once() -> None:
    asked: list[str] = []
    with StopSignals().installed() as signals:
        signals.hand_to(lambda: asked.append("stop"))
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert asked == ["stop", "stop"]


def test_a_signal_before_there_is_anything_to_stop_ends_where_it_strikes() -> None:
    with StopSignals().installed(), pytest.raises(StopRequestedError):
        os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_that_is_ignored_from_the_start_stays_ignored(number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with StopSignals().installed():
            os.kill(os.getpid(), number)
            assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


def test_the_old_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with StopSignals().installed():
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before


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


class FakeScreen:
    """What a console says to a screen, instead of a terminal."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, object]] = []

    def size(self) -> tuple[int, int]:
        return 40, 10

    def say(self, line: str) -> None:
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
    console.say("before")
    with console.showing():
        console.say("above")
        console.show(live)
        os.kill(os.getpid(), signal.SIGCONT)
    console.say("after")
    assert capfd.readouterr().err == "before\nafter\n"
    assert screen.calls == [
        ("said", "above"),
        ("drew", (10, 40)),
        ("forgot", None),
        ("closed", None),
    ]


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
