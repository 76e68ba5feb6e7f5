"""What a person is told, and how a signal asks for the end."""

from __future__ import annotations

import os
import signal

import pytest

from ticks.adapter.feed.events import FeedEvent
from ticks.cli.console import Console, StopRequestedError, StopSignals

WAITING = FeedEvent(
    1_763_609_400_000_000_000,
    1,
    "waiting",
    {"cause": "silence", "detail": "no data for 30.1 s", "attempt": 2, "max_attempts": 3}
    | {"delay_s": 2.05},
)
RENEWED = FeedEvent(1_763_609_400_000_000_000, 1, "renewed", {"expires_at": "2025-11-21"})


def test_a_change_of_state_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.tell(WAITING)
    console.tell(RENEWED)
    line = "09:00:00 waiting: attempt 2 of 3 in 2.0 s · silence: no data for 30.1 s\n"
    assert capfd.readouterr() == ("", line)


def test_one_of_several_connections_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    Console().tell(WAITING, is_one_of_several=True)
    assert capfd.readouterr().err.startswith("09:00:00 feed 1 waiting: attempt 2 of 3")


def test_verbose_tells_every_event(capfd: pytest.CaptureFixture[str]) -> None:
    Console(is_verbose=True).tell(RENEWED)
    assert capfd.readouterr().err == (
        "2025-11-20T09:00:00.000000+05:30 renewed expires_at=2025-11-21\n"
    )


def test_quiet_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    console = Console(is_quiet=True)
    console.tell(WAITING)
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
