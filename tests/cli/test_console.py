"""What a person is told, and how a signal asks for the end."""

from __future__ import annotations

import os
import signal

import pytest

from ticks.adapter.feed.events import FeedEvent
from ticks.cli.console import Console, StopRequestedError, StopSignals

LOST = FeedEvent(1_763_609_400_000_000_000, 1, "lost", {"cause": "silence"})
CONNECTED = FeedEvent(1_763_609_400_000_000_000, 1, "connected", {"attempt": 0})


def test_changes_that_matter_are_told_in_a_line(capfd: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.tell(LOST)
    console.tell(CONNECTED)
    out, err = capfd.readouterr()
    assert (out, err) == ("", "09:00:00 connection 1: lost cause=silence\n")


def test_verbose_tells_every_event(capfd: pytest.CaptureFixture[str]) -> None:
    Console(is_verbose=True).tell(CONNECTED)
    assert capfd.readouterr().err == (
        "2025-11-20T09:00:00.000000+05:30 connection 1: connected attempt=0\n"
    )


def test_quiet_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    console = Console(is_quiet=True)
    console.tell(LOST)
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


def test_the_old_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with StopSignals().installed():
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before
