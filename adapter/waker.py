"""A bell that one thread rings and another waits for on a selector.

Ringing is one write to a descriptor: safe from a signal handler, never blocks, never waits for a
lock (an `Event.set()` inside a handler can deadlock with the thread that waits on it).
"""

from __future__ import annotations

import contextlib
import select
import socket


class Waker:
    """`ring()` from anywhere; the one waiter `wait()`s, or registers `fileno()` and `clear()`s."""

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._poll = select.poll()
        self._poll.register(self._reader, select.POLLIN)

    def fileno(self) -> int:
        """What a selector watches for reading."""
        return self._reader.fileno()

    def signal_fileno(self) -> int:
        """What `signal.set_wakeup_fd` may write to."""
        return self._writer.fileno()

    def wake(self) -> None:
        """Wake the waiter; a bell that rings already stays ringing, a closed one is silent."""
        with contextlib.suppress(BlockingIOError, OSError):
            self._writer.send(b"\0")

    def clear(self) -> None:
        """Silence the bell, before looking at what it was rung for."""
        with contextlib.suppress(BlockingIOError):
            self._reader.recv(4096)

    def wait(self, timeout_s: float | None) -> bool:
        """Whether the bell rang within `timeout_s` seconds (None: wait for ever); clears it."""
        rang = bool(self._poll.poll(None if timeout_s is None else max(0.0, timeout_s) * 1000))
        if rang:
            self.clear()
        return rang

    def close(self) -> None:
        self._reader.close()
        self._writer.close()

    def __del__(self) -> None:
        """A bell goes with its owner; nobody has to remember it."""
        self.close()
