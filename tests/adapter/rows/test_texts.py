"""Texts that are kept, and those made again: the same either way, and never too many."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.clock import IST, ist_time
from ticks.adapter.rows.texts import CALENDAR_END_S, ExchangeTimes, Memory, Prices, Wrapped

NOON_MS = int(datetime(2026, 11, 26, 12, tzinfo=IST).timestamp()) * 1000
CALENDAR_END_MS = CALENDAR_END_S * 1000


def time_text(time_ms: int) -> str:
    if 0 < time_ms < CALENDAR_END_MS:
        return f'"{ist_time(time_ms * 1_000_000).isoformat(timespec="milliseconds")}"'
    return f"off the calendar: {time_ms}"


TIMES = st.one_of(
    st.integers(-2_000, 2_000),
    st.integers(NOON_MS - 2_000, NOON_MS + 2_000),
    st.integers(CALENDAR_END_MS - 2_000, CALENDAR_END_MS + 2_000),
    st.integers(-(2**63), 2**63 - 1),
)


@given(st.lists(TIMES))
def test_whatever_came_before_a_time_has_its_own_text(times: list[int]) -> None:
    texts = ExchangeTimes(time_text)
    assert [texts[time] for time in times] == [time_text(time) for time in times]


def test_a_time_of_a_second_that_is_known_does_not_ask_the_calendar() -> None:
    asked: list[int] = []

    def make(time_ms: int) -> str:
        asked.append(time_ms)
        return time_text(time_ms)

    texts = ExchangeTimes(make)
    assert [texts[NOON_MS + ms][21:24] for ms in (7, 999, 7)] == ["007", "999", "007"]
    assert asked == [NOON_MS]


@pytest.mark.parametrize("digits", [2, 7])
@given(price=st.integers(-(2**63), 2**63 - 1))
def test_a_price_is_exact_with_all_its_digits(digits: int, price: int) -> None:
    text = Prices(digits)[price]
    assert Decimal(text) == Decimal(price).scaleb(-digits)
    assert len(text.partition(".")[2]) == digits


@pytest.mark.parametrize(
    "texts",
    [Memory[int, str](str), Prices(2), Wrapped("<", ">"), ExchangeTimes(time_text)],
    ids=lambda texts: type(texts).__name__,
)
def test_what_is_kept_is_bounded_and_right_all_the_same(texts: dict[int, str]) -> None:
    first = texts[NOON_MS]
    most = 0
    for number in range(40_000):
        assert texts[number + NOON_MS]
        most = max(most, len(texts))
    assert 1_000 <= most < 40_000
    assert texts[NOON_MS] == first


def test_a_text_that_is_known_is_the_text_that_was_made() -> None:
    made: list[int] = []
    memory: Memory[int, str] = Memory(lambda key: f"{made.append(key)}{key}")
    prices, wrapped = Prices(2), Wrapped("<", ">")
    for _ in range(2):
        assert (memory[5], prices[0], prices[5], prices[-5]) == ("None5", "0.00", "0.05", "-0.05")
        assert wrapped[5] == "<5>"
    assert made == [5]


def test_a_year_of_zeros_is_not_taken_for_milliseconds() -> None:
    at_ms = int(datetime(2000, 1, 1, 10, tzinfo=IST).timestamp()) * 1000 + 7
    assert ExchangeTimes(time_text)[at_ms] == '"2000-01-01T10:00:00.007+05:30"'
