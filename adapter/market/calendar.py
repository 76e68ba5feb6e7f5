"""When a segment trades, as far as can be known in advance: a prior, which packets correct.

A stream is never refused because of it. The prior says of a segment at a moment: *open* (something
must tick), *may* (packets are possible, silence is normal) or *shut*. What a day holds is decided
in belief.py; here kinds of instruments and moments make something of it:

- The shares of the closing auction trade until a quarter of an hour before the close, farm goods
  until their own close; the auction of a cash segment belongs to its day.
- Around each session packets are possible (pre-open, post-close: hours.py).
- Of several kinds or segments the highest prior counts.
- A segment that nobody knows is *may* at any time.

Pure. A day is computed when it is asked for, some 60 us a segment, and only at checks: nothing on
the packet path comes here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import IntEnum
from math import inf
from typing import NamedTuple

from ..clock import IST, NS_PER_MS, ist_time
from .announced import ANNOUNCED, Announced
from .belief import UNKNOWN, Belief, Beliefs, SegmentRules, Source, SpecialSession
from .hours import (
    AUCTION_AFTER_CLOSE,
    AUCTION_BEFORE_CLOSE,
    CASH,
    CLOSING_AUCTION_SINCE,
    KIND_CLOSES,
    Kind,
    Segment,
)

__all__ = ["MarketCalendar", "Outlook", "Prior", "SegmentRules", "SpecialSession"]

END_AFTER = timedelta(minutes=5)
_NO_TIME = timedelta(0)
_LOOKAHEAD_DAYS = 15


class Prior(IntEnum):
    """What the calendar thinks of a moment; the highest of several counts."""

    SHUT = 0
    MAY = 1
    OPEN = 2


class Outlook(NamedTuple):
    """The prior at a moment, with the times around it (milliseconds since the epoch).

    `opened_ms` and `closes_ms` are of the running session, `first_opened_ms` is the opening of the
    day's first session, once it lies behind; None otherwise. `has_session`: whether a session of
    this day is known; `is_known`: whether anything is. `ends_ms` is the end of the day (`day_end`),
    None where there is none.
    """

    prior: Prior
    opened_ms: int | None = None
    closes_ms: int | None = None
    first_opened_ms: int | None = None
    has_session: bool = False
    ends_ms: int | None = None
    is_known: bool = True


class _Day(NamedTuple):
    """A day of one kind in a segment: where it trades, where it may, and when it is over.

    `is_known`: whether that rests on anything.
    """

    trades: tuple[tuple[datetime, datetime], ...]
    may: tuple[tuple[datetime, datetime], ...]
    ends: datetime | None
    is_known: bool


@dataclass(frozen=True, eq=False)
class MarketCalendar:
    """The hours of all segments, with what the user adds. An immutable value.

    `is_always_open` makes every segment open at any time. `rules` is by exchange type.
    """

    is_always_open: bool = False
    special_sessions: tuple[SpecialSession, ...] = ()
    extra_holidays: frozenset[date] = frozenset()
    rules: Mapping[int, SegmentRules] = field(default_factory=dict)
    announced: Announced = ANNOUNCED

    # --- at a moment ---

    def prior(self, segment: Segment, wall_ns: int) -> Prior:
        """Whether the segment trades at that moment: the highest of its kinds."""
        return self.outlook(segment, wall_ns).prior

    def is_open(self, segments: Iterable[Segment], wall_ns: int) -> bool:
        """Whether something must tick in one of the segments."""
        return any(self.prior(segment, wall_ns) is Prior.OPEN for segment in segments)

    def outlook(self, segment: Segment, wall_ns: int) -> Outlook:
        """The prior at that moment, and the times around it."""
        if self.is_always_open:
            return Outlook(Prior.OPEN, has_session=True)
        now = ist_time(wall_ns)
        days = list(self._days(segment, now.date()))
        trades = [span for day in days for span in day.trades]
        running = [span for span in trades if span[0] <= now < span[1]]
        may = [span for day in days for span in day.may]
        if now.hour == 0:  # commodities close at 23:55, and their last packets come after that
            yesterday = self._days(segment, now.date() - timedelta(days=1))
            may += [span for day in yesterday for span in day.may]
        is_possible = any(start <= now < end for start, end in may)
        return Outlook(
            Prior.OPEN if running else Prior.MAY if is_possible else Prior.SHUT,
            opened_ms=_ms(min((opens for opens, _ in running), default=None)),
            closes_ms=_ms(max((closes for _, closes in running), default=None)),
            first_opened_ms=_ms(min((opens for opens, _ in trades if opens <= now), default=None)),
            has_session=bool(trades),
            ends_ms=_ms(_end_of(days)),
            is_known=any(day.is_known for day in days),
        )

    def next_open(self, segments: Iterable[Segment], wall_ns: int) -> datetime | None:
        """When the first of the segments opens next (IST); None when one is open or none will."""
        wanted = tuple(segments)
        if self.is_open(wanted, wall_ns):
            return None
        now = ist_time(wall_ns)
        for ahead in range(_LOOKAHEAD_DAYS):
            today = now.date() + timedelta(days=ahead)
            starts = [s for segment in wanted for s, _ in self.sessions(segment, today) if s > now]
            if starts:
                return min(starts)
        return None

    # --- a day ---

    def belief(self, segment: Segment, day: date) -> Belief:
        """What the calendar thinks of a day, and where that comes from.

        The sessions are those of the segment's kinds.
        """
        held = tuple((opens.time(), closes.time()) for opens, closes in self.sessions(segment, day))
        return self._beliefs.belief(segment, day)._replace(sessions=held)

    def sessions(self, segment: Segment, day: date) -> tuple[tuple[datetime, datetime], ...]:
        """The known sessions of a day, in order; what overlaps is one."""
        return _merged(span for each in self._days(segment, day) for span in each.trades)

    def opening(self, exchange_type: int, day: date) -> datetime:
        """When the first session of the day begins: where its candles are anchored.

        On a day without a known session the segment's ordinary opening; midnight in a segment
        that nobody knows.
        """
        known = self.sessions(Segment(exchange_type), day)
        if known:
            return known[0][0]
        hours = self._beliefs.hours(exchange_type, day)
        return _at(day, time.min if hours is None else hours.opens)

    def day_end(self, segments: Iterable[Segment], day: date) -> datetime | None:
        """Five minutes after the last session of the segments, the closing auction included.

        Where hours are not known, after the last span in which they may lie. None on a day on
        which nothing trades, and where the market is always open.
        """
        if self.is_always_open:
            return None
        return _end_of(each for segment in segments for each in self._days(segment, day))

    def open_spans(self, segment: Segment, from_ms: int, to_ms: int) -> list[tuple[float, float]]:
        """The known sessions that lie between two moments or reach into that time (ms since the
        epoch), in order; one without an end where the market is always open."""
        if self.is_always_open:
            return [(-inf, inf)]
        spans = []
        day = ist_time(from_ms * NS_PER_MS).date()
        last = ist_time(to_ms * NS_PER_MS).date()
        while day <= last:
            for opens, closes in self.sessions(segment, day):
                start, end = opens.timestamp() * 1000, closes.timestamp() * 1000
                if start < to_ms and end > from_ms:
                    spans.append((start, end))
            day += timedelta(days=1)
        return spans

    # --- what the kinds make of a day ---

    @property
    def _beliefs(self) -> Beliefs:
        return Beliefs(self.special_sessions, self.extra_holidays, self.rules, self.announced)

    def _days(self, segment: Segment, day: date) -> Iterator[_Day]:
        for kind in segment.kinds:
            yield self._day(segment.exchange_type, kind, day)

    def _day(self, exchange_type: int, kind: Kind, day: date) -> _Day:
        beliefs = self._beliefs
        believed = beliefs.belief(Segment(exchange_type, frozenset({kind})), day)
        hours = beliefs.hours(exchange_type, day)
        before, after = (hours.before, hours.after) if hours else (_NO_TIME, _NO_TIME)
        may = [(_at(day, start), _at(day, end)) for start, end in believed.perhaps]
        ends = [] if believed is UNKNOWN else [end for _, end in may]
        latest = KIND_CLOSES.get(kind, time.max)
        trades = []
        for start, end in believed.sessions:
            opens, closes = _at(day, start), _at(day, min(end, latest))
            if opens >= closes:
                continue
            may.append((opens - before, closes + after))
            is_whole = hours is not None and end == hours.closes
            has_auction = is_whole and _holds_auction(exchange_type, day)
            ends.append(closes + AUCTION_AFTER_CLOSE if has_auction else closes)
            if has_auction and kind is Kind.AUCTION:
                closes -= AUCTION_BEFORE_CLOSE
            trades.append((opens, closes))
        is_known = believed.source is not Source.NOTHING
        return _Day(tuple(trades), tuple(may), max(ends, default=None), is_known)


def _holds_auction(exchange_type: int, day: date) -> bool:
    return exchange_type in CASH and day >= CLOSING_AUCTION_SINCE


def _end_of(days: Iterable[_Day]) -> datetime | None:
    latest = max((day.ends for day in days if day.ends is not None), default=None)
    return None if latest is None else latest + END_AFTER


def _merged(
    spans: Iterable[tuple[datetime, datetime]],
) -> tuple[tuple[datetime, datetime], ...]:
    joined: list[tuple[datetime, datetime]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _at(day: date, clock_time: time) -> datetime:
    return datetime.combine(day, clock_time, IST)


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)
