"""What runs beside the recorder: events to their file and to the person who watches.

A thread of its own, so that neither a slow terminal nor a slow disk for events holds up a tick,
and a blocked output does not hide what happens to the feed.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import IO

from ..adapter.broker import BrokerAdapter
from ..adapter.errors import OutputError
from ..adapter.recorder import Recorder
from .console import Console

_EVERY_S = 0.25


class Observer:
    """A context manager around `Recorder.run`; OutputError when `events` cannot be opened."""

    def __init__(
        self, broker: BrokerAdapter, recorder: Recorder, console: Console, *, events: str | None
    ) -> None:
        self._broker = broker
        self._recorder = recorder
        self._console = console
        self._events_path = events
        self._events_file: IO[str] | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)

    def __enter__(self) -> Observer:
        if self._events_path is not None:
            self._events_file = _opened(self._events_path)
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end.set()
        self._thread.join()
        self._look()
        if self._events_file is not None:
            self._events_file.close()

    def _run(self) -> None:
        while not self._end.wait(_EVERY_S):
            self._look()

    def _look(self) -> None:
        self._broker.snapshot(most_instruments=0)
        events = self._broker.take_events()
        for event in events:
            self._console.tell(event)
        if self._events_file is not None and events:
            self._events_file.writelines(event.to_json() + "\n" for event in events)
            self._events_file.flush()


def _opened(path: str) -> IO[str]:
    try:
        return open(path, "a", encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"the events file {path} cannot be written: {error.strerror}",
            remedy="name a file in a folder that exists and that you may write to",
        ) from error
