"""The signals that end a command, or suspend one that draws.

A signal handler only sets a flag and calls what is safe in a handler; a second Ctrl-C ends the
program at once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TypeAlias

from ...adapter.errors import OutputError
from .keys import Keys
from .screen import Screen

_ONE_PRESS_S = 0.05
"""A SIGINT that follows another one sooner may be the same: `timeout -s INT` sends it twice."""
_IN_TIME_S = 1.0

Handler: TypeAlias = Callable[[int, FrameType | None], None]


class StopRequestedError(Exception):
    """Ctrl-C or SIGTERM before there was anything to stop: a good end."""


@contextlib.contextmanager
def held(screen: Screen, keys: Keys | None = None) -> Iterator[None]:
    """While a screen is in use: it starts afresh after a suspension, and its last block stays.

    With `keys` the terminal has its own mode back before it is suspended, or quit with Ctrl-\\.
    """

    def go_on(_number: int, _frame: FrameType | None) -> None:
        screen.forget()
        if keys is not None:
            keys.resume()

    def leave(number: int, _frame: FrameType | None) -> None:
        with screen.standing():
            if keys is not None:
                keys.suspend()
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            signal.signal(number, leave)  # here it goes on, if it was a suspension
        go_on(number, None)

    handlers: dict[int, Handler] = {signal.SIGCONT: go_on}
    leaving = (signal.SIGTSTP,) if keys is None else (signal.SIGTSTP, signal.SIGQUIT)
    handlers |= {each: leave for each in leaving if signal.getsignal(each) is signal.SIG_DFL}
    old = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        if keys is not None:
            keys.begin()
        yield
    finally:
        if keys is not None:
            keys.end()
        for number, handler in old.items():
            signal.signal(number, handler)
        screen.close()


def stop_signals() -> list[signal.Signals]:
    """What ends a command: SIGTERM and, unless they are ignored, SIGINT and SIGHUP.

    A script that starts a command with `&` has it ignore SIGINT, so that a Ctrl-C meant for the
    script does not end it; nohup does the same with SIGHUP.
    """
    unless_ignored = (signal.SIGINT, signal.SIGHUP)
    handled = [each for each in unless_ignored if signal.getsignal(each) is not signal.SIG_IGN]
    return [signal.SIGTERM, *handled]


class StopSignals:
    """While entered, the first SIGINT, SIGTERM or SIGHUP requests a stop and a second SIGINT ends
    at once, or within a second where it may be the first one again. What the caller ignores (see
    `stop_signals`) stays ignored.

    Until `hand_to` says what to stop, a signal raises StopRequestedError where it arrives.
    `now_s` is a monotonic clock.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._interrupted_s = float("-inf")
        self._stop: Callable[[], None] | None = None
        self.is_interrupted = False
        """Whether Ctrl-C was pressed: a terminal shows that as `^C`, and the line goes on."""
        self._is_asked = False
        self._is_broken_off = False

    def request_stop(self) -> None:
        """Stop as the first Ctrl-C does, from any thread; a Ctrl-C after it is the second."""
        self._is_asked = True
        if self._stop is not None:
            self._stop()

    def hand_to(self, stop: Callable[[], None] | None) -> None:
        """From now on a signal calls `stop`, which must be safe in a handler; None: as before."""
        self._stop = stop
        if self._is_asked and stop is not None:  # when there was nothing to stop yet
            stop()

    @contextlib.contextmanager
    def installed(self) -> Iterator[StopSignals]:
        """Handle the signals inside the block, and restore the old handlers after it."""
        signals = [*stop_signals(), signal.SIGALRM]
        old = [signal.signal(number, self._caught) for number in signals]
        try:
            yield self
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
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
            raise OutputError("the output is blocked: its reader does not read")
        if number == signal.SIGALRM:  # what came twice at once was not enough
            raise KeyboardInterrupt
        if number == signal.SIGINT:
            before_s, self._interrupted_s = self._interrupted_s, self._now_s()
            if self._interrupted_s - before_s < _ONE_PRESS_S:
                signal.setitimer(signal.ITIMER_REAL, _IN_TIME_S)
                return
            if self._is_asked:
                raise KeyboardInterrupt
        self._is_asked = True
        self.is_interrupted = self.is_interrupted or number == signal.SIGINT
        if self._stop is None:
            raise StopRequestedError
        self._stop()
