"""A real pseudo-terminal to look at."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import selectors
import struct
import termios
import time
from collections.abc import Callable

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
DEADLINE_S = 30.0


class Window:
    """A terminal window of 80x24 that keeps every byte written to it."""

    def __init__(self) -> None:
        self._master, self.tty = pty.openpty()
        fcntl.ioctl(self.tty, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.modes = termios.tcgetattr(self.tty)
        self.raw = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    @property
    def text(self) -> str:
        """What was written, without escape codes."""
        return ESCAPES.sub("", self.raw).replace("\r", "")

    def read_until(self, is_true: Callable[[], bool]) -> None:
        """Read what is written until something holds; fails after the deadline."""
        give_up_at = time.monotonic() + DEADLINE_S
        with selectors.DefaultSelector() as selector:
            selector.register(self._master, selectors.EVENT_READ)
            while not is_true():
                assert time.monotonic() < give_up_at, self.text[-2000:]
                if selector.select(0.05):
                    self.raw += self._decoder.decode(os.read(self._master, 65_536))

    def close(self) -> None:
        os.close(self._master)
        os.close(self.tty)


def is_whole(raw: str) -> bool:
    """Whether the terminal is in its usual state after this: cursor, wrapping, updates."""
    pairs = (("?25l", "?25h"), ("?7l", "?7h"), ("?2026h", "?2026l"))
    return all(raw.rfind(f"\x1b[{on}") <= raw.rfind(f"\x1b[{off}") for on, off in pairs)
