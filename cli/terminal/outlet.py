"""A descriptor for messages that may not be read: a frozen terminal, a full pipe.

Rules
- The writes are made on a daemon thread: whether a terminal will block cannot be found out
  beforehand.
- A caller waits until its message is out, so that it comes before whatever is written elsewhere
  next, but for `PATIENCE_S` at most, and not at all while earlier messages are stuck.
- At most `MOST_BYTES` wait. What does not fit is left out; its lines are counted, and the count is
  written once the reader reads again.
- A reader that is gone gets nothing more, and that is no error.
"""

from __future__ import annotations

import io
import os
import select
import stat
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

PATIENCE_S = 0.25
MOST_BYTES = 1 << 20
_IDLE_S = 1.0
"""How long the thread waits for the next message before it ends."""
END_S = 0.8
"""How long the end of a command waits for messages that are still on their way."""


class Outlet(io.RawIOBase):
    """Writes to `descriptor`, for any thread; never raises for what happens to the reader."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._is_file = _is_file(descriptor)
        self._changed = threading.Condition()
        """Guards all that follows: callers add, the writing thread removes."""
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._left_out = 0
        self._is_stuck = False
        self._has_thread = False

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def writable(self) -> bool:
        return True

    @property
    def is_stuck(self) -> bool:
        """Whether nothing is being read: messages wait, and further ones will not be waited for."""
        return self._is_stuck

    def write(self, message: bytes | bytearray | memoryview) -> int:  # type: ignore[override]
        """Write a message, or keep it until it can be written. The size of the message."""
        data = bytes(message)
        if not self._is_file and self._hand_over(data):
            self.drain(0.0 if self._is_stuck else PATIENCE_S)
        else:
            _write(self._descriptor, data)
        return len(data)

    def drain(self, within_s: float) -> bool:
        """Wait until everything is out, `within_s` seconds at most; whether it is."""
        with self._changed:
            is_out = self._changed.wait_for(lambda: not self._waiting, within_s)
            self._is_stuck = not is_out
        return is_out

    def _hand_over(self, data: bytes) -> bool:
        """Whether the thread has it now. At the limit of threads there is none."""
        with self._changed:
            if not self._has_thread:
                thread = threading.Thread(target=self._work, name="messages", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    return False
                self._has_thread = True
            if self._waiting_bytes + len(data) > MOST_BYTES:
                self._left_out += max(1, data.count(b"\n"))
            else:
                self._add_count()
                self._add(data)
        return True

    def _add(self, data: bytes) -> None:
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        self._changed.notify_all()

    def _add_count(self) -> None:
        if self._left_out:
            lines = "1 line was" if self._left_out == 1 else f"{self._left_out:,} lines were"
            self._add(f"ticks: {lines} left out here, because nothing was being read\n".encode())
            self._left_out = 0

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._changed.wait_for(lambda: self._waiting, _IDLE_S):
                    self._has_thread = False
                    return
                data = self._waiting[0]
            _write(self._descriptor, data)
            with self._changed:
                self._waiting.popleft()
                self._waiting_bytes -= len(data)
                if not self._waiting:
                    self._is_stuck = False
                    self._add_count()
                self._changed.notify_all()


def _is_file(descriptor: int) -> bool:
    try:
        return stat.S_ISREG(os.fstat(descriptor).st_mode)
    except OSError:
        return False


def _write(descriptor: int, data: bytes) -> None:
    """All of it, waiting as long as it takes; nothing more once the reader is gone."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:  # another process that shares the descriptor made it non-blocking
            poll = select.poll()
            poll.register(descriptor, select.POLLOUT)
            poll.poll()
        except OSError:
            return


def outlet_of(stream: TextIO) -> Outlet:
    """The outlet that `stream` writes to, or a new one for its descriptor."""
    raw = getattr(stream, "buffer", None)
    return raw if isinstance(raw, Outlet) else Outlet(stream.fileno())


@contextmanager
def unblocked_stderr() -> Iterator[None]:
    """In the block everything that is printed on stderr goes through an outlet."""
    old = sys.stderr
    outlet = Outlet(old.fileno())
    sys.stderr = io.TextIOWrapper(
        outlet,
        encoding=old.encoding,
        errors="backslashreplace",
        line_buffering=True,
    )
    try:
        yield
    finally:
        sys.stderr.flush()
        outlet.drain(END_S)
        sys.stderr = old
