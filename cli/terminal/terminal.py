"""What the standard streams lead to, and what the terminal behind them takes."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TextIO

_DUMB = ("dumb", "unknown")


@dataclass(frozen=True, slots=True)
class Terminal:
    """What the standard streams lead to. `is_shared`: stdout is the terminal that stderr is."""

    can_draw: bool
    has_color: bool
    is_shared: bool

    @classmethod
    def here(cls) -> Terminal:
        """The terminal of this process; NO_COLOR and TERM say what it takes."""
        is_shared = sys.stderr.isatty() and sys.stdout.isatty() and _device(1) == _device(2)
        return cls(can_draw_on(sys.stderr), has_color(), is_shared)

    def shows_dashboard(
        self, wanted: bool | None, *, writes_stdout: bool, is_quiet: bool = False
    ) -> bool:
        """Whether to draw. `wanted` None: where colour is on and nobody asked for quiet.

        Never over ticks: `writes_stdout` says that they were asked for on stdout.
        """
        if not self.can_draw or (writes_stdout and self.is_shared):
            return False
        return self.has_color and not is_quiet if wanted is None else wanted


def can_draw_on(stream: TextIO) -> bool:
    """Whether a stream leads to a terminal that takes more than lines."""
    return stream.isatty() and os.environ.get("TERM") not in _DUMB


def has_color() -> bool:
    """Whether nobody asked for no colour."""
    return not os.environ.get("NO_COLOR")


def _device(descriptor: int) -> int:
    return os.fstat(descriptor).st_rdev
