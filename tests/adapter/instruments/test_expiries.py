from __future__ import annotations

import pytest

from ticks.adapter.instruments.expiries import (
    chosen,
    distance_days,
    in_words,
    last_of_months,
    wanted_in_words,
)
from ticks.adapter.instruments.spellings import Expiry, InMonth, Nth, OnDay

TODAY = "2026-09-17"
WEEKLY = ["2026-10-06", "2026-09-22", "2026-09-17", "2026-09-29", "2026-09-10", "2026-10-27"]
"""As a master may list them: in no order, one that has passed, one that expires today."""


@pytest.mark.parametrize(
    ("wanted", "expiry"),
    [
        (OnDay(9, 22), ["2026-09-22"]),
        (OnDay(9, 22, 2026), ["2026-09-22"]),
        (OnDay(9, 22, 2025), []),
        (OnDay(9, 10), []),
        (OnDay(9, 17), ["2026-09-17"]),
        (InMonth(9), ["2026-09-29"]),
        (InMonth(10, 2026), ["2026-10-27"]),
        (InMonth(10, 2027), []),
        (Nth(1, False), ["2026-09-17"]),
        (Nth(2, False), ["2026-09-22"]),
        (Nth(1, True), ["2026-09-29"]),
        (Nth(2, True), ["2026-10-27"]),
        (Nth(3, True), []),
        (None, ["2026-09-17", "2026-09-22", "2026-09-29", "2026-10-06", "2026-10-27"]),
    ],
)
def test_an_expiry_is_meant_as_long_as_its_day_lasts(wanted: Expiry, expiry: list[str]) -> None:
    assert chosen(wanted, WEEKLY, TODAY) == expiry


def test_without_a_year_the_nearest_that_has_not_passed_is_meant() -> None:
    listed = ["2025-12-30", "2026-12-29", "2027-12-28"]
    assert chosen(InMonth(12), listed, TODAY) == ["2026-12-29"]
    assert chosen(OnDay(12, 28), listed, TODAY) == ["2027-12-28"]
    assert chosen(OnDay(12, 28, is_soon=True), listed, TODAY) == []
    assert chosen(OnDay(12, 29, is_soon=True), listed, TODAY) == ["2026-12-29"]
    assert chosen(InMonth(12), listed, TODAY, passed=True) == ["2025-12-30"]


def test_a_weekly_contract_is_not_the_monthly_one_because_that_has_passed() -> None:
    listed = ["2026-09-24", "2026-09-29", "2026-10-27"]
    assert chosen(InMonth(9), listed, "2026-09-30") == []
    assert chosen(Nth(1, True), listed, "2026-09-30") == ["2026-10-27"]
    assert chosen(InMonth(9), listed, "2026-09-30", passed=True) == ["2026-09-29"]


def test_of_those_that_have_passed_none_is_the_nth() -> None:
    assert chosen(Nth(1, False), WEEKLY, TODAY, passed=True) == []
    assert chosen(None, WEEKLY, TODAY, passed=True) == ["2026-09-10"]


def test_a_contract_without_a_date_is_meant_only_where_none_was_said() -> None:
    listed = ["", "2026-09-22"]
    assert chosen(None, listed, TODAY) == ["2026-09-22", ""]
    assert chosen(Nth(1, False), listed, TODAY) == ["2026-09-22"]


def test_the_last_of_each_month_is_the_monthly_one() -> None:
    assert last_of_months(WEEKLY) == ["2026-09-29", "2026-10-27"]


@pytest.mark.parametrize(
    ("wanted", "expiry", "days"),
    [
        (OnDay(9, 1, 2026), "2026-09-22", 21),
        (OnDay(9, 1), "2026-09-22", 21),
        (InMonth(2), "2026-09-29", 213),
        (InMonth(12), "2026-11-23", 8),
        (InMonth(9), "2026-09-29", 0),
        (OnDay(2, 29), "2026-02-28", 0),
        (Nth(5, True), "2026-09-22", 0),
        (None, "2026-09-22", 0),
    ],
)
def test_the_distance_of_an_expiry_is_in_days_of_this_year_where_none_is_named(
    wanted: Expiry, expiry: str, days: int
) -> None:
    assert distance_days(wanted, expiry, TODAY) == days


def test_a_contract_without_a_date_is_farther_than_any() -> None:
    assert distance_days(OnDay(9, 1), "", TODAY) > distance_days(OnDay(9, 1), "2032-12-31", TODAY)


def test_expiries_are_written_in_words() -> None:
    assert in_words("2026-09-02") == "2 Sep 2026"
    assert in_words("") == "no expiry"
    assert [wanted_in_words(each) for each in (OnDay(9, 2), InMonth(9, 2026), None)] == [
        "2 Sep",
        "Sep 2026",
        "",
    ]
    assert wanted_in_words(Nth(2, True)) == "second monthly expiry"
    assert wanted_in_words(Nth(4, False)) == "4th expiry"
