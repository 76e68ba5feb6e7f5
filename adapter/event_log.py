"""The one log of a stream's events.

What has something to report adds an event to the `EventLog` that was handed to it; what shows or
stores events takes them from there.

Rules
- The log never blocks and is bounded: a reader that is too slow, or absent, costs the oldest
  events, which are counted and reported as an event. A loss, its end and a surrender are what a
  recording is judged by: no others push them out, and ten times as many may wait, which is days
  of a link that is lost every few seconds.
"""

from __future__ import annotations

import threading
from collections import deque
from operator import itemgetter

from .clock import Clock
from .events import EventsDropped, FeedEvent, GaveUp, LogEntry, Lost, Recovered
from .waker import Waker

KEPT_LONGER = (Lost, Recovered, GaveUp)
"""What `inspect` and a person judge a recording by: not among those that others push out."""
MOST_EVENTS = 10_000
"""Events that wait to be taken. A program that never asks must not grow for it."""
_LONGER = 10
"""How many times as many of `KEPT_LONGER` may wait."""
RECENT_EVENTS = 50


class EventLog:
    """Add from any thread; every reader takes all events. The log is a reader itself (`take`).

    Not for signal handlers: one that runs inside `add` would wait for a lock that its own thread
    holds.
    """

    def __init__(
        self, clock: Clock, waker: Waker | None = None, *, most_events: int = MOST_EVENTS
    ) -> None:
        self._clock = clock
        self._waker = waker
        self._most_events = most_events
        self._lock = threading.Lock()
        """Guards all that follows: connections, recorder and sinks add, the readers take."""
        self._recent: deque[LogEntry] = deque(maxlen=RECENT_EVENTS)
        self._own_reader = EventReader(clock, self._lock, most_events)
        self._readers = [self._own_reader]
        self._alerted: list[threading.Event] = []

    def alert(self, news: threading.Event) -> None:
        """From now on set `news` whenever an event is added."""
        with self._lock:
            self._alerted.append(news)

    def reader(self) -> EventReader:
        """Another reader, of what is added from now on; one that is stuck costs the others
        nothing."""
        added = EventReader(self._clock, self._lock, self._most_events)
        with self._lock:
            self._readers.append(added)
        return added

    def add(self, event: FeedEvent, *, connection: int = 0) -> None:
        """Log an event now (0: it concerns the whole stream), and wake the readers."""
        entry = LogEntry(self._clock.wall_ns(), connection, event)
        with self._lock:
            for reader in self._readers:
                reader.keep(entry)
            self._recent.append(entry)
        for news in self._alerted:
            news.set()
        if self._waker is not None:
            self._waker.wake()

    def take(self) -> list[LogEntry]:
        """The events since the last call, oldest first, and how many had to be dropped."""
        return self._own_reader.take()

    def recent(self) -> tuple[LogEntry, ...]:
        """The newest events, taken or not, oldest first."""
        with self._lock:
            return tuple(self._recent)


class EventReader:
    """What one reader of an `EventLog` has not taken yet. `lock` is the log's."""

    def __init__(self, clock: Clock, lock: threading.Lock, most_events: int) -> None:
        self._clock = clock
        self._lock = lock
        self._most_events = most_events
        self._number = 0
        self._kept: deque[tuple[int, LogEntry]] = deque()
        self._others: deque[tuple[int, LogEntry]] = deque()
        self._dropped = 0
        self._has_news = threading.Condition(lock)
        self._is_woken = False

    def wait(self) -> None:
        """Until there is an event to take, or `wake` was called."""
        with self._has_news:
            self._has_news.wait_for(lambda: self._kept or self._others or self._is_woken)
            self._is_woken = False

    def wake(self) -> None:
        """End the running or the next `wait` early."""
        with self._has_news:
            self._is_woken = True
            self._has_news.notify()

    def keep(self, entry: LogEntry) -> None:
        """For the log, which holds the lock."""
        self._number += 1
        waiting, most = self._others, self._most_events
        if isinstance(entry.event, KEPT_LONGER):
            waiting, most = self._kept, most * _LONGER
        waiting.append((self._number, entry))
        if len(waiting) > most:
            waiting.popleft()
            self._dropped += 1
        self._has_news.notify()

    def take(self) -> list[LogEntry]:
        """The events since the last call, oldest first, and how many had to be dropped."""
        with self._lock:
            numbered = sorted((*self._kept, *self._others), key=itemgetter(0))
            self._kept.clear()
            self._others.clear()
            taken = [entry for _, entry in numbered]
            if self._dropped:
                taken.append(LogEntry(self._clock.wall_ns(), 0, EventsDropped(self._dropped)))
                self._dropped = 0
        return taken
