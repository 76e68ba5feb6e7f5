"""The days on which contracts end, counted from a date; holidays move nothing.

NSE ends its contracts on Tuesdays, BSE on Thursdays: weekly ones on each, monthly ones on the
month's last. MCX has a fixed day of the month, and CDS the second working day before the month's
last one; what falls on a weekend comes forward to the Friday.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import date, timedelta
from itertools import islice

TUESDAY, THURSDAY, FRIDAY = 1, 3, 4
QUARTERS = (3, 6, 9, 12)
EVERY_MONTH = tuple(range(1, 13))
_DAY = timedelta(days=1)


def next_weekdays(today: date, weekday: int, number: int) -> list[date]:
    """The next such weekdays; today may be the first."""
    first = today + timedelta(days=(weekday - today.weekday()) % 7)
    return [first + timedelta(weeks=week) for week in range(number)]


def previous_weekday(today: date, weekday: int) -> date:
    """The last such weekday before today."""
    return today - timedelta(days=(today.weekday() - weekday - 1) % 7 + 1)


def last_weekdays(
    today: date, weekday: int, number: int, months: Collection[int] = EVERY_MONTH
) -> list[date]:
    """The last such weekday of this month and the next ones, of those in `months`, from today."""
    return _monthly(
        today, number, months, lambda end: end - timedelta(days=(end.weekday() - weekday) % 7)
    )


def days_of_months(
    today: date, day: int, number: int, months: Collection[int] = EVERY_MONTH
) -> list[date]:
    """That day (or the month's last) of this month and the next ones, from today."""
    return _monthly(
        today, number, months, lambda end: working_day(end.replace(day=min(day, end.day)))
    )


def currency_month_ends(today: date, number: int) -> list[date]:
    """The second working day before the last one of this month and the next ones, from today."""
    return _monthly(
        today,
        number,
        EVERY_MONTH,
        lambda end: working_day(working_day(working_day(end) - _DAY) - _DAY),
    )


def working_day(day: date) -> date:
    """`day`, or the Friday before it where it is at a weekend."""
    return day - timedelta(days=max(day.weekday() - FRIDAY, 0))


def _monthly(
    today: date, number: int, months: Collection[int], day_of: Callable[[date], date]
) -> list[date]:
    days = (day_of(end) for end in _month_ends(today) if end.month in months)
    return list(islice((day for day in days if day >= today), number))


def _month_ends(today: date) -> Iterator[date]:
    first = today.replace(day=1)
    while True:
        first = (first + timedelta(days=32)).replace(day=1)
        yield first - _DAY
