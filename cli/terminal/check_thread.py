"""Checks on a thread of their own, so that whoever shows them never waits for a network.

Rules for checks that go on (`repeats`)
- Every second what costs nothing: credentials, market hours, running streams, disk.
- Every minute what asks the broker: it is enough to see a fault come and go, and far below the
  limits of one login a second and three connections a client code.
- The end waits for the checks no longer than `_JOIN_S`; a feed that was opened is closed properly.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from types import TracebackType

from ...adapter.clock import Clock
from ...adapter.health import LOCAL_CHECKS, Check, Checkup
from ...adapter.waker import Waker

_LOCAL_EVERY_S = 1.0
_ALL_EVERY_S = 60.0
_JOIN_S = 2.0


class CheckThread:
    """A context manager; `bell` rings whenever there is something to `take`, and at the end."""

    def __init__(self, checkup: Checkup, bell: Waker, clock: Clock, *, repeats: bool) -> None:
        self.is_over = False
        self._checkup = checkup
        self._bell = bell
        self._clock = clock
        self._checks = self._repeated() if repeats else checkup.run()
        self._done: deque[Check] = deque()
        self._failure: BaseException | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checks", daemon=True)

    def take(self) -> list[Check]:
        """What was done since the last call. Raises what the thread died of."""
        taken: list[Check] = []
        while self._done:
            taken.append(self._done.popleft())
        if self._failure is not None:
            raise self._failure
        return taken

    def __enter__(self) -> CheckThread:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end.set()
        self._checkup.stop()
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        try:
            for check in self._checks:
                self._done.append(check)
                self._bell.wake()
        except BaseException as failure:  # noqa: BLE001  (raised where somebody can tell it)
            self._failure = failure
        self.is_over = True
        self._bell.wake()

    def _repeated(self) -> Iterator[Check]:
        all_due_s = self._clock.now_s()
        while not self._end.is_set():
            if self._clock.now_s() >= all_due_s:
                yield from self._checkup.run()
                all_due_s = self._clock.now_s() + _ALL_EVERY_S
            else:
                yield from self._checkup.run(LOCAL_CHECKS)
            self._end.wait(_LOCAL_EVERY_S)
