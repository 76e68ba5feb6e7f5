"""The time of a replay stands in a pause, and a wait ends as it should."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import cast

import pytest
from hand_clock import HandClock

from ticks.adapter.clock import IST, SystemClock
from ticks.adapter.replay.running_time import RunningTime
from ticks.adapter.waker import Waker

DEADLINE_S = 20.0


class CountingWaker:
    """Counts what woke and what was cleared; a wait does what `meanwhile` does."""

    def __init__(self) -> None:
        self.woken = self.cleared = 0
        self.meanwhile = lambda: None

    def wake(self) -> None:
        self.woken += 1

    def clear(self) -> None:
        self.cleared += 1

    def wait(self, _timeout_s: float | None) -> bool:
        self.meanwhile()
        return True


@pytest.fixture
def clock() -> HandClock:
    return HandClock(datetime(2026, 11, 20, 9, 15, tzinfo=IST))


@pytest.fixture
def waker() -> CountingWaker:
    return CountingWaker()


@pytest.fixture
def running(clock: HandClock, waker: CountingWaker) -> RunningTime:
    return RunningTime(clock, cast(Waker, waker), lambda: False)


def test_the_seconds_of_a_pause_do_not_count(running: RunningTime, clock: HandClock) -> None:
    running.begin()
    clock.turn(3)
    running.pause()
    running.pause()
    clock.turn(100)
    assert (running.is_paused, running.now_s()) == (True, 3)
    running.resume()
    running.resume()
    clock.turn(4)
    assert (running.is_paused, running.now_s()) == (False, 7)


def test_what_is_paused_before_it_begins_begins_at_0(
    running: RunningTime, clock: HandClock
) -> None:
    running.pause()
    clock.turn(5)
    running.begin()
    clock.turn(5)
    assert running.now_s() == 0
    running.resume()
    clock.turn(1)
    assert running.now_s() == 1


def test_a_resume_that_nobody_waits_for_wakes_nobody(
    running: RunningTime, waker: CountingWaker
) -> None:
    running.pause()
    running.resume()
    assert waker.woken == 0


def test_a_resume_wakes_the_one_that_waits_and_leaves_no_wake_up_behind(
    running: RunningTime, waker: CountingWaker
) -> None:
    running.pause()
    waker.meanwhile = running.resume
    running.wait_until(0.0)
    assert (waker.woken, waker.cleared) == (1, 1)


def test_a_pause_in_the_middle_of_a_wait_shifts_its_end() -> None:
    clock, waker = SystemClock(), Waker()
    running = RunningTime(clock, waker, lambda: False)
    running.begin()
    ended: list[float] = []

    def wait() -> None:
        running.wait_until(0.05)
        ended.append(running.now_s())

    running.pause()
    thread = threading.Thread(target=wait)
    thread.start()
    thread.join(0.1)  # twice as long as it has to wait
    assert not ended
    running.resume()
    thread.join(DEADLINE_S)
    assert ended[0] >= 0.05
    assert not waker.wait(0.0)


def test_a_stop_ends_a_pause_at_once() -> None:
    is_stopping = threading.Event()
    waker = Waker()
    running = RunningTime(SystemClock(), waker, is_stopping.is_set)
    running.pause()
    thread = threading.Thread(target=running.wait_until, args=(3600.0,))
    thread.start()
    is_stopping.set()
    waker.wake()
    thread.join(DEADLINE_S)
    assert not thread.is_alive()
