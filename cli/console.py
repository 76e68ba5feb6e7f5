"""Who owns the terminal: words to a person on stderr, and the signals that end a command.

Ticks are data and never pass through here. A signal handler only sets a flag and rings a bell; a
second Ctrl-C ends the program at once.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType

from ..adapter.feed.events import FeedEvent

_TOLD_ALWAYS = frozenset(
    {"lost", "waiting", "recovered", "gave_up", "quiet", "refused", "renewal_failed", "dropped"}
)


class StopRequestedError(Exception):
    """Ctrl-C or SIGTERM before there was anything to stop: a good end."""


class Console:
    """What is said to a person. `is_quiet` leaves errors only; `is_verbose` tells every event."""

    def __init__(self, *, is_quiet: bool = False, is_verbose: bool = False) -> None:
        self._is_quiet = is_quiet
        self._is_verbose = is_verbose

    def say(self, line: str) -> None:
        """One line on stderr; a stderr that nobody reads any more is no reason to stop."""
        if self._is_quiet:
            return
        with contextlib.suppress(OSError, ValueError):
            print(line, file=sys.stderr, flush=True)

    def tell(self, event: FeedEvent) -> None:
        """An event in a line: all of them with -v, else those that change what to expect."""
        if self._is_verbose:
            self.say(f"{event.at} {_of(event)}{event}")
        elif event.name in _TOLD_ALWAYS:
            self.say(f"{event.at[11:19]} {_of(event)}{event}")


def _of(event: FeedEvent) -> str:
    return f"connection {event.connection}: " if event.connection else ""


class StopSignals:
    """While entered, the first SIGINT or SIGTERM asks for a stop and a second SIGINT ends at once.

    Before `hand_to` names who is to stop, a signal raises StopRequestedError where it strikes.
    """

    def __init__(self) -> None:
        self._stop: Callable[[], None] | None = None
        self._is_asked = False

    def hand_to(self, stop: Callable[[], None]) -> None:
        """From now on a signal calls `stop`, which must be safe in a handler."""
        self._stop = stop

    @contextlib.contextmanager
    def installed(self) -> Iterator[StopSignals]:
        """Handle the signals inside the block, and restore the old handlers after it."""
        signals = (signal.SIGINT, signal.SIGTERM)
        old = [signal.signal(number, self._caught) for number in signals]
        try:
            yield self
        finally:
            for number, handler in zip(signals, old, strict=True):
                signal.signal(number, handler)

    def _caught(self, number: int, frame: FrameType | None) -> None:
        if self._is_asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._is_asked = True
        if self._stop is None:
            raise StopRequestedError
        self._stop()
