"""The time of a replay that can be paused: seconds that pass only while it runs.

Rules
- What is due at a moment is due that much later for each second of a pause; nothing is caught up.
- A wait ends at a stop, paused or not. A stop comes from a signal handler, so it takes no lock.
- The waker also ends the reading of a pipe (files/inputs.py), so `resume` wakes it only while the
  pause is being waited for, and no wake-up is left behind.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from ..clock import Clock
from ..waker import Waker


class RunningTime:
    """`pause` and `resume` come from any thread; `wait_until` is for the one that plays.

    `is_stopping` is asked after each wake-up.
    """

    def __init__(self, clock: Clock, waker: Waker, is_stopping: Callable[[], bool]) -> None:
        self._clock = clock
        self._waker = waker
        self._is_stopping = is_stopping
        self._lock = threading.Lock()
        """Guards all that follows; held for a few assignments at most."""
        self._began_s = clock.now_s()
        """Moved on by each pause that has ended."""
        self._paused_at_s: float | None = None
        self._is_waited_for = False

    def begin(self) -> None:
        """Count from 0, as from now."""
        with self._lock:
            self._began_s = self._clock.now_s()
            if self._paused_at_s is not None:
                self._paused_at_s = self._began_s

    @property
    def is_paused(self) -> bool:
        """Whether it is paused."""
        return self._paused_at_s is not None

    def now_s(self) -> float:
        """Seconds since the beginning, without the pauses."""
        with self._lock:
            at_s = self._clock.now_s() if self._paused_at_s is None else self._paused_at_s
            return at_s - self._began_s

    def pause(self) -> None:
        """Stop it until `resume`; does nothing during a pause."""
        with self._lock:
            if self._paused_at_s is None:
                self._paused_at_s = self._clock.now_s()

    def resume(self) -> None:
        """Let it run on; does nothing where it runs."""
        with self._lock:
            if self._paused_at_s is None:
                return
            self._began_s += self._clock.now_s() - self._paused_at_s
            self._paused_at_s = None
            if self._is_waited_for:
                self._waker.wake()

    def wait_until(self, due_s: float) -> None:
        """Wait until so many seconds have run and nothing is paused, or for a stop."""
        while not self._is_stopping():
            if self.is_paused:
                self._wait_for_the_end_of_the_pause()
            elif (left_s := self._began_s + due_s - self._clock.now_s()) > 0:
                self._waker.wait(left_s)
            else:
                return

    def _wait_for_the_end_of_the_pause(self) -> None:
        with self._lock:
            self._is_waited_for = self._paused_at_s is not None
        while self.is_paused and not self._is_stopping():
            self._waker.wait(None)
        with self._lock:
            self._is_waited_for = False
            self._waker.clear()
