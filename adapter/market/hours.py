"""The ordinary hours of each segment, and what in a segment keeps shorter ones.

Times are Asia/Kolkata. A segment *trades* between its opening and its close; for some minutes
before and after, packets are possible and silence is normal (pre-open, matching, post-close).

- Since 2026-08-03 F&O closes at 15:40, and the shares of the closing auction (the master's
  `is_cas_enabled`) trade continuously to 15:15 only; before that both ended at 15:30.
- Commodities close at 23:30 while the US keeps daylight saving, else at 23:55: from the Monday
  after the second Sunday of March to the Friday before the first Sunday of November.
- Farm goods close at 17:00, those priced abroad at 21:00. On NCO's number the feed also carries
  NCDEX, whose ordinary hours are not known: whatever there is no metal, bullion or energy has none.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time, timedelta
from enum import StrEnum
from typing import NamedTuple

from ..instrument import BFO, BSE, CDS, MCX, NCO, NFO, NSE, Instrument

CASH = frozenset({NSE, BSE})
DERIVATIVES = frozenset({NFO, BFO})
GOODS = frozenset({MCX, NCO})

CLOSING_AUCTION_SINCE = date(2026, 8, 3)
EVENING_OPENS = time(17)
"""When commodities open on a day whose morning is closed, and close where the evening is."""
AUCTION_BEFORE_CLOSE = timedelta(minutes=15)
AUCTION_AFTER_CLOSE = timedelta(minutes=5)


class Kind(StrEnum):
    """What sets the hours of an instrument within its segment."""

    ORDINARY = "ordinary"
    AUCTION = "closing auction"
    FARM = "farm goods"
    FARM_ABROAD = "farm goods priced abroad"
    NO_HOURS = "no known hours"


class Segment(NamedTuple):
    """An exchange segment, narrowed to the kinds of instruments that are asked for there."""

    exchange_type: int
    kinds: frozenset[Kind] = frozenset({Kind.ORDINARY})


class Hours(NamedTuple):
    """A segment's ordinary day; packets are possible from `before` it to `after` it."""

    opens: time
    closes: time
    before: timedelta = timedelta(0)
    after: timedelta = timedelta(0)


KIND_CLOSES = {Kind.FARM: EVENING_OPENS, Kind.FARM_ABROAD: time(21)}

_FARM = (
    *("MENTHAOIL", "CARDAMOM", "CASTOR", "COTTONOIL", "COTTONSEED", "ISABG", "RUBBER", "PEPPER"),
    *("BLACKPEPPER", "GUAR", "WHEAT", "MAIZE", "CHANA", "SOY", "SUGAR", "JEERA", "TURMERIC"),
)
_FARM_ABROAD = ("COTTON", "KAPAS", "CPO", "CRUDEPALM")
_WITH_HOURS = (
    *("GOLD", "SILVER", "CRUDEOIL", "BRENT", "WTI", "NATURALGAS", "NATGAS", "COPPER", "ZINC"),
    *("ALUMINI", "LEAD", "NICKEL", "STEEL", "ELEC"),
)


def kind_of(exchange_type: int, name: str, *, is_auction_share: bool = False) -> Kind:
    """The kind of an instrument: `name` is its underlying (`MENTHAOIL`, `RELIANCE`).

    `is_auction_share` is the master's `is_cas_enabled`, which only shares have.
    """
    if exchange_type in CASH and is_auction_share:
        return Kind.AUCTION
    name = name.upper().replace(" ", "")
    if exchange_type == MCX:
        if name.startswith(_FARM):
            return Kind.FARM
        if name.startswith(_FARM_ABROAD):
            return Kind.FARM_ABROAD
    if exchange_type == NCO and not name.startswith(_WITH_HOURS):
        return Kind.NO_HOURS
    return Kind.ORDINARY


def kind_of_instrument(instrument: Instrument) -> Kind:
    """The kind of an instrument of the master."""
    return kind_of(
        instrument.exchange_type,
        instrument.name,
        is_auction_share=instrument.has_closing_auction,
    )


def segments_of(instruments: Iterable[Instrument]) -> tuple[Segment, ...]:
    """The segments of some instruments, each with all their kinds."""
    return segments((each.exchange_type, kind_of_instrument(each)) for each in instruments)


def segments(kinds: Iterable[tuple[int, Kind]]) -> tuple[Segment, ...]:
    """The segments of (exchange type, kind) pairs, each with all its kinds, by number."""
    found: dict[int, set[Kind]] = {}
    for exchange_type, kind in kinds:
        found.setdefault(exchange_type, set()).add(kind)
    return tuple(Segment(number, frozenset(found[number])) for number in sorted(found))


def ordinary_hours(exchange_type: int, day: date) -> Hours | None:
    """The hours of an ordinary trading day as they were on `day`; None for an unknown segment."""
    quarter = timedelta(minutes=15)
    if exchange_type in CASH:
        return Hours(time(9, 15), time(15, 30), quarter, timedelta(minutes=30))
    if exchange_type in DERIVATIVES:
        closes = time(15, 40) if day >= CLOSING_AUCTION_SINCE else time(15, 30)
        return Hours(time(9, 15), closes, quarter, timedelta(minutes=5))
    if exchange_type in GOODS:
        closes = time(23, 30) if is_us_summer_time(day) else time(23, 55)
        return Hours(time(9), closes, quarter, timedelta(minutes=10))
    if exchange_type == CDS:
        return Hours(time(9), EVENING_OPENS)
    return None


def is_us_summer_time(day: date) -> bool:
    """Whether the US keeps daylight saving: second Sunday of March to first Sunday of November."""
    return _nth_sunday(day.year, 3, 2) <= day < _nth_sunday(day.year, 11, 1)


def _nth_sunday(year: int, month: int, n: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (n - 1))


def good_friday(year: int) -> date:
    """Two days before Easter (the Gregorian reckoning of Meeus)."""
    a, b, c = year % 19, year // 100, year % 100
    d = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    e = (32 + 2 * (b % 4) + 2 * (c // 4) - d - c % 4) % 7
    month, day = divmod(d + e - 7 * ((a + 11 * d + 22 * e) // 451) + 114, 31)
    return date(year, month, day + 1) - timedelta(days=2)
