"""What the standard streams lead to, what the terminal behind them takes, and who has it now.

Rules for a dashboard that is neither asked for nor refused
- It is drawn where stderr is a terminal that can do more than print lines.
- It is not drawn while ticks go into a pipe or a socket: its reader (awk, jq, less) most likely
  writes to the same terminal. Nor over ticks that go to that terminal themselves.
- Nothing is drawn while the terminal is another job's: in the background.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

_DUMB = ("dumb", "unknown")
_STDIN, _STDOUT, _STDERR = range(3)


@dataclass(frozen=True, slots=True)
class Terminal:
    """What the standard streams lead to. `is_shared`: stdout is the terminal that stderr is."""

    can_draw: bool
    is_shared: bool

    @classmethod
    def here(cls) -> Terminal:
        """The terminal of this process; TERM says what it can do."""
        is_shared = sys.stderr.isatty() and sys.stdout.isatty() and _is_stderr("-")
        return cls(can_draw_on(sys.stderr), is_shared)

    def shows_dashboard(
        self, wanted: bool | None, paths: Sequence[str], *, is_quiet: bool = False
    ) -> bool:
        """Whether to draw while rows are written to `paths` (`-` is stdout).

        `wanted`: what the user asked for, None for the default: not for a quiet command, and not
        for one that feeds a pipe.
        """
        if not self.can_draw or any(map(_is_stderr, paths)):
            return False
        return not (is_quiet or any(map(is_pipe, paths))) if wanted is None else wanted


def can_draw_on(stream: TextIO) -> bool:
    """Whether a stream leads to a terminal that can do more than print lines."""
    return stream.isatty() and os.environ.get("TERM") not in _DUMB


def has_color(choice: str = "auto") -> bool:
    """Whether to colour what is drawn: `always`, `never`, or unless NO_COLOR is set."""
    return choice == "always" or (choice == "auto" and not os.environ.get("NO_COLOR"))


def is_in_foreground(descriptor: int) -> bool:
    """Whether the terminal behind a descriptor is this job's now.

    A terminal that does not control this process has no jobs of ours, so none that is behind.
    """
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return True


def is_pipe(path: str) -> bool:
    """Whether what is written to `path` goes to another process (`-` is stdout)."""
    return _is_pipe(_status(path))


def is_piped_in(path: str) -> bool:
    """Whether what is read from `path` comes from another process (`-` is stdin)."""
    return _is_pipe(_status(path, _STDIN))


def _is_pipe(found: os.stat_result | None) -> bool:
    return found is not None and (stat.S_ISFIFO(found.st_mode) or stat.S_ISSOCK(found.st_mode))


def _is_stderr(path: str) -> bool:
    """Whether `path` is the terminal that stderr is."""
    found = _status(path)
    return (
        found is not None
        and stat.S_ISCHR(found.st_mode)
        and os.isatty(_STDERR)
        and found.st_rdev == os.fstat(_STDERR).st_rdev
    )


def _status(path: str, standard: int = _STDOUT) -> os.stat_result | None:
    """`-` is the standard stream of this number."""
    try:
        return os.fstat(standard) if path == "-" else os.stat(path)
    except (OSError, ValueError):  # a file that is yet to be made; a name that none can have
        return None
