"""How a signal asks for the end."""

from __future__ import annotations

import os
import signal

import pytest

from ticks.cli.terminal.signals import StopRequestedError, StopSignals


def test_the_first_signal_asks_and_the_second_ctrl_c_ends_at_once() -> None:
    asked: list[str] = []
    with StopSignals().installed() as signals:
        signals.hand_to(lambda: asked.append("stop"))
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert asked == ["stop", "stop"]


def test_a_ctrl_c_that_comes_twice_at_once_is_one() -> None:
    asked: list[str] = []
    now_s = iter([10.0, 10.01, 10.5])
    with StopSignals(lambda: next(now_s)).installed() as signals:
        signals.hand_to(lambda: asked.append("stop"))
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        assert asked == ["stop"]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_a_ctrl_c_that_comes_twice_before_anything_began_does_not_disturb_the_end() -> None:
    now_s = iter([10.0, 10.01])
    with StopSignals(lambda: next(now_s)).installed():
        with pytest.raises(StopRequestedError):
            os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)


def test_a_ctrl_c_that_comes_twice_at_once_may_be_one_and_gives_time_to_end() -> None:
    asked: list[str] = []
    now_s = iter([10.0, 10.01, 10.5])
    with StopSignals(lambda: next(now_s)).installed() as signals:
        signals.hand_to(lambda: asked.append("stop"))
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        assert asked == ["stop"]
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 1
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_what_has_not_ended_a_second_after_two_at_once_is_broken_off() -> None:
    with StopSignals(lambda: 10.0).installed() as signals:
        signals.hand_to(lambda: None)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.pause()


def test_two_at_once_before_anything_began_do_not_disturb_the_end() -> None:
    with StopSignals(lambda: 10.0).installed():
        with pytest.raises(StopRequestedError):
            os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)


def test_a_key_asks_as_the_first_ctrl_c_does() -> None:
    asked: list[str] = []
    with StopSignals().installed() as signals:
        signals.request_stop()
        signals.hand_to(lambda: asked.append("stop"))
        assert asked == ["stop"]
        signals.request_stop()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert asked == ["stop", "stop"]


@pytest.mark.parametrize(
    ("number", "is_interrupted"), [(signal.SIGINT, True), (signal.SIGTERM, False)]
)
def test_only_ctrl_c_leaves_a_line_to_end(number: signal.Signals, is_interrupted: bool) -> None:
    with StopSignals().installed() as signals, pytest.raises(StopRequestedError):
        os.kill(os.getpid(), number)
    assert signals.is_interrupted is is_interrupted


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
