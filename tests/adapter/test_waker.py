from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator

import pytest

from ticks.adapter.waker import Waker


@pytest.fixture
def waker() -> Iterator[Waker]:
    waker = Waker()
    yield waker
    waker.close()


def test_a_wake_up_before_the_wait_ends_it_at_once(waker: Waker) -> None:
    waker.wake()
    assert waker.wait(None)


def test_a_wait_ends_after_its_time(waker: Waker) -> None:
    assert not waker.wait(0)
    assert not waker.wait(-1)
    assert not waker.wait(0.001)


def test_many_wake_ups_are_one(waker: Waker) -> None:
    waker.wake()
    waker.wake()
    assert waker.wait(0)
    assert not waker.wait(0)


def test_waking_never_blocks_however_often(waker: Waker) -> None:
    for _ in range(50_000):
        waker.wake()
    assert waker.wait(0)


def test_another_thread_wakes_the_waiter(waker: Waker) -> None:
    timer = threading.Timer(0.01, waker.wake)
    timer.start()
    assert waker.wait(10)
    timer.join()


def test_a_selector_sees_the_wake_up_until_it_is_cleared(waker: Waker) -> None:
    assert select.select([waker], [], [], 0)[0] == []
    waker.wake()
    assert select.select([waker], [], [], 0)[0] == [waker]
    waker.clear()
    assert select.select([waker], [], [], 0)[0] == []


def test_clearing_a_waker_that_was_not_woken_is_nothing(waker: Waker) -> None:
    waker.clear()
    assert not waker.wait(0)


def test_waking_a_closed_waker_does_nothing() -> None:
    waker = Waker()
    waker.close()
    waker.wake()


def test_one_that_could_not_be_made_leaves_nothing_to_close(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse() -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(socket, "socketpair", refuse)
    with pytest.raises(OSError, match="Too many"):
        Waker()
