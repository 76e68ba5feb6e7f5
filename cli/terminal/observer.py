"""What runs beside the recorder: events to their file, lines and dashboard to whoever watches.

A thread of its own, so that neither a slow terminal nor a slow disk for events holds up a tick,
and a blocked output does not hide what happens to the feed.

Rules
- It looks four times a second and draws once a second while all is well, at every look while
  something is awaited, and at once when something happened or the terminal's size changed.
- The status for other processes is replaced once a second, and removed at the end.
- An events file that can no longer be written is reported at once and is the run's failure in the
  end (`failure`); the ticks go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType

from ...adapter.broker import BrokerAdapter
from ...adapter.errors import OutputError
from ...adapter.events import LogEntry
from ...adapter.files.outputs import Output, open_event_file
from ...adapter.periodic import every
from ...adapter.recorder import Recorder
from ...adapter.snapshot import FeedSnapshot
from ...adapter.status_file import StatusFile
from .console import Console

_LOOK_EVERY_S = 0.25
_DRAW_EVERY_S = _STATUS_EVERY_S = 1.0


class Observer:
    """A context manager around `Recorder.run`; OutputError when `events` cannot be opened."""

    def __init__(
        self,
        broker: BrokerAdapter,
        recorder: Recorder,
        console: Console,
        status: StatusFile,
        *,
        events: str | None,
    ) -> None:
        self.failure: OutputError | None = None
        self._broker = broker
        self._recorder = recorder
        self._console = console
        self._status = status
        self._has_status = True
        self._status_at_s = float("-inf")
        self._events_path = events
        self._events: Output | None = None
        self._size: tuple[int, int] | None = None
        self._is_counting_down = False
        self._drawn_at_s = float("-inf")
        self._stack = ExitStack()

    def __enter__(self) -> Observer:
        if self._events_path is not None:
            self._events = open_event_file(self._events_path, note=self._console.say)
            self._stack.callback(self._close_events)
        self._stack.enter_context(self._console.showing())
        self._stack.callback(self._finish)
        self._stack.enter_context(every(_LOOK_EVERY_S, self._look, name="observer"))
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(exc_type, exc, traceback)

    def _finish(self) -> None:
        """The thread has ended: what was logged meanwhile, and the last frame."""
        self._look(is_last=True)
        self._status.remove()

    def _look(self, *, is_last: bool = False) -> None:
        events = self._broker.events.take()
        size = None if self._console.screen is None else self._console.screen.size()
        now_s = self._broker.clock.now_s()
        is_due = now_s - self._drawn_at_s >= (0.0 if self._is_counting_down else _DRAW_EVERY_S)
        if not (is_due or events or is_last or size != self._size):
            return
        self._size, self._drawn_at_s = size, now_s
        snapshot = self._snapshot(size)
        for entry in events:
            self._console.log_event(entry, is_one_of_several=len(snapshot.connections) > 1)
        self._record(events)
        self._replace_status(snapshot, now_s)
        self._console.show(snapshot)

    def _replace_status(self, snapshot: FeedSnapshot, now_s: float) -> None:
        """For `ticks health` in another process. Where that cannot be, it is reported once."""
        if not self._has_status or now_s - self._status_at_s < _STATUS_EVERY_S:
            return
        self._status_at_s = now_s
        try:
            self._status.replace(snapshot)
        except OutputError as error:
            self._has_status = False
            self._console.say(f"other programs cannot see this stream: {error.message}")

    def _snapshot(self, size: tuple[int, int] | None) -> FeedSnapshot:
        """As much as can be shown. Taken without a dashboard too: it samples the rate."""
        if size is None:
            return self._recorder.snapshot()
        from ..view.dashboard import (  # Rich: only for a dashboard
            is_counting_down,
            most_instruments,
        )

        snapshot = self._recorder.snapshot(most_instruments=most_instruments(*size))
        self._is_counting_down = is_counting_down(snapshot)
        return snapshot

    def _record(self, entries: Sequence[LogEntry]) -> None:
        if self._events is None or not entries:
            return
        try:
            for entry in entries:  # what JSON has no letters for, backslashes write as JSON would
                line = f"{entry.to_json()}\n".encode(errors="backslashreplace")
                self._events.take(line, 1, entry.at_ns)
            self._events.flush()
        except OutputError as error:
            self._events = None
            self.failure = error
            self._console.say(f"the events can no longer be written: {error.message}")

    def _close_events(self) -> None:
        try:
            if self._events is not None:
                self._events.close()
        except OutputError as error:
            self.failure = error
