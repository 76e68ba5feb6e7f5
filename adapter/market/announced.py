"""What the exchanges announced for 2024-2026: holidays and sessions at odd times, as data.

Facts come from the exchanges' circulars and holiday pages, brokers' notices and the press of those
days. Each row has a mark: *sure* has two independent sources or more, *likely* one good source,
*guess* none. Only days that would have been trading days are holidays here; weekends are closed
by rule (calendar.py), except for the sessions listed below.

- NSE, BSE, NFO and BFO close together on the EQUITY days. CDS closes on those and on CURRENCY.
- MCX and NCO close for the whole day, the morning (to 17:00) or the evening (from 17:00).
- A special session without hours is known to be held, its hours are not.
- ESTIMATED are days of years whose lists are not out yet, worked out from the moon: too weak for
  calling a market closed, strong enough for not calling silence a fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from enum import StrEnum
from typing import NamedTuple


class Mark(StrEnum):
    """How well a fact is known."""

    SURE = "sure"
    LIKELY = "likely"
    GUESS = "guess"


class Part(StrEnum):
    """Which part of a commodity day is closed."""

    ALL = "all"
    MORNING = "morning"
    EVENING = "evening"


class Holiday(NamedTuple):
    """Why a day is closed, and how well that is known; `part` is of commodity days only."""

    why: str
    mark: Mark
    part: Part = Part.ALL


class Special(NamedTuple):
    """Sessions out of the ordinary on `day`; no hours where they are not known yet."""

    day: date
    exchange_types: frozenset[int]
    hours: tuple[tuple[time, time], ...]
    why: str
    mark: Mark


@dataclass(frozen=True, eq=False)
class Announced:
    """A set of lists. `years` are those that the holiday lists cover."""

    years: frozenset[int] = frozenset()
    equity: Mapping[date, Holiday] = field(default_factory=dict)
    currency: Mapping[date, Holiday] = field(default_factory=dict)
    commodity: Mapping[date, Holiday] = field(default_factory=dict)
    estimated: Mapping[date, Holiday] = field(default_factory=dict)
    special: tuple[Special, ...] = ()


_EQUITY = """
2024-01-22 sure Ram Mandir consecration
2024-01-26 sure Republic Day
2024-03-08 sure Mahashivratri
2024-03-25 sure Holi
2024-03-29 sure Good Friday
2024-04-11 sure Id-ul-Fitr
2024-04-17 sure Ram Navami
2024-05-01 sure Maharashtra Day
2024-05-20 sure General election
2024-06-17 sure Bakri Id
2024-07-17 sure Muharram
2024-08-15 sure Independence Day
2024-10-02 sure Gandhi Jayanti
2024-11-01 sure Diwali Laxmi Pujan
2024-11-15 sure Guru Nanak Jayanti
2024-11-20 sure State election
2024-12-25 sure Christmas
2025-02-26 sure Mahashivratri
2025-03-14 sure Holi
2025-03-31 sure Id-ul-Fitr
2025-04-10 sure Mahavir Jayanti
2025-04-14 sure Ambedkar Jayanti
2025-04-18 sure Good Friday
2025-05-01 sure Maharashtra Day
2025-08-15 sure Independence Day
2025-08-27 sure Ganesh Chaturthi
2025-10-02 sure Gandhi Jayanti and Dussehra
2025-10-21 sure Diwali Laxmi Pujan
2025-10-22 sure Balipratipada
2025-11-05 sure Guru Nanak Jayanti
2025-12-25 sure Christmas
2026-01-15 sure Municipal elections
2026-01-26 sure Republic Day
2026-03-03 sure Holi
2026-03-26 sure Ram Navami
2026-03-31 sure Mahavir Jayanti
2026-04-03 sure Good Friday
2026-04-14 sure Ambedkar Jayanti
2026-05-01 sure Maharashtra Day
2026-05-28 sure Bakri Id
2026-06-26 sure Muharram
2026-09-14 sure Ganesh Chaturthi
2026-10-02 sure Gandhi Jayanti
2026-10-20 sure Dussehra
2026-11-10 sure Balipratipada
2026-11-24 sure Guru Nanak Jayanti
2026-12-25 sure Christmas
"""
_CURRENCY = """
2024-02-19 likely Shivaji Jayanti
2024-04-01 likely Annual bank closing
2024-04-09 likely Gudi Padwa
2024-05-23 likely Buddha Pournima
2024-09-18 sure Id-e-Milad
2025-02-19 likely Shivaji Jayanti
2025-04-01 sure Annual bank closing
2025-05-12 sure Buddha Pournima
2025-09-08 sure Id-e-Milad
2026-02-19 sure Shivaji Jayanti
2026-03-19 sure Gudi Padwa
2026-04-01 sure Annual bank closing
2026-08-26 sure Id-e-Milad
"""
_COMMODITY = """
2024-01-01 evening likely New Year
2024-01-22 morning guess Ram Mandir consecration
2024-01-26 all sure Republic Day
2024-03-08 morning sure Mahashivratri
2024-03-25 morning sure Holi
2024-03-29 all sure Good Friday
2024-04-11 morning sure Id-ul-Fitr
2024-04-17 morning sure Ram Navami
2024-05-01 morning likely Maharashtra Day
2024-05-20 morning sure General election
2024-06-17 morning likely Bakri Id
2024-07-17 morning sure Muharram
2024-08-15 all likely Independence Day
2024-10-02 all sure Gandhi Jayanti
2024-11-01 all likely Diwali Laxmi Pujan
2024-11-15 morning sure Guru Nanak Jayanti
2024-11-20 morning sure State election
2024-12-25 all likely Christmas
2025-01-01 evening likely New Year
2025-02-26 morning sure Mahashivratri
2025-03-14 morning sure Holi
2025-03-31 morning sure Id-ul-Fitr
2025-04-10 morning sure Mahavir Jayanti
2025-04-14 morning sure Ambedkar Jayanti
2025-04-18 all sure Good Friday
2025-05-01 morning sure Maharashtra Day
2025-08-15 all sure Independence Day
2025-08-27 morning sure Ganesh Chaturthi
2025-10-02 all sure Gandhi Jayanti and Dussehra
2025-10-21 all sure Diwali Laxmi Pujan
2025-10-22 morning likely Balipratipada
2025-11-05 morning likely Guru Nanak Jayanti
2025-12-25 all sure Christmas
2026-01-01 evening sure New Year
2026-01-15 morning sure Municipal elections
2026-01-26 all sure Republic Day
2026-03-03 morning sure Holi
2026-03-26 morning sure Ram Navami
2026-03-31 morning sure Mahavir Jayanti
2026-04-03 all sure Good Friday
2026-04-14 morning sure Ambedkar Jayanti
2026-05-01 morning sure Maharashtra Day
2026-05-28 morning sure Bakri Id
2026-06-26 morning sure Muharram
2026-09-14 morning sure Ganesh Chaturthi
2026-10-02 all sure Gandhi Jayanti
2026-10-20 morning sure Dussehra
2026-11-10 morning sure Balipratipada
2026-11-24 morning sure Guru Nanak Jayanti
2026-12-25 all sure Christmas
"""
_ESTIMATED = """
2027-03-10 guess Id-ul-Fitr
2027-03-22 guess Holi
2027-04-14 guess Ambedkar Jayanti
2027-04-15 guess Ram Navami
2027-05-17 guess Bakri Id
2027-06-16 guess Muharram
2027-10-29 guess Diwali Laxmi Pujan
"""
DIWALI = "Diwali"
"""How the reason of a day begins on which the Muhurat session is held."""

_SHARES = frozenset({1, 2, 3, 4})
_CASH, _DERIVATIVES = frozenset({1, 3}), frozenset({2, 4})
_GOODS = frozenset({5, 7})
_ALL = _SHARES | _GOODS | {13}
_PLAIN_DAY = (time(9, 15), time(15, 30))
_BUDGET_GOODS = (time(9), time(17))
_SPECIAL = (
    Special(date(2024, 1, 20), _SHARES, (_PLAIN_DAY,), "Saturday for Monday", Mark.SURE),
    Special(
        date(2024, 3, 2),
        _SHARES,
        ((time(9, 15), time(10)), (time(11, 30), time(12, 30))),
        "disaster recovery drill",
        Mark.SURE,
    ),
    Special(
        date(2024, 5, 18),
        _CASH,
        ((time(9, 15), time(10)), (time(11, 30), time(12, 30))),
        "disaster recovery drill",
        Mark.SURE,
    ),
    Special(
        date(2024, 5, 18),
        _DERIVATIVES,
        ((time(9, 15), time(10)), (time(11, 45), time(12, 40))),
        "disaster recovery drill",
        Mark.LIKELY,
    ),
    Special(date(2024, 11, 1), _ALL, ((time(18), time(19)),), "Diwali Muhurat", Mark.SURE),
    Special(date(2025, 2, 1), _SHARES, (_PLAIN_DAY,), "Union Budget", Mark.SURE),
    Special(date(2025, 2, 1), _GOODS, (_BUDGET_GOODS,), "Union Budget", Mark.SURE),
    Special(date(2025, 10, 21), _ALL, ((time(13, 45), time(14, 45)),), "Diwali Muhurat", Mark.SURE),
    Special(date(2026, 2, 1), _SHARES, (_PLAIN_DAY,), "Union Budget", Mark.SURE),
    Special(date(2026, 2, 1), _GOODS, (_BUDGET_GOODS,), "Union Budget", Mark.SURE),
    Special(date(2026, 11, 8), _ALL, (), "Diwali Muhurat, hour not known", Mark.SURE),
)


def _holidays(rows: str, *, with_part: bool = False) -> dict[date, Holiday]:
    """The rows of a list: day, closed part (commodities only), mark, reason."""
    found: dict[date, Holiday] = {}
    for row in rows.strip().splitlines():
        day, _, rest = row.partition(" ")
        part = "all"
        if with_part:
            part, _, rest = rest.partition(" ")
        mark, _, why = rest.partition(" ")
        found[date.fromisoformat(day)] = Holiday(why, Mark(mark), Part(part))
    return found


ANNOUNCED = Announced(
    years=frozenset({2024, 2025, 2026}),
    equity=_holidays(_EQUITY),
    currency=_holidays(_CURRENCY),
    commodity=_holidays(_COMMODITY, with_part=True),
    estimated=_holidays(_ESTIMATED),
    special=_SPECIAL,
)
"""What was known when this version was made."""
