"""Which of the listed expiries a user means. Pure; dates are ISO text, which sorts as dates do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from .naming import MONTHS
from .spellings import Expiry, InMonth, OnDay

_NEVER_DAYS = 100_000


def chosen(wanted: Expiry, listed: Sequence[str], today: str, *, passed: bool = False) -> list[str]:
    """Those of `listed` (the expiries of one underlying on one exchange, of its futures or of its
    options) that are meant: of those that have passed or, as a rule, of the others.

    An expiry lives until midnight. The last of a month is judged by all that are listed, so that a
    weekly contract never counts as the monthly one because that has gone.
    """
    known = sorted(each for each in listed if each)
    pool = [each for each in known if (each < today) == passed]
    if wanted is None:
        return pool if passed else [*pool, *(each for each in listed if not each)]
    if isinstance(wanted, OnDay):
        last = f"{int(today[:4]) + 1}{today[4:]}"  # a year from today
        on_day = [each for each in pool if _is_on(each, wanted)]
        return _nearest([each for each in on_day if not wanted.is_soon or each <= last], passed)
    monthly = [each for each in last_of_months(known) if each in pool]
    if isinstance(wanted, InMonth):
        return _nearest([each for each in monthly if _is_in(each, wanted)], passed)
    ordered = monthly if wanted.monthly else pool
    return [] if passed else ordered[wanted.number - 1 : wanted.number]


def last_of_months(listed: Sequence[str]) -> list[str]:
    """The last expiry of each month, in order: the monthly contracts."""
    return list({each[:7]: each for each in sorted(listed)}.values())


def distance_days(wanted: Expiry, expiry: str, today: str) -> int:
    """How far `expiry` lies from what was wanted and is not listed, in days; 0 where no day was.

    Without a year this year is meant: whoever types yesterday's expiry wants the next one.
    """
    if not isinstance(wanted, (OnDay, InMonth)):
        return 0
    if not expiry:
        return _NEVER_DAYS
    year = wanted.year or int(today[:4])
    if isinstance(wanted, OnDay):
        first = last = _clamped(year, wanted.month, wanted.day)
    else:
        first = date(year, wanted.month, 1)
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    on = date.fromisoformat(expiry)
    return max((first - on).days, (on - last).days, 0)


def in_words(expiry: str) -> str:
    """`2026-09-22` as `22 Sep 2026`; "no expiry" where there is none."""
    if not expiry:
        return "no expiry"
    year, month, day = expiry.split("-")
    return f"{int(day)} {_name_of(int(month))} {year}"


def wanted_in_words(wanted: Expiry) -> str:
    """The expiry as it was given: `22 Sep`, `Sep 2026`, `next weekly`; "" where it was not."""
    if wanted is None:
        return ""
    if isinstance(wanted, OnDay):
        return f"{wanted.day} {_name_of(wanted.month)}" + (f" {wanted.year}" if wanted.year else "")
    if isinstance(wanted, InMonth):
        return _name_of(wanted.month) + (f" {wanted.year}" if wanted.year else "")
    order = {1: "nearest", 2: "second", 3: "third"}.get(wanted.number, f"{wanted.number}th")
    return f"{order} {'monthly ' if wanted.monthly else ''}expiry"


def _is_on(expiry: str, wanted: OnDay) -> bool:
    year = wanted.year or expiry[:4]
    return expiry == f"{year}-{wanted.month:02}-{wanted.day:02}"


def _is_in(expiry: str, wanted: InMonth) -> bool:
    return expiry[:7] == f"{wanted.year or expiry[:4]}-{wanted.month:02}"


def _nearest(found: list[str], passed: bool) -> list[str]:
    return found[-1:] if passed else found[:1]


def _clamped(year: int, month: int, day: int) -> date:
    """29 February in a year that has none is the 28th."""
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, month, day - 1)


def _name_of(month: int) -> str:
    return MONTHS[month - 1].capitalize()
