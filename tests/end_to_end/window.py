"""A real pseudo-terminal to look at."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import selectors
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
DEADLINE_S = 30.0


class Window:
    """A terminal window of 80x24, or of another size, that keeps every byte written to it."""

    def __init__(self, columns: int = 80, lines: int = 24) -> None:
        self._master, self.tty = pty.openpty()
        fcntl.ioctl(self.tty, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
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

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    def close(self) -> None:
        os.close(self._master)
        os.close(self.tty)


_SHELL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
"""


class Shell(Window):
    """A window in which an interactive bash runs, with jobs and the keys that control them."""

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        super().__init__()
        self._shell = subprocess.Popen(
            ["python3", "-c", _SHELL],
            stdin=self.tty,
            stdout=self.tty,
            stderr=self.tty,
            env={**environ, "TERM": "xterm", "PS1": "$ ", "HISTFILE": ""},
            cwd=folder,
            start_new_session=True,
        )
        self.read_until(lambda: "$ " in self.text)

    @property
    def session(self) -> int:
        """The session of the shell and of all that it starts."""
        return self._shell.pid

    def run(self, line: str) -> None:
        """Type a line, and forget what was shown before it."""
        self.raw = ""
        self.type(f"{line}\n")

    def close(self) -> None:
        self._shell.kill()
        self._shell.wait()
        super().close()


def is_whole(raw: str) -> bool:
    """Whether the terminal is in its usual state after this: cursor, wrapping, updates."""
    pairs = (("?25l", "?25h"), ("?7l", "?7h"), ("?2026h", "?2026l"))
    return all(raw.rfind(f"\x1b[{on}") <= raw.rfind(f"\x1b[{off}") for on, off in pairs)
