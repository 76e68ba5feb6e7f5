"""What truly trades in a virtual world, and what the calendar of its user says of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from ticks.adapter.clock import ist_time
from ticks.adapter.market.calendar import MarketCalendar, Outlook, Prior
from ticks.adapter.market.hours import Segment
from ticks.adapter.wire.subscription import Unit

NS = 1_000_000_000
MS = 1_000_000
Spans = list[tuple[int, int]]
"""(from, to) in nanoseconds of true time."""


@dataclass(frozen=True, eq=False)
class ListedHours(MarketCalendar):
    """A calendar that knows nothing but these sessions, the same for every segment."""

    hours: tuple[tuple[int, int], ...] = ()

    def outlook(self, segment: Segment, wall_ns: int) -> Outlook:
        midnight = ist_time(wall_ns).replace(hour=0, minute=0, second=0, microsecond=0)
        start_ns = int(midnight.timestamp()) * NS
        end_ns = int((midnight + timedelta(days=1)).timestamp()) * NS
        today = [span for span in self.hours if span[0] < end_ns and span[1] > start_ns]
        running = next((span for span in today if span[0] <= wall_ns < span[1]), None)
        opened = [opens for opens, _ in today if opens <= wall_ns]
        ends_ns = max((closes for _, closes in today), default=None)
        return Outlook(
            Prior.SHUT if running is None else Prior.OPEN,
            opened_ms=None if running is None else running[0] // MS,
            closes_ms=None if running is None else running[1] // MS,
            first_opened_ms=min(opened) // MS if opened else None,
            has_session=bool(today),
            ends_ms=None if ends_ns is None else ends_ns // MS,
        )

    def open_spans(self, segment: Segment, from_ms: int, to_ms: int) -> list[tuple[float, float]]:
        spans = ((opens / MS, closes / MS) for opens, closes in self.hours)
        return [(start, end) for start, end in spans if start < to_ms and end > from_ms]

    def is_listed(self, true_ns: int) -> bool:
        return any(opens <= true_ns < closes for opens, closes in self.hours)


@dataclass
class Exchange:
    """Each unit changes every so many seconds, in the hours that are truly traded.

    `halts` are cut out of `hours`; `before_ns` is when everything last changed before them.
    """

    hours: Spans
    halts: Spans = field(default_factory=list)
    before_ns: int = 0
    every_s: float = 5.0

    def __post_init__(self) -> None:
        self.windows = list(without(self.hours, self.halts))

    def trades(self, true_ns: int) -> bool:
        return any(opens <= true_ns < closes for opens, closes in self.windows)

    def has_traded_since(self, from_ns: int, to_ns: int) -> bool:
        """Whether it traded without a pause between two moments."""
        return any(opens <= from_ns and to_ns < closes for opens, closes in self.windows)

    def last_change_ns(self, unit: Unit, true_ns: int) -> int:
        """When the unit changed last, up to a moment."""
        every_ns = round(self.every_s * NS)
        changed_ns = self.before_ns
        for opens, closes in self.windows:
            first_ns = opens + int(unit.token) % 7 * every_ns // 7
            upto_ns = min(true_ns, closes - 1)
            if upto_ns >= first_ns:
                changed_ns = max(changed_ns, first_ns + (upto_ns - first_ns) // every_ns * every_ns)
        return changed_ns


def without(hours: Spans, halts: Spans) -> Iterable[tuple[int, int]]:
    for opens, closes in hours:
        at_ns = opens
        for start, end in sorted(halts):
            if end <= at_ns or start >= closes:
                continue
            if start > at_ns:
                yield at_ns, start
            at_ns = max(at_ns, end)
        if at_ns < closes:
            yield at_ns, closes
