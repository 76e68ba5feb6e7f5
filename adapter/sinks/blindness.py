"""How long a feed was blind within a bar: by its events, as they happen or from files.

Rules
- Seconds count as in the events (history.py): from the last packet before a loss, at most as many
  as the stream itself counted. A loss that is not over counts up to now.
- With several histories a second is blind only where all say so; with several connections, where
  any is lost.
- Where the calendar knows the sessions of a bar's day, only their seconds count.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..clock import NS_PER_MS, ist_time
from ..event_log import EventReader
from ..history import EventFacts, History, HistoryReader, missed_within
from ..intervals import common, length
from ..market.calendar import MarketCalendar
from ..market.hours import Segment
from ..rows.candles import Candle

_KEPT_LONGER_MS = 3_600_000
"""How much longer than a bar an ended loss is kept: exchanges and instruments differ in their bars,
and this machine's clock from theirs."""
_EVENTS_READ = {"connected", "silent", "lost", "recovered", "gave_up", "stopped", "summary"}


class Blindness:
    """The blind time of bars by `histories`; not known where there are none."""

    def __init__(self, histories: Sequence[History], calendar: MarketCalendar) -> None:
        self._histories = histories
        self._calendar = calendar

    def of(self, candle: Candle, now_ms: int | None = None) -> int | None:
        """Milliseconds of a bar, up to `now_ms`, in which the feed was blind; None: not known."""
        if not self._histories:
            return None
        if not all(history.losses for history in self._histories):
            return 0
        end_ms = candle.end_ms if now_ms is None else min(candle.end_ms, now_ms)
        bar = candle.start_ms * 1000, end_ms * 1000
        missed = (missed_within(span, self._histories) for span in self._sessions_in(candle, bar))
        return round(sum(map(length, missed)) / 1000)

    def _sessions_in(self, candle: Candle, bar: tuple[int, int]) -> list[tuple[int, int]]:
        day = ist_time(candle.start_ms * NS_PER_MS).date()
        sessions = self._calendar.sessions(Segment(candle.exchange_type), day)
        if self._calendar.is_always_open or not sessions:
            return common([bar], [bar])
        spans = [
            (round(opens.timestamp()) * 10**6, round(closes.timestamp()) * 10**6)
            for opens, closes in sessions
        ]
        return common([bar], spans)


class LiveBlindness(Blindness):
    """The same of a stream that runs. What no later bar can ask for is forgotten."""

    def __init__(self, events: EventReader, calendar: MarketCalendar) -> None:
        super().__init__([History()], calendar)
        self._events = events
        self._reader = HistoryReader()
        self._keeps_from_us = 0

    def of(self, candle: Candle, now_ms: int | None = None) -> int | None:
        # Bars leave in the order of their ends. Not by the end alone: it is the exchange's word.
        end_ms = candle.end_ms if now_ms is None else min(candle.end_ms, now_ms)
        width_ms = candle.end_ms - candle.start_ms
        self._keeps_from_us = max(self._keeps_from_us, (end_ms - width_ms - _KEPT_LONGER_MS) * 1000)
        self._catch_up()
        return super().of(candle, now_ms)

    def _catch_up(self) -> None:
        new = [entry for entry in self._events.take() if entry.event.name in _EVENTS_READ]
        for entry in new:
            name, facts = entry.event.name, entry.event.facts()
            self._reader.take(EventFacts(entry.at_ns // 1000, entry.connection, name, facts))
        if new:
            self._reader.forget(self._keeps_from_us)
            self._histories = [self._reader.history()]
