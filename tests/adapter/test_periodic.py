"""Work beside a block: when it is done, when it ends, and what becomes of its errors."""

from __future__ import annotations

import threading

import pytest

from ticks.adapter.periodic import every

DEADLINE_S = 20.0
NEVER_S = 3600.0


class Looks:
    """Counts the calls; `then` is what each does."""

    def __init__(self, then: object = None) -> None:
        self.count = 0
        self.then = then
        self._called = threading.Semaphore(0)

    def __call__(self) -> object:
        self.count += 1
        self._called.release()
        if isinstance(self.then, Exception):
            raise self.then
        return self.then

    def wait_for(self, times: int) -> None:
        for _ in range(times):
            assert self._called.acquire(timeout=DEADLINE_S)


def thread_named(name: str) -> threading.Thread | None:
    return next((thread for thread in threading.enumerate() if thread.name == name), None)


def test_it_looks_at_once_and_the_end_waits_for_no_timer() -> None:
    look = Looks()
    with every(NEVER_S, look, name="test look"):
        look.wait_for(1)
    assert look.count == 1
    assert thread_named("test look") is None


def test_it_looks_again_and_again_and_never_after_the_block() -> None:
    look = Looks()
    with every(0.001, look, name="test look"):
        look.wait_for(5)
    assert thread_named("test look") is None


def test_the_wait_may_be_asked_for_each_time() -> None:
    waits = iter([0.0, 0.0, NEVER_S])
    look = Looks()
    with every(lambda: next(waits), look, name="test look"):
        look.wait_for(3)
    assert look.count == 3


def test_it_looks_sooner_when_it_is_told_to() -> None:
    sooner = threading.Event()
    look = Looks()
    with every(NEVER_S, look, name="test look", sooner=sooner):
        for times in (1, 1):
            look.wait_for(times)
            sooner.set()
        look.wait_for(1)
    assert look.count == 3


def test_a_look_that_is_done_is_the_last() -> None:
    look = Looks(then=True)
    with every(0.0, look, name="test look"):
        look.wait_for(1)
        thread = thread_named("test look")
        if thread is not None:
            thread.join(DEADLINE_S)
    assert look.count == 1


def test_what_it_raises_is_raised_at_the_end_of_the_block() -> None:
    look = Looks(then=RuntimeError("broken"))
    watching = every(0.0, look, name="test look")
    with pytest.raises(RuntimeError, match="broken"), watching:
        look.wait_for(1)
    assert look.count == 1


def test_an_error_of_the_block_itself_comes_first() -> None:
    look = Looks(then=RuntimeError("broken"))

    def block() -> None:
        with every(0.0, look, name="test look"):
            look.wait_for(1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        block()


def test_the_end_waits_for_a_look_under_way_but_no_longer_than_it_is_told_to() -> None:
    is_free, began = threading.Event(), threading.Event()

    def look() -> None:
        began.set()
        is_free.wait(DEADLINE_S)

    with every(NEVER_S, look, name="test look", join_s=0.01):
        assert began.wait(DEADLINE_S)
    thread = thread_named("test look")
    assert thread is not None
    is_free.set()
    thread.join(DEADLINE_S)
    assert not thread.is_alive()
