from __future__ import annotations

from ticks.adapter.market.announced import ANNOUNCED, Mark, Part


def test_every_holiday_is_a_weekday_of_a_listed_year() -> None:
    lists = (ANNOUNCED.equity, ANNOUNCED.currency, ANNOUNCED.commodity)
    for day in (day for each in lists for day in each):
        assert day.weekday() < 5, day
        assert day.year in ANNOUNCED.years


def test_currency_days_come_on_top_of_the_equity_list() -> None:
    assert ANNOUNCED.equity.keys().isdisjoint(ANNOUNCED.currency)


def test_commodities_rest_on_each_equity_holiday_and_on_new_year() -> None:
    besides = ANNOUNCED.commodity.keys() - ANNOUNCED.equity.keys()
    assert {(day.month, day.day) for day in besides} == {(1, 1)}
    assert ANNOUNCED.equity.keys() <= ANNOUNCED.commodity.keys()
    assert all(ANNOUNCED.commodity[day].part is Part.EVENING for day in besides)


def test_estimates_are_of_years_without_a_list_and_marked_as_guesses() -> None:
    assert all(day.year not in ANNOUNCED.years for day in ANNOUNCED.estimated)
    assert {each.mark for each in ANNOUNCED.estimated.values()} == {Mark.GUESS}


def test_special_sessions_are_in_order_and_close_after_they_open() -> None:
    for special in ANNOUNCED.special:
        edges = [edge for span in special.hours for edge in span]
        assert edges == sorted(edges)
        assert special.day.year in ANNOUNCED.years
        is_closed = special.day.weekday() >= 5 or special.day in ANNOUNCED.equity
        assert is_closed, special.day
