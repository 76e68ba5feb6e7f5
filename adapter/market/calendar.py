"""When a segment can tick: whether silence now is a fault, and when the market opens.

Used for nothing else: a stream is never refused because a calendar says closed. Hours are those
of continuous trading (protocol.md, "Market hours"), since in the pre-open and the closing session
minutes without a packet are normal. A segment that is not listed counts as open at any time.

Holidays come from the package `holidays`; special sessions (Muhurat, Saturdays) and late holidays
are announced by circular, so the user's configuration adds them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache

from ..clock import IST, ist_time

NSE_CALENDAR, BSE_CALENDAR = "XNSE", "XBOM"


@dataclass(frozen=True, slots=True)
class Hours:
    """A segment's trading hours, its holiday calendar, and what it does on a holiday.

    `closes_winter` is the close while the US keeps standard time; `holiday_opens` the start of the
    evening session on holidays that are no national ones, None where there is none.
    """

    calendar: str
    opens: time
    closes: time
    closes_winter: time | None = None
    holiday_opens: time | None = None

    def close_on(self, day: date) -> time:
        if self.closes_winter is None or is_us_summer_time(day):
            return self.closes
        return self.closes_winter


_CASH = time(9, 15), time(15, 30)
SEGMENT_HOURS: dict[int, Hours] = {
    1: Hours(NSE_CALENDAR, *_CASH),
    2: Hours(NSE_CALENDAR, *_CASH),
    3: Hours(BSE_CALENDAR, *_CASH),
    4: Hours(BSE_CALENDAR, *_CASH),
    5: Hours(NSE_CALENDAR, time(9), time(23, 30), time(23, 55), holiday_opens=time(17)),
    13: Hours(NSE_CALENDAR, time(9), time(17)),
}
"""By exchange type; NCO (7) is not listed: its hours differ by commodity."""

NATIONAL_HOLIDAYS = frozenset({(1, 26), (8, 15), (10, 2), (12, 25)})
"""(month, day) when no exchange trades at all, not even in the evening."""
_LOOKAHEAD_DAYS = 15


@dataclass(frozen=True, slots=True)
class SpecialSession:
    """One session out of the ordinary; `exchange_types` empty means every segment."""

    day: date
    opens: time
    closes: time
    exchange_types: frozenset[int] = frozenset()


@cache
def exchange_holidays(calendar: str, year: int) -> frozenset[date]:
    """The weekdays without trading of `XNSE` or `XBOM` in a year (takes 0.2 s the first time)."""
    import holidays  # loaded when first asked: the start of a command must not pay for it

    return frozenset(holidays.financial_holidays(calendar, years=[year]))


@dataclass(frozen=True, slots=True)
class MarketCalendar:
    """The hours of all segments. `is_always_open` makes silence a fault at any hour."""

    is_always_open: bool = False
    special_sessions: tuple[SpecialSession, ...] = ()
    extra_holidays: frozenset[date] = frozenset()
    holidays_of: Callable[[str, int], Collection[date]] = exchange_holidays

    def is_open(self, exchange_types: Iterable[int], wall_ns: int) -> bool:
        """Whether any of the segments trades at that moment; unknown segments always do."""
        if self.is_always_open:
            return True
        now = ist_time(wall_ns)
        return any(
            kind not in SEGMENT_HOURS
            or any(opens <= now < closes for opens, closes in self.sessions(kind, now.date()))
            for kind in exchange_types
        )

    def next_open(self, exchange_types: Iterable[int], wall_ns: int) -> datetime | None:
        """When the first of the segments opens next (IST); None when one is open or none will."""
        kinds = tuple(exchange_types)
        if self.is_open(kinds, wall_ns):
            return None
        now = ist_time(wall_ns)
        for ahead in range(_LOOKAHEAD_DAYS):
            day = now.date() + timedelta(days=ahead)
            starts = [o for kind in kinds for o, _ in self.sessions(kind, day) if o > now]
            if starts:
                return min(starts)
        return None

    def sessions(self, exchange_type: int, day: date) -> list[tuple[datetime, datetime]]:
        """The sessions of a known segment that begin on `day`."""
        sessions = [
            (special.opens, special.closes)
            for special in self.special_sessions
            if special.day == day
            and (not special.exchange_types or exchange_type in special.exchange_types)
        ]
        hours = SEGMENT_HOURS[exchange_type]
        opens = self._regular_open(hours, day)
        if opens is not None:
            sessions.append((opens, hours.close_on(day)))
        return [(_at(day, opens), _at(day, closes)) for opens, closes in sessions]

    def _regular_open(self, hours: Hours, day: date) -> time | None:
        if day.weekday() >= 5 or day in self.extra_holidays:
            return None
        if day not in self.holidays_of(hours.calendar, day.year):
            return hours.opens
        return None if (day.month, day.day) in NATIONAL_HOLIDAYS else hours.holiday_opens


def _at(day: date, clock_time: time) -> datetime:
    return datetime.combine(day, clock_time, IST)


def is_us_summer_time(day: date) -> bool:
    """Whether the US keeps daylight saving: second Sunday of March to first Sunday of November."""
    return _nth_sunday(day.year, 3, 2) <= day < _nth_sunday(day.year, 11, 1)


def _nth_sunday(year: int, month: int, n: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (n - 1))
