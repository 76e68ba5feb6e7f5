"""Checks on a thread of their own, so that what shows them never waits for the network.

Rules for repeated checks (`repeats`)
- Every second those that cost nothing: credentials, market hours, running streams, disk.
- Every minute those that ask the broker: enough to see a fault come and go, and far below the
  limits of one login a second and three connections a client code.
- The end waits for the checks no longer than `_JOIN_S`; a feed that was opened is closed properly.
"""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack
from types import TracebackType

from ...adapter.clock import Clock
from ...adapter.health import LOCAL_CHECKS, Check, Checkup
from ...adapter.periodic import every
from ...adapter.waker import Waker

_LOCAL_EVERY_S = 1.0
_ALL_EVERY_S = 60.0
_JOIN_S = 2.0


class CheckThread:
    """A context manager; `waker` is woken whenever there is something to `take`, and at the end.

    The thread adds to `_done` and sets `_failure` and `is_over`, in this order; the owner reads
    them in the other one, so that nothing that was done is missed.
    """

    def __init__(self, checkup: Checkup, waker: Waker, clock: Clock, *, repeats: bool) -> None:
        self.is_over = False
        self._checkup = checkup
        self._waker = waker
        self._clock = clock
        self._repeats = repeats
        self._all_due_s = float("-inf")
        self._done: deque[Check] = deque()
        self._failure: BaseException | None = None
        self._stack = ExitStack()

    def take(self) -> list[Check]:
        """What was done since the last call. Raises what ended the thread."""
        taken: list[Check] = []
        while self._done:
            taken.append(self._done.popleft())
        if self._failure is not None:
            raise self._failure
        return taken

    def __enter__(self) -> CheckThread:
        self._stack.enter_context(
            every(_LOCAL_EVERY_S, self._run_due, name="checks", join_s=_JOIN_S)
        )
        self._stack.callback(self._checkup.stop)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(exc_type, exc, traceback)

    def _run_due(self) -> bool:
        """Do what is due; True when nothing follows."""
        names = LOCAL_CHECKS if self._clock.now_s() < self._all_due_s else None
        try:
            for check in self._checkup.run(names):
                self._done.append(check)
                self._waker.wake()
        except BaseException as failure:  # noqa: BLE001  (`take` raises it)
            self._failure = failure
        if names is None:
            self._all_due_s = self._clock.now_s() + _ALL_EVERY_S
        self.is_over = not self._repeats or self._failure is not None
        if self.is_over:
            self._waker.wake()
        return self.is_over
