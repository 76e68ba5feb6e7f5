from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Iterator

import pytest

from ticks.adapter.waker import Waker


@pytest.fixture
def bell() -> Iterator[Waker]:
    waker = Waker()
    yield waker
    waker.close()


def test_a_ring_before_the_wait_ends_it_at_once(bell: Waker) -> None:
    bell.wake()
    assert bell.wait(None)


def test_nobody_rang_within_the_time(bell: Waker) -> None:
    assert not bell.wait(0)
    assert not bell.wait(-1)
    assert not bell.wait(0.001)


def test_many_rings_are_one(bell: Waker) -> None:
    bell.wake()
    bell.wake()
    assert bell.wait(0)
    assert not bell.wait(0)


def test_ringing_never_blocks_however_often(bell: Waker) -> None:
    for _ in range(50_000):
        bell.wake()
    assert bell.wait(0)


def test_another_thread_wakes_the_waiter(bell: Waker) -> None:
    ringer = threading.Timer(0.01, bell.wake)
    ringer.start()
    assert bell.wait(10)
    ringer.join()


def test_a_selector_sees_the_ring_until_it_is_cleared(bell: Waker) -> None:
    assert select.select([bell], [], [], 0)[0] == []
    bell.wake()
    assert select.select([bell], [], [], 0)[0] == [bell]
    bell.clear()
    assert select.select([bell], [], [], 0)[0] == []


def test_clearing_a_silent_bell_is_nothing(bell: Waker) -> None:
    bell.clear()
    assert not bell.wait(0)


def test_a_signal_rings_through_the_descriptor(bell: Waker) -> None:
    former_handler = signal.signal(signal.SIGUSR1, lambda *_: None)
    former_fd = signal.set_wakeup_fd(bell.signal_fileno(), warn_on_full_buffer=False)
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
        assert bell.wait(10)
    finally:
        signal.set_wakeup_fd(former_fd)
        signal.signal(signal.SIGUSR1, former_handler)


def test_a_closed_bell_is_silent() -> None:
    waker = Waker()
    waker.close()
    waker.wake()
