"""Keys from the terminal that stdin is, while this job has it and a dashboard is drawn.

Rules
- Keys come one by one and without an echo (cbreak). The keys that send signals (Ctrl-C, Ctrl-Z,
  Ctrl-\\) send them as usual, and Ctrl-S and Ctrl-Q stop and resume output.
- The mode is set only while this job runs in the foreground: it is put back at the end, however it
  ends, before a suspension, and before a quit with a core dump. The shell has modes of
  its own: in the background nothing is read and nothing is set. A job that is brought back begins
  to read at the next look.
- The thread here waits for the terminal without a timer; it never draws and never waits for ticks.
  After each read it pauses for a moment: what is typed, or pasted, meanwhile comes at once.
- A terminal that is gone is no error: there are no further keys.
- SIGKILL leaves the mode behind; a shell that waits for its job puts its own back.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import signal
import termios
import threading
from collections.abc import Callable, Iterator
from typing import Any

from ...adapter.errors import ResourceLimitError
from ...adapter.limits import start_thread
from ...adapter.waker import Waker
from .key_decoder import KeyDecoder
from .terminal import is_in_foreground

_STDIN = 0
_ESCAPE_S = 0.05
"""How soon the rest of a sequence follows its Escape, over a slow line too."""
_REST_S = 0.03
_JOIN_S = 0.5
_AT_ONCE = 4096
_LOCAL_FLAGS, _CONTROL_CHARACTERS = 3, 6
"""Where `termios.tcgetattr` has them."""


class CbreakMode:
    """The mode of a terminal in which keys come one by one; `put_back` undoes it.

    Any thread may call it, and a signal handler that interrupts such a call.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.RLock()  # a handler may come in the middle
        self._before: list[Any] | None = None
        self.is_set = False
        """Whether it was set and, as far as is known here, is still set."""

    def set(self) -> bool:
        """Set it, where this job has the terminal; whether it is set.

        Raises termios.error where the terminal is gone.
        """
        with self._lock, _not_stopped_for_it():
            if not is_in_foreground(self._descriptor):
                return False
            now = termios.tcgetattr(self._descriptor)
            if self._before is None or now[_LOCAL_FLAGS] & termios.ICANON:
                self._before = now  # else a shell has put back ours, as it was at a suspension
            termios.tcsetattr(self._descriptor, termios.TCSANOW, _cbreak(now))
            self.is_set = True
            if not is_in_foreground(self._descriptor):  # it has just been taken away
                termios.tcsetattr(self._descriptor, termios.TCSANOW, now)
                self.is_set = False
        return self.is_set

    def put_back(self) -> None:
        """Put back what was there, where it is set and the terminal is still ours."""
        with self._lock, _not_stopped_for_it(), contextlib.suppress(termios.error):
            if self.is_set and self._before is not None and is_in_foreground(self._descriptor):
                termios.tcsetattr(self._descriptor, termios.TCSANOW, self._before)
            self.is_set = False

    def forget(self) -> None:
        """Another process may have set another mode since."""
        self.is_set = False


def _cbreak(mode: list[Any]) -> list[Any]:
    changed = [*mode]
    changed[_LOCAL_FLAGS] &= ~(termios.ICANON | termios.ECHO)
    changed[_CONTROL_CHARACTERS] = [*mode[_CONTROL_CHARACTERS]]
    changed[_CONTROL_CHARACTERS][termios.VMIN] = 1
    changed[_CONTROL_CHARACTERS][termios.VTIME] = 0
    return changed


@contextlib.contextmanager
def _not_stopped_for_it() -> Iterator[None]:
    """A job that loses the terminal at this very moment is not stopped, nor is the rest of it."""
    old = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)


class Keys:
    """Reads keys from `begin` to `end`. `take` gets them, as many as came at once; `changed` is
    called when reading begins or ends, and after a suspension. Both are called on the thread that
    reads, and must not wait. Where there can be no further thread, there are no keys.
    """

    def __init__(
        self,
        descriptor: int,
        take: Callable[[list[str]], None],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._descriptor = descriptor
        self._take = take
        self._changed = changed
        self._mode = CbreakMode(descriptor)
        self._decoder = KeyDecoder()
        self._waker = Waker()
        self._thread: threading.Thread | None = None
        # written by the thread alone
        self._is_reading = False
        self._is_gone = False
        # written by the main thread
        self._is_suspended = False
        self._is_over = False

    @property
    def is_reading(self) -> bool:
        """Whether a key would be taken."""
        return self._is_reading

    def begin(self) -> None:
        """Start."""
        atexit.register(self._mode.put_back)
        with contextlib.suppress(ResourceLimitError):
            self._thread = start_thread(self._run, name="keys")

    def look(self) -> None:
        """Notice whether the job was brought to the foreground; no shell says so. Cheap."""
        is_ours = is_in_foreground(self._descriptor)
        if is_ours is not self._is_reading and not (self._is_gone or self._is_suspended):
            self._waker.wake()

    def suspend(self) -> None:
        """Put the mode back at once. For a signal handler."""
        self._is_suspended = True
        self._mode.put_back()

    def resume(self) -> None:
        """Go on after a suspension. For a signal handler."""
        self._mode.forget()
        self._is_suspended = False
        self._waker.wake()

    def end(self) -> None:
        """Read nothing more, and put the mode back. What was not read is the shell's."""
        self._is_over = True
        self._waker.wake()
        if self._thread is not None:
            self._thread.join(_JOIN_S)
        self._mode.put_back()
        atexit.unregister(self._mode.put_back)

    # --- the thread ---

    def _run(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTIN})  # then `read` fails instead
        poll = select.poll()
        poll.register(self._waker.fileno(), select.POLLIN)
        while not self._is_over and self._follow(poll):
            ready = poll.poll(_ESCAPE_S * 1000 if self._decoder.is_waiting else None)
            if any(descriptor == self._waker.fileno() for descriptor, _ in ready):
                self._waker.clear()
                self._changed()
            elif ready:
                self._read()
                self._rest()
            else:
                self._hand_over(self._decoder.flush())
        self._is_reading = False

    def _follow(self, poll: select.poll) -> bool:
        """Read while the terminal is ours; else be woken alone. False where it is gone."""
        is_ours = is_in_foreground(self._descriptor) and not self._is_suspended
        if is_ours and not self._mode.is_set:
            try:
                is_ours = self._mode.set()
            except termios.error:
                self._is_gone, is_ours = True, False
        elif not is_ours:
            self._mode.forget()
        if is_ours is not self._is_reading:
            if is_ours:
                poll.register(self._descriptor, select.POLLIN)
            else:
                poll.unregister(self._descriptor)
            self._is_reading = is_ours
            self._changed()
        return not self._is_gone

    def _rest(self) -> None:
        if self._waker.wait(_REST_S) and not self._is_over:
            self._changed()

    def _read(self) -> None:
        if not is_in_foreground(self._descriptor):
            return  # these keys are the other job's
        try:
            data = os.read(self._descriptor, _AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            self._is_gone = is_in_foreground(self._descriptor)
            return
        self._is_gone = not data and self._mode.is_set
        self._hand_over(self._decoder.feed(data))

    def _hand_over(self, keys: list[str]) -> None:
        if keys and not self._is_over:
            self._take(keys)


def keys_of_stdin(
    take: Callable[[list[str]], None], changed: Callable[[], None] = lambda: None
) -> Keys | None:
    """The keys of the terminal that stdin is; None where it is none, or no file can be opened."""
    with contextlib.suppress(OSError):
        if os.isatty(_STDIN):
            return Keys(_STDIN, take, changed)
    return None
