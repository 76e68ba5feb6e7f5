"""Who owns the terminal: words and dashboard on stderr, and the signals that end a command.

Ticks are data and never pass through here. A signal handler only sets a flag and rings a bell; a
second Ctrl-C ends the program at once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, TextIO

from ...adapter.errors import OutputError
from ...adapter.events import LogEntry
from ...adapter.snapshot import FeedSnapshot
from ..view.event_text import event_line, verbose_line
from .screen import Screen

if TYPE_CHECKING:
    from ..view.frame import Frame  # Rich: only those pay for it who look at it

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


class StopRequestedError(Exception):
    """Ctrl-C or SIGTERM before there was anything to stop: a good end."""


class Console:
    """What a person sees. `is_quiet` leaves errors only; `is_verbose` shows every event.

    With a `screen` there is a dashboard on it, between `showing` and its end; `owns_stdout`: that
    is the terminal of stdout too, so no ticks go there unasked.
    """

    def __init__(
        self,
        *,
        is_quiet: bool = False,
        is_verbose: bool = False,
        screen: Screen | None = None,
        has_color: bool = True,
        owns_stdout: bool = False,
    ) -> None:
        self.owns_stdout = owns_stdout
        self._is_quiet = is_quiet
        self._is_verbose = is_verbose
        self._screen = screen
        self._has_color = has_color
        self._is_showing = False

    @classmethod
    def on(
        cls,
        terminal: Terminal,
        dashboard: bool | None,
        *,
        writes_stdout: bool,
        is_quiet: bool,
        is_verbose: bool,
    ) -> Console:
        """The console of a command with a dashboard, drawn where it is wanted and can be."""
        draws = terminal.shows_dashboard(dashboard, writes_stdout=writes_stdout, is_quiet=is_quiet)
        return cls(
            is_quiet=is_quiet,
            is_verbose=is_verbose,
            screen=Screen(sys.stderr.fileno()) if draws else None,
            has_color=terminal.has_color,
            owns_stdout=draws and terminal.is_shared,
        )

    @property
    def screen(self) -> Screen | None:
        """Where the dashboard is drawn; None without one."""
        return self._screen

    def say(self, line: str) -> None:
        """One line on stderr, above the dashboard while there is one; no wait for a terminal then.

        A stderr that nobody reads any more is no reason to stop.
        """
        if self._is_quiet:
            return
        if self._screen is not None and self._is_showing:
            self._screen.say(line)
            return
        with contextlib.suppress(OSError, ValueError):
            print(line, file=sys.stderr, flush=True)

    def log_event(self, entry: LogEntry, *, is_one_of_several: bool = False) -> None:
        """An event in a line: all of them with -v, else those that change what to expect.

        `is_one_of_several`: name the connection, for there are more.
        """
        line_of = verbose_line if self._is_verbose else event_line
        line = line_of(entry, is_one_of_several=is_one_of_several)
        if line is not None:
            self.say(line)

    @contextlib.contextmanager
    def showing(self) -> Iterator[None]:
        """The dashboard's time. Its last frame stays, and what was said last comes below it."""
        if self._screen is None:
            yield
            return
        with held(self._screen):
            self._is_showing = True
            try:
                yield
            finally:
                self._is_showing = False

    def show(self, snapshot: FeedSnapshot) -> None:
        """Draw a feed, where there is a screen; the calling thread may wait for the terminal."""
        if self._screen is None:
            return
        from ..view.dashboard import render

        self.draw(lambda width, height: render(snapshot, width=width, height=height))

    def draw(self, render: Callable[[int, int], Frame]) -> None:
        """Draw what `render` makes for a width and a height, where there is a screen."""
        if self._screen is None:
            return
        frame = render(*self._screen.size())
        self._screen.draw(frame.ansi(has_color=self._has_color), frame.widths())


@contextlib.contextmanager
def held(screen: Screen) -> Iterator[None]:
    """A screen's time: it draws anew after the program was suspended, and its last block stays."""
    old = signal.signal(signal.SIGCONT, lambda _number, _frame: screen.forget())
    try:
        yield
    finally:
        signal.signal(signal.SIGCONT, old)
        screen.close()


def stop_signals() -> list[signal.Signals]:
    """What ends a command: SIGTERM and, unless they are ignored, SIGINT and SIGHUP.

    A script that starts a command with `&` has it ignore SIGINT, so that a Ctrl-C meant for the
    script does not end it; nohup does the same with SIGHUP.
    """
    unless_ignored = (signal.SIGINT, signal.SIGHUP)
    heeded = [each for each in unless_ignored if signal.getsignal(each) is not signal.SIG_IGN]
    return [signal.SIGTERM, *heeded]


class StopSignals:
    """While entered, the first SIGINT, SIGTERM or SIGHUP asks for a stop and a second SIGINT ends
    at once. What the caller ignores (see `stop_signals`) stays ignored.

    Before `hand_to` names who is to stop, a signal raises StopRequestedError where it strikes.
    """

    def __init__(self) -> None:
        self._stop: Callable[[], None] | None = None
        self._is_asked = False
        self._is_broken_off = False

    def hand_to(self, stop: Callable[[], None]) -> None:
        """From now on a signal calls `stop`, which must be safe in a handler."""
        self._stop = stop

    @contextlib.contextmanager
    def installed(self) -> Iterator[StopSignals]:
        """Handle the signals inside the block, and restore the old handlers after it."""
        signals = stop_signals()
        old = [signal.signal(number, self._caught) for number in signals]
        try:
            yield self
        finally:
            for number, handler in zip(signals, old, strict=True):
                signal.signal(number, handler)

    def break_off(self) -> None:
        """From another thread: raise OutputError in the main one, even out of a blocked write."""
        self._is_broken_off = True
        main = threading.main_thread().ident
        if main is not None:
            signal.pthread_kill(main, signal.SIGTERM)

    def _caught(self, number: int, frame: FrameType | None) -> None:
        if self._is_broken_off:
            self._is_broken_off = False
            raise OutputError("nobody reads what is written")
        if self._is_asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._is_asked = True
        if self._stop is None:
            raise StopRequestedError
        self._stop()
