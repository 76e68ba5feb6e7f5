"""A block of lines on a terminal, redrawn in place, with messages above it that stay.

Rules
- Between two writes the terminal keeps no mode of ours: no hidden cursor, no other screen. So it is
  clean however the program ends, even by SIGKILL or Ctrl-Z, and the last frame stays where it is.
- A draw is one write, in full: what others wrote there meanwhile is overwritten.
- The block never holds the terminal's last line; the cursor rests there.
- `print_line` never waits for the terminal. Only `draw` and `close` write, and they do not wait for
  a terminal that is stuck (outlet.py): a frame is skipped, messages are kept, bounded.
- While another job has the terminal (this one is in the background), no block is drawn: messages
  are written as plain lines, as any job's are. The first draw in the foreground starts afresh.
- A suspension waits for a draw that is under way (`standing`): else it is finished in the
  background.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from .outlet import PATIENCE_S, Outlet
from .terminal import is_in_foreground

_BEGIN, _END = "\x1b[?2026h\x1b[?25l", "\x1b[?25h\x1b[?2026l"
"""All or nothing where the terminal supports it; no visible cursor while drawing."""
_NO_WRAP, _WRAP = "\x1b[?7l", "\x1b[?7h"
_CLEAR_LINE, _DOWN = "\x1b[K", "\x1b[B"
"""Lines are cleared one by one: a screen that is cleared whole goes to the scroll-back of some."""
_MOST_SAID = 1_000
"""Lines that wait for a terminal that accepts nothing."""
_FALLBACK_SIZE = os.terminal_size((80, 24))


class Screen:
    """The terminal behind an outlet. `draw` and `close` belong to one thread at a time."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._descriptor = outlet.fileno()
        self._said: deque[str] = deque()
        self._left_out = 0
        self._lock = threading.Lock()
        self._drawing = threading.RLock()  # a handler may interrupt a draw of its own thread
        self._block: list[str] = []
        self._lengths: list[int] = []
        self._width = 0

    def size(self) -> tuple[int, int]:
        """Columns, and lines that a block may have."""
        try:
            found = os.get_terminal_size(self._descriptor)
        except OSError:
            found = _FALLBACK_SIZE
        columns, lines = found if found.columns and found.lines else _FALLBACK_SIZE
        return columns, max(1, lines - 1)

    def print_line(self, line: str) -> None:
        """Show `line` above the block, with the next draw."""
        with self._lock:
            self._said.append(line)
            if len(self._said) > _MOST_SAID:
                self._said.popleft()
                self._left_out += 1

    def draw(self, block: Sequence[str], lengths: Sequence[int]) -> None:
        """Replace the block. `lengths` are the columns that its lines take."""
        with self._drawing:
            self._draw(block, lengths)

    def _draw(self, block: Sequence[str], lengths: Sequence[int]) -> None:
        if self._outlet.is_stuck:
            return
        if not is_in_foreground(self._descriptor):
            self.close()
            return
        width, _ = self.size()
        said = self._take_said()
        if not said and width == self._width and list(block) == self._block:
            return
        clears = bool(said) or width != self._width or len(block) < len(self._block)
        words = "".join(f"{line}\r\n" for line in said)
        lines = "".join(f"{_CLEAR_LINE}{line}\r\n" for line in block)
        self._write(
            f"{_BEGIN}{self._to_the_top(width, clears=clears)}{words}"
            f"{_NO_WRAP}{lines}{_CLEAR_LINE}{_WRAP}{_END}"
        )
        self._block, self._lengths, self._width = list(block), list(lengths), width

    @contextmanager
    def standing(self) -> Iterator[None]:
        """In the block nothing is drawn; afterwards the next draw starts afresh."""
        is_free = self._drawing.acquire(timeout=PATIENCE_S * 2)
        try:
            yield
        finally:
            self.forget()
            if is_free:
                self._drawing.release()

    def refresh(self) -> None:
        """Others wrote over the block: the next draw writes all of it, in its place."""
        self._width = 0

    def forget(self) -> None:
        """Others wrote below the block (the program was suspended): the next draw starts afresh."""
        self._block, self._lengths = [], []

    def close(self) -> None:
        """Print the pending messages below the block; the block stays."""
        said = self._take_said()
        if said:
            self._write("".join(f"{line}\r\n" for line in said))
        self.forget()

    def _take_said(self) -> list[str]:
        with self._lock:
            said = [*self._said]
            self._said.clear()
            if self._left_out:
                said.insert(0, f"{self._left_out:,} earlier lines were left out")
                self._left_out = 0
        return said

    def _to_the_top(self, width: int, *, clears: bool) -> str:
        """To the block's first line. A terminal made narrower has wrapped the longer lines."""
        rows = sum(max(1, -(-length // width)) for length in self._lengths)
        if not rows:
            return "\r"
        up = f"\r\x1b[{rows}A"
        # The line below too: a terminal shows `^C` there.
        return f"{up}{(_CLEAR_LINE + _DOWN) * rows}{_CLEAR_LINE}{up}" if clears else up

    def _write(self, text: str) -> None:
        self._outlet.write(text.encode("utf-8", "replace"))
