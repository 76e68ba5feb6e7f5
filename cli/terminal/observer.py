"""What runs alongside the recorder: log lines, dashboard, events and status.

Four outputs, each of which may be stuck without delaying another or the end of the stream: stderr
(outlet.py), the dashboard (screen.py), the events (event_writer.py), the status file
(status_writer.py). The thread here waits for none of them.

Rules
- Without a dashboard a line says what has begun, once every connection has been live.
- It looks when something happened and once a second; with a dashboard also when a key was pressed
  and four times a second, for what is awaited and for the terminal's size.
- While all is well it draws once a second.
- A held screen does not change (view_control.py) but for the verdict; what is recorded, logged and
  shown to other processes goes on.
- The status for other processes is replaced once a second and when the phase changes, and removed
  at the end.
- The end waits for events and status file for `END_S` at most.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType

from ...adapter.broker import BrokerAdapter
from ...adapter.errors import OutputError
from ...adapter.events import Connected, LogEntry
from ...adapter.feed.lifecycle import Phase
from ...adapter.periodic import every
from ...adapter.recorder import Recorder
from ...adapter.snapshot import FeedSnapshot
from ...adapter.status_file import StatusFile
from ..view.key_bindings import Scene, extent_of, scene_of
from ..view.summary_text import live_text
from .console import Console
from .event_writer import EventWriter
from .outlet import END_S
from .status_writer import StatusWriter
from .view_control import Sight, ViewControl

_LOOK_EVERY_S = 0.25
_LOOK_UNSEEN_EVERY_S = 1.0
_DRAW_EVERY_S = _STATUS_EVERY_S = 1.0


class Observer:
    """A context manager around `Recorder.run`; OutputError when `events` cannot be opened.

    `on_event` is called with each event, `end` for the key that ends the stream; neither must wait.
    """

    def __init__(
        self,
        broker: BrokerAdapter,
        recorder: Recorder,
        console: Console,
        status: StatusFile,
        *,
        events: str | None,
        on_event: Callable[[LogEntry], None] = lambda _entry: None,
        end: Callable[[], None] = lambda: None,
    ) -> None:
        self._broker = broker
        self._recorder = recorder
        self._console = console
        self._status = StatusWriter(status, console.print_line)
        self._status_at_s = float("-inf")
        self._phase: Phase | None = None
        self._on_event = on_event
        self._events = (
            None
            if events is None
            else EventWriter(events, broker.events.reader(), console.print_line)
        )
        self._connected: set[int] = set()
        self._control: ViewControl[FeedSnapshot] = ViewControl(console.screen, Scene.STREAM, end)
        self._drawn: Sight | None = None
        self._is_counting_down = False
        self._drawn_at_s = float("-inf")
        self._stack = ExitStack()

    @property
    def failure(self) -> OutputError | None:
        """Why the events could not all be written; None where they were."""
        return None if self._events is None else self._events.failure

    def __enter__(self) -> Observer:
        if self._events is not None:
            self._events.begin()
        self._status.begin()
        self._stack.callback(self._join_writers)
        self._stack.enter_context(self._console.showing(self._control.keys))
        self._stack.callback(self._look, is_last=True)
        self._broker.events.alert(self._control.sooner)
        is_seen = self._console.screen is not None
        every_s = _LOOK_EVERY_S if is_seen else _LOOK_UNSEEN_EVERY_S
        self._stack.enter_context(
            every(every_s, self._look, name="observer", sooner=self._control.sooner)
        )
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(exc_type, exc, traceback)

    def _join_writers(self) -> None:
        end_s = time.monotonic() + END_S
        writers: list[StatusWriter | EventWriter] = [self._status]
        writers += [] if self._events is None else [self._events]
        for writer in writers:
            writer.end()
        for writer in writers:
            writer.join(max(0.0, end_s - time.monotonic()))

    def _look(self, *, is_last: bool = False) -> None:
        events = self._broker.events.take()
        for entry in events:  # before anything that takes its time
            self._on_event(entry)
        sight = self._control.look()
        now_s = self._broker.clock.now_s()
        is_due = now_s - self._drawn_at_s >= (0.0 if self._is_counting_down else _DRAW_EVERY_S)
        if not (is_due or events or is_last or sight != self._drawn):
            return
        self._control.draws_afresh(sight)
        self._drawn, self._drawn_at_s = sight, now_s
        snapshot = self._snapshot(sight)
        for entry in events:
            self._announce(entry, snapshot)
            self._console.log_event(entry, is_one_of_several=len(snapshot.connections) > 1)
        if now_s - self._status_at_s >= _STATUS_EVERY_S or snapshot.phase is not self._phase:
            self._status_at_s, self._phase = now_s, snapshot.phase
            # How the view is scrolled or filtered here does not concern other processes.
            chooses = sight.view.chooses
            self._status.show(self._recorder.snapshot() if chooses else snapshot)
        shown, view = self._control.held(snapshot, sight.view, now_s, is_last=is_last)
        self._control.scene, self._control.extent = scene_of(shown), extent_of(shown, view)
        self._console.show(shown, view, snapshot)

    def _announce(self, entry: LogEntry, snapshot: FeedSnapshot) -> None:
        """What has begun, where the last of the connections is live for the first time."""
        if not isinstance(entry.event, Connected) or entry.connection in self._connected:
            return
        self._connected.add(entry.connection)
        if self._console.screen is None and len(self._connected) == len(snapshot.connections):
            text = live_text(snapshot, self._recorder.limits)
            self._console.print_line(f"{entry.at:%H:%M:%S} {text}")

    def _snapshot(self, sight: Sight) -> FeedSnapshot:
        """As much as can be shown. Taken without a dashboard too: it samples the rate."""
        if sight.size is None:
            return self._recorder.snapshot()
        from ..view.dashboard import (  # Rich: loaded only for a dashboard
            is_counting_down,
            selection_of,
        )

        snapshot = self._recorder.snapshot(selection_of(sight.view, *sight.size))
        self._is_counting_down = is_counting_down(snapshot) and not sight.view.is_held
        return snapshot
