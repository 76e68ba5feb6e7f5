"""What a day of a segment is believed to hold, and by what: lists, rules, the user's configuration.

A day is decided in this order:
1. the user's configuration: holidays, hours of a segment, and sessions, which come on top of what
   else the day holds (to replace that: name the day as a holiday too).
2. the lists of announced.py, special sessions first.
3. rules that hold in any year: weekends; the national holidays; Good Friday, when commodities rest
   all day; 1 January, when they have no evening; the 1 April and 19 February of CDS; every other
   equity holiday, when commodities trade the evening. On 1 February at a weekend (Budget) and on
   Diwali, sessions come by circular: *perhaps* in the daytime.
4. estimated holidays of years without a list: they make a day *perhaps*, never closed. A holiday
   that is missing costs probes (state.py), a trading day called closed would hide a dead feed.

The lists end, the rules do not, and evidence covers what neither knows; so no calendar package is
asked: what one adds to the rules are the estimates above.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from enum import StrEnum
from typing import NamedTuple

from ..instrument import CDS
from .announced import ANNOUNCED, DIWALI, Announced, Holiday, Mark, Part, Special
from .hours import (
    CASH,
    EVENING_OPENS,
    GOODS,
    Hours,
    Kind,
    Segment,
    good_friday,
    ordinary_hours,
)

DAYTIME = (time(9), time(20))
"""Where a session lies whose hours are not known."""
NCDEX_DAYTIME = (time(9), time(17))
_UNKNOWN_HOURS = Hours(time(9), time(17), timedelta(minutes=15), timedelta(minutes=10))
_FIXED = {
    (1, 26): "Republic Day",
    (5, 1): "Maharashtra Day",
    (8, 15): "Independence Day",
    (10, 2): "Gandhi Jayanti",
    (12, 25): "Christmas",
}
_FIXED_CURRENCY = {(2, 19): "Shivaji Jayanti", (4, 1): "Annual bank closing"}
_NO_EVENING_EITHER = {(1, 26), (8, 15), (10, 2), (12, 25)}
"""(month, day) on which commodities rest in the evening too."""
_BUDGET = (2, 1)

Span = tuple[time, time]


class Source(StrEnum):
    """What a belief rests on."""

    CONFIGURATION = "configuration"
    LISTED = "listed"
    RULE = "rule"
    ESTIMATE = "estimate"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class SpecialSession:
    """One session out of the ordinary; `exchange_types` empty means every segment."""

    day: date
    opens: time
    closes: time
    exchange_types: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class SegmentRules:
    """What the user says of one segment: its ordinary hours (None: ours) and more holidays."""

    hours: Span | None = None
    holidays: frozenset[date] = frozenset()


class Belief(NamedTuple):
    """What a day of a segment holds, and how that is known.

    `sessions` are the hours of trading; in the spans of `perhaps` there may be sessions of which
    nothing is known. `why` names the reason where the day is out of the ordinary.
    """

    sessions: tuple[Span, ...]
    source: Source
    why: str = ""
    mark: Mark = Mark.SURE
    perhaps: tuple[Span, ...] = ()

    def __str__(self) -> str:
        """`09:15-15:30 (listed)`, `closed (Guru Nanak Jayanti, listed)`."""
        held = _spans(self.sessions) or "closed"
        if not self.sessions and self.perhaps:
            held = f"perhaps {_spans(self.perhaps)}"
        known = [self.source, *([] if self.mark is Mark.SURE else [self.mark])]
        reasons = [self.why] if self.source is Source.NOTHING else [self.why, *known]
        return f"{held} ({', '.join(filter(None, reasons))})"


UNKNOWN = Belief((), Source.NOTHING, "unknown segment", Mark.GUESS, ((time.min, time.max),))
"""A segment that nobody knows: it may tick at any time."""


@dataclass(frozen=True, eq=False)
class Beliefs:
    """Everything that decides a day. `rules` is by exchange type."""

    special_sessions: tuple[SpecialSession, ...] = ()
    extra_holidays: frozenset[date] = frozenset()
    rules: Mapping[int, SegmentRules] = field(default_factory=dict)
    announced: Announced = ANNOUNCED

    def belief(self, segment: Segment, day: date) -> Belief:
        """What a day holds for the ordinary instruments of a segment (or, where it has no others,
        for those without known hours)."""
        exchange_type = segment.exchange_type
        has_hours = segment.kinds != {Kind.NO_HOURS} or exchange_type in self.rules
        believed = self._believed(exchange_type, day)
        if not has_hours and believed.sessions:
            believed = self._without_hours(day)
        own = tuple(
            (special.opens, special.closes)
            for special in self.special_sessions
            if special.day == day
            and (not special.exchange_types or exchange_type in special.exchange_types)
        )
        if not own:
            return believed
        held = tuple(sorted((*own, *believed.sessions)))
        return Belief(held, Source.CONFIGURATION, believed.why)

    def hours(self, exchange_type: int, day: date) -> Hours | None:
        """A segment's ordinary hours as they are on a day; None where they are not known."""
        ours = ordinary_hours(exchange_type, day)
        rules = self.rules.get(exchange_type)
        if rules is None or rules.hours is None:
            return ours
        return (ours or _UNKNOWN_HOURS)._replace(opens=rules.hours[0], closes=rules.hours[1])

    def _believed(self, exchange_type: int, day: date) -> Belief:
        rules = self.rules.get(exchange_type, SegmentRules())
        if day in self.extra_holidays or day in rules.holidays:
            return Belief((), Source.CONFIGURATION, "holiday")
        hours = self.hours(exchange_type, day)
        if hours is None:
            return UNKNOWN
        special = self._special(exchange_type, day)
        if special is not None:
            unknown = () if special.hours else (DAYTIME,)
            return Belief(special.hours, Source.LISTED, special.why, special.mark, unknown)
        if day.weekday() >= 5:
            return _weekend(exchange_type, day)
        if exchange_type in GOODS:
            return self._goods_day(exchange_type, hours, day)
        return self._shares_day(exchange_type, hours, day)

    def _shares_day(self, exchange_type: int, hours: Hours, day: date) -> Belief:
        holiday, source = self._holiday(exchange_type, day)
        if holiday is None:
            return self._ordinary(exchange_type, (hours.opens, hours.closes), day)
        perhaps = (DAYTIME,) if source is Source.ESTIMATE else ()
        return Belief((), source, holiday.why, holiday.mark, perhaps)

    def _goods_day(self, exchange_type: int, hours: Hours, day: date) -> Belief:
        """Commodities: a whole day, its morning or its evening."""
        holiday, source = self._goods_holiday(day)
        morning = (hours.opens, min(EVENING_OPENS, hours.closes))
        evening = (max(EVENING_OPENS, hours.opens), hours.closes)
        if holiday is None:
            return self._ordinary(exchange_type, (hours.opens, hours.closes), day)
        if source is Source.ESTIMATE:
            if holiday.why.startswith(DIWALI):
                return Belief((), source, holiday.why, holiday.mark, (DAYTIME,))
            return Belief((evening,), source, holiday.why, holiday.mark, (morning,))
        held = {Part.ALL: (), Part.MORNING: (evening,), Part.EVENING: (morning,)}[holiday.part]
        return Belief(held, source, holiday.why, holiday.mark)

    def _without_hours(self, day: date) -> Belief:
        """NCDEX: it has no evening, and rests on the whole of every day whose morning is closed."""
        holiday, source = self._goods_holiday(day)
        rests = holiday is not None and holiday.part is not Part.EVENING
        if holiday is not None and rests and source is not Source.ESTIMATE:
            return Belief((), source, holiday.why, holiday.mark)
        return Belief((), Source.NOTHING, "hours not known", Mark.GUESS, (NCDEX_DAYTIME,))

    def _ordinary(self, exchange_type: int, span: Span, day: date) -> Belief:
        rules = self.rules.get(exchange_type)
        if rules is not None and rules.hours is not None:
            return Belief((span,), Source.CONFIGURATION)
        if day.year in self.announced.years:
            return Belief((span,), Source.LISTED)
        why = f"no list of holidays for {day.year}"
        return Belief((span,), Source.RULE, why, Mark.LIKELY)

    def _holiday(self, exchange_type: int, day: date) -> tuple[Holiday | None, Source]:
        """The holiday of an equity, derivatives or currency segment, None for a trading day."""
        lists = self.announced
        listed = lists.equity.get(day)
        if listed is None and exchange_type == CDS:
            listed = lists.currency.get(day)
        if listed is not None or day.year in lists.years:
            return listed, Source.LISTED
        why = _FIXED.get((day.month, day.day))
        if why is None and exchange_type == CDS:
            why = _FIXED_CURRENCY.get((day.month, day.day))
        if why is None and day == good_friday(day.year):
            why = "Good Friday"
        if why is not None:
            return Holiday(why, Mark.SURE), Source.RULE
        return lists.estimated.get(day), Source.ESTIMATE

    def _goods_holiday(self, day: date) -> tuple[Holiday | None, Source]:
        listed = self.announced.commodity.get(day)
        if listed is not None or day.year in self.announced.years:
            return listed, Source.LISTED
        month_day = (day.month, day.day)
        if month_day == (1, 1):
            return Holiday("New Year", Mark.LIKELY, Part.EVENING), Source.RULE
        holiday, source = self._holiday(min(CASH), day)
        if holiday is None:
            return None, source
        rests = month_day in _NO_EVENING_EITHER or day == good_friday(day.year)
        return holiday._replace(part=Part.ALL if rests else Part.MORNING), source

    def _special(self, exchange_type: int, day: date) -> Special | None:
        held = (special for special in self.announced.special if special.day == day)
        return next((each for each in held if exchange_type in each.exchange_types), None)


def _spans(spans: tuple[Span, ...]) -> str:
    return ", ".join(f"{start:%H:%M}-{end:%H:%M}" for start, end in spans)


def _weekend(exchange_type: int, day: date) -> Belief:
    if (day.month, day.day) == _BUDGET and exchange_type != CDS:
        return Belief((), Source.RULE, "Union Budget", Mark.GUESS, (DAYTIME,))
    return Belief((), Source.RULE, "Saturday" if day.weekday() == 5 else "Sunday")
