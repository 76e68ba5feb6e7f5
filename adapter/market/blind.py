"""Blind and uncertain seconds: spans of segments, and their union within a connection.

Rules
- A span runs from the last packet before a loss. It counts the seconds in which the calendar says
  that the segment trades; where it ticked outside of that, the tail as well (`tail_ms`).
- It is never longer than the exchange time that moved on between the packets around it, plus a
  second: what did not happen was not missed.
- A *tentative* span is that of a probe, or of a segment that stands: it counts only if it turns
  out that the market went on.
- Segments share a connection: a second in which several were blind is one blind second, and a
  second that is both blind and uncertain is blind.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from .calendar import MarketCalendar
from .hours import Segment

SLACK_MS = 1_000
"""Exchange times are whole seconds: one is no difference."""
Interval = tuple[float, float]


@dataclass(slots=True)
class Span:
    """A span that runs. `reference_ms` is the newest exchange time before it, `lost_ms` the
    market's time of the loss.

    `tail_ms` is how far it counts outside sessions, None where it does not. `closes_ms` is when the
    session of the loss closes and `ends_ms` when that day ends, None where there are none.
    """

    start_s: float
    reference_ms: int
    lost_ms: int
    is_tentative: bool
    tail_ms: float | None = None
    closes_ms: int | None = None
    ends_ms: int | None = None


class Account:
    """The blind and the uncertain seconds of one connection, each counted once."""

    def __init__(self) -> None:
        self._settled_blind_s = self._settled_uncertain_s = 0.0
        self._blind: list[Interval] = []
        self._uncertain: list[Interval] = []
        self._settled_to_s = float("-inf")
        """Up to here every blind second is settled: a later span may reach back behind it."""

    def add_blind(self, intervals: Iterable[Interval]) -> None:
        self._blind += intervals

    def add_uncertain(self, start_s: float, end_s: float) -> None:
        self._uncertain.append((start_s, max(start_s, end_s)))

    def settle(self) -> None:
        """Nothing runs any more that could overlap with what was added."""
        blind_s, uncertain_s = self.blind_s(), self.uncertain_s()
        self._settled_to_s = max([self._settled_to_s, *(end_s for _, end_s in self._blind)])
        self._blind, self._uncertain = [], []
        self._settled_blind_s, self._settled_uncertain_s = blind_s, uncertain_s

    def blind_s(self, running: Iterable[Interval] = ()) -> float:
        """All blind seconds so far, those of the running intervals included."""
        return self._settled_blind_s + union_s([*self._blind, *running], self._settled_to_s)

    def uncertain_s(
        self, running: Iterable[Interval] = (), running_blind: Iterable[Interval] = ()
    ) -> float:
        """All uncertain seconds so far, those of the running intervals included."""
        blind = [*self._blind, *running_blind]
        both_s = union_s([*self._uncertain, *running, *blind])
        return self._settled_uncertain_s + both_s - union_s(blind)


def union_s(intervals: Iterable[Interval], reached_s: float = float("-inf")) -> float:
    """The seconds after `reached_s` that lie in any of the intervals."""
    total_s = 0.0
    for start_s, end_s in sorted(intervals):
        total_s += max(0.0, end_s - max(start_s, reached_s))
        reached_s = max(reached_s, end_s)
    return total_s


def counted(
    calendar: MarketCalendar,
    segment: Segment,
    span: Span,
    *,
    end_s: float,
    market_of_zero_ms: float,
    after_ms: int | None = None,
    is_live_end: bool = False,
) -> list[Interval]:
    """Which seconds of `span` count if it ends at `end_s`: in order, none of them twice.

    `market_of_zero_ms` is the market's time at 0 of the monotonic clock. `after_ms` is the exchange
    time of the packet that ended it, None while it runs; `is_live_end`: that packet was live.
    """
    from_ms, to_ms = span.start_s * 1000, max(span.start_s, end_s) * 1000
    market_ms = market_of_zero_ms
    pieces = [
        (start - market_ms, end - market_ms)
        for start, end in calendar.open_spans(
            segment, round(from_ms + market_ms), round(to_ms + market_ms)
        )
    ]
    if span.tail_ms is not None:
        pieces.append((from_ms, span.tail_ms - market_ms))
    elif is_live_end and span.closes_ms is not None and to_ms + market_ms <= (span.ends_ms or 0):
        pieces.append((span.closes_ms - market_ms, to_ms))  # it ticked on after the close
    left_ms = math.inf if after_ms is None else max(0, after_ms - span.reference_ms) + SLACK_MS
    found: list[Interval] = []
    reached_ms = from_ms
    for start, end in sorted(pieces):
        begin_ms = max(start, reached_ms)
        reached_ms = max(reached_ms, min(end, to_ms, begin_ms + left_ms))
        if reached_ms > begin_ms:
            left_ms -= reached_ms - begin_ms
            found.append((begin_ms / 1000, reached_ms / 1000))
    return found


def length_s(intervals: Iterable[Interval]) -> float:
    """The seconds of intervals that do not overlap."""
    return sum(end_s - start_s for start_s, end_s in intervals)
