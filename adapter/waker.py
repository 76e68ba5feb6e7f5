"""Wakes one thread, which waits on a selector, from another thread or from a signal handler.

Waking is one write to a descriptor: safe in a signal handler, never blocks, never waits for a lock
(an `Event.set()` inside a handler can deadlock with the thread that waits on it).
"""

from __future__ import annotations

import contextlib
import select
import socket


class Waker:
    """`wake()` from anywhere; the one waiter `wait()`s, or registers `fileno()` and `clear()`s."""

    def __init__(self) -> None:
        """Raises OSError at the limit of open files."""
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._poll = select.poll()
        self._poll.register(self._reader, select.POLLIN)

    def fileno(self) -> int:
        """What a selector watches for reading."""
        return self._reader.fileno()

    def wake(self) -> None:
        """Wake the waiter. Waking it twice is waking it once; after `close` nothing happens."""
        with contextlib.suppress(BlockingIOError, OSError):
            self._writer.send(b"\0")

    def clear(self) -> None:
        """Take the wake-ups that came, before looking at what they were for."""
        with contextlib.suppress(BlockingIOError):
            self._reader.recv(4096)

    def wait(self, timeout_s: float | None) -> bool:
        """Whether it was woken within `timeout_s` seconds (None: no limit); clears it."""
        is_woken = bool(self._poll.poll(None if timeout_s is None else max(0.0, timeout_s) * 1000))
        if is_woken:
            self.clear()
        return is_woken

    def close(self) -> None:
        self._reader.close()
        self._writer.close()

    def __del__(self) -> None:
        """Its descriptors are closed with its owner; nothing else has to close them."""
        if hasattr(self, "_writer"):
            self.close()
