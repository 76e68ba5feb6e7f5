"""A command of the user's that is run when something happens to the feed.

Rules
- It is run when the feed is lost, silent, back, or given up. The event is one line of JSON on its
  standard input, as in a file of events; what it prints goes nowhere.
- One at a time: later events wait, `MOST_WAITING` of them, and then the oldest go, counted.
- One that takes longer than `LONGEST_S` is killed, with what it started.
- Only the end of the stream waits for it, `GRACE_S` at most: a feed lost for good is the last
  event.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType

from .events import GaveUp, LogEntry, Lost, Recovered, Silent

COMMAND_EVENTS = (Lost, Silent, Recovered, GaveUp)
LONGEST_S = 30.0
GRACE_S = 3.0
MOST_WAITING = 100
_JOIN_S = 1.0


class EventCommand:
    """Runs `command` in a shell for each event that it is given; a context manager.

    `note` gets a line for people where a command fails, is killed, or is not run.

    Threads: `enqueue` is for any thread and never waits. The commands run on a thread of their own,
    which waits for events and for the command, and wakes for nothing else.
    """

    def __init__(self, command: str, note: Callable[[str], None]) -> None:
        self._command = command
        self._note = note
        self._waiting: deque[LogEntry] = deque()
        self._not_run = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ending = False
        self._is_over = False
        self._changed = threading.Condition()
        """Guards the five above."""
        self._thread = threading.Thread(target=self._run, name="on event", daemon=True)

    def __enter__(self) -> EventCommand:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._changed:
            self._is_ending = True
            self._changed.notify()
        self._thread.join(GRACE_S)
        with self._changed:
            self._is_over = True
            self._kill(self._process)
        self._thread.join(_JOIN_S)
        with self._changed:
            not_run = self._not_run + len(self._waiting)
        if not_run:
            self._note(f"the event command was not run for {not_run:,} of the events")

    def enqueue(self, entry: LogEntry) -> None:
        """Run the command for this event, if it is one of COMMAND_EVENTS, when its turn comes."""
        if not isinstance(entry.event, COMMAND_EVENTS):
            return
        with self._changed:
            self._waiting.append(entry)
            if len(self._waiting) > MOST_WAITING:
                self._waiting.popleft()
                self._not_run += 1
            self._changed.notify()

    # --- on the thread ---

    def _run(self) -> None:
        while (entry := self._next()) is not None:
            problem = self._problem_of(entry)
            if problem:
                self._note(f"the event command {problem} ({entry.event.name})")

    def _next(self) -> LogEntry | None:
        """The next event; None at the end."""
        with self._changed:
            while not self._waiting and not self._is_ending:
                self._changed.wait()
            if self._is_over or not self._waiting:
                return None
            return self._waiting.popleft()

    def _problem_of(self, entry: LogEntry) -> str:
        """Run the command to its end; "" on success."""
        is_late = threading.Event()

        def give_up() -> None:
            is_late.set()
            with self._changed:
                self._kill(self._process)

        limit = threading.Timer(LONGEST_S, give_up)
        limit.daemon = True
        try:
            limit.start()  # first: a command without a limit is never run
            process = subprocess.Popen(  # noqa: S602  (a command for the shell is what was given)
                self._command,
                shell=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is not for it; it is killed as a group
            )
        except (OSError, ValueError, RuntimeError) as error:  # the last: no thread is left
            limit.cancel()
            return f"could not be started: {error}"
        with self._changed:
            self._process = process
            if self._is_over:
                self._kill(process)
        with process:
            self._write_event(process, f"{entry.to_json()}\n".encode(errors="backslashreplace"))
            code = process.wait()
        limit.cancel()
        with self._changed:
            self._process, is_over = None, self._is_over
        if is_late.is_set():
            return f"was killed after {LONGEST_S:g} s"
        if code < 0 and is_over:
            return "was killed, as the stream has ended"
        return f"failed with exit code {code}" if code else ""

    @staticmethod
    def _write_event(process: subprocess.Popen[bytes], line: bytes) -> None:
        """Give the command its event. A command that does not read it is waited for elsewhere."""
        pipe = process.stdin
        assert pipe is not None  # noqa: S101  (asked for above)
        os.set_blocking(pipe.fileno(), False)  # an event is far shorter than what a pipe holds
        with contextlib.suppress(OSError):
            pipe.write(line)
        with contextlib.suppress(OSError):
            pipe.close()

    @staticmethod
    def _kill(process: subprocess.Popen[bytes] | None) -> None:
        """End a command and what it started in its group."""
        if process is not None and process.returncode is None:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
