from __future__ import annotations

from datetime import date, timedelta

import pytest

from ticks.adapter.simulator.expiries import (
    QUARTERS,
    THURSDAY,
    TUESDAY,
    currency_month_ends,
    days_of_months,
    last_weekdays,
    next_weekdays,
    previous_weekday,
    working_day,
)

THURSDAY_17 = date(2026, 9, 17)
DAYS = [THURSDAY_17 + timedelta(days=n) for n in range(0, 800, 29)]


def test_today_is_the_first_of_its_weekday() -> None:
    assert next_weekdays(THURSDAY_17, THURSDAY, 2) == [THURSDAY_17, date(2026, 9, 24)]
    assert next_weekdays(THURSDAY_17, TUESDAY, 1) == [date(2026, 9, 22)]


@pytest.mark.parametrize(("day", "last"), [(14, 8), (15, 8), (16, 15), (17, 15)])
def test_the_weekday_before_is_never_today(day: int, last: int) -> None:
    assert previous_weekday(date(2026, 9, day), TUESDAY) == date(2026, 9, last)


def test_monthly_contracts_of_nse_end_on_the_months_last_tuesdays() -> None:
    assert last_weekdays(THURSDAY_17, TUESDAY, 3) == [
        date(2026, 9, 29),
        date(2026, 10, 27),
        date(2026, 11, 24),
    ]
    assert last_weekdays(date(2026, 9, 30), TUESDAY, 1) == [date(2026, 10, 27)]
    assert last_weekdays(date(2026, 10, 1), TUESDAY, 1, QUARTERS) == [date(2026, 12, 29)]


def test_a_fixed_day_at_a_weekend_comes_forward_to_friday() -> None:
    assert days_of_months(THURSDAY_17, 5, 2, (10, 12)) == [date(2026, 10, 5), date(2026, 12, 4)]
    assert working_day(date(2026, 9, 20)) == date(2026, 9, 18)


def test_a_month_s_last_day_may_be_asked_for() -> None:
    assert days_of_months(THURSDAY_17, 31, 2) == [date(2026, 9, 30), date(2026, 10, 30)]


def test_currency_contracts_end_two_working_days_before_the_month_s_last() -> None:
    assert currency_month_ends(THURSDAY_17, 3) == [
        date(2026, 9, 28),
        date(2026, 10, 28),
        date(2026, 11, 26),
    ]


@pytest.mark.parametrize("today", DAYS)
def test_there_is_always_a_next_one(today: date) -> None:
    for days in (
        last_weekdays(today, TUESDAY, 3),
        days_of_months(today, 19, 3),
        currency_month_ends(today, 3),
    ):
        assert len(days) == 3
        assert today <= days[0] < days[1] < days[2]
        assert all(day.weekday() < 5 for day in days)
