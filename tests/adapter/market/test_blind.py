from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from ticks.adapter.clock import IST
from ticks.adapter.market.blind import Account, Interval, Span, counted, length_s, union_s
from ticks.adapter.market.calendar import MarketCalendar
from ticks.adapter.market.hours import NSE, Segment


def ms(clock_time: str) -> int:
    moment = datetime.fromisoformat(f"2026-11-20 {clock_time}").replace(tzinfo=IST)
    return int(moment.timestamp() * 1000)


ZERO_MS = ms("09:00")
"""The market's time at 0 of the monotonic clock."""


def intervals(
    start: str,
    end: str,
    *,
    reference: str = "09:00",
    after: str | None = None,
    is_live_end: bool = False,
    tail: str | None = None,
    closes: str | None = None,
) -> list[Interval]:
    span = Span(
        (ms(start) - ZERO_MS) / 1000,
        ms(reference),
        ms(start),
        is_tentative=False,
        tail_ms=ms(tail) if tail else None,
        closes_ms=ms(closes) if closes else None,
        ends_ms=ms("15:40"),
    )
    return counted(
        MarketCalendar(),
        Segment(NSE),
        span,
        end_s=(ms(end) - ZERO_MS) / 1000,
        market_of_zero_ms=ZERO_MS,
        after_ms=ms(after) if after else None,
        is_live_end=is_live_end,
    )


def count(start: str, end: str, **facts: Any) -> float:
    return length_s(intervals(start, end, **facts))


def since_nine(clock_time: str) -> float:
    return (ms(clock_time) - ZERO_MS) / 1000


def test_what_counts_is_where_it_was_missed() -> None:
    opening, close = since_nine("09:15"), since_nine("15:30")
    assert intervals("09:10", "09:16") == [(opening, opening + 60)]
    assert intervals("15:00", "16:30") == [(close - 1800, close)]
    assert intervals("09:10", "09:20", reference="09:14:50", after="09:15:20") == [
        (opening, opening + 31)
    ]


def test_seconds_in_the_session_count() -> None:
    assert count("10:00", "10:01") == 60
    assert count("09:10", "09:16") == 60
    assert count("15:29", "16:30") == 60
    assert count("16:00", "17:00") == 0


def test_a_span_is_no_longer_than_the_exchange_time_that_moved_and_a_second() -> None:
    assert count("10:00", "10:10", reference="10:00", after="10:00:05") == 6
    assert count("10:00", "10:00:03", reference="10:00", after="10:00:05") == 3
    assert count("10:00", "10:10", reference="10:00", after="09:59") == 1


def test_a_second_session_that_day_is_not_counted_twice() -> None:
    # as if the session of the loss had closed at 10:00, and the one that runs were the second
    assert count("09:50", "10:20", closes="10:00", is_live_end=True) == 1800


def test_what_ticked_on_after_the_close_counts_once_it_ticks_again() -> None:
    assert count("15:29", "15:32", closes="15:30") == 60
    assert count("15:29", "15:32", closes="15:30", is_live_end=True) == 180
    assert count("15:29", "15:50", closes="15:30", is_live_end=True) == 60


def test_a_tail_counts_outside_the_session_up_to_its_end() -> None:
    assert count("15:32", "15:33", tail="15:40") == 60
    assert count("15:32", "17:00", tail="15:40") == 480


def test_overlapping_intervals_are_counted_once() -> None:
    assert union_s([(0, 10), (5, 12), (20, 21), (6, 7)]) == 13
    assert union_s([]) == 0


def test_an_account_unites_what_may_overlap_and_settles_it() -> None:
    account = Account()
    account.add_blind([(0, 10), (7, 7)])
    assert account.blind_s([(5, 12)]) == 12
    account.settle()
    account.add_blind([(8, 12), (20, 21)])
    assert account.blind_s() == pytest.approx(13)


def test_a_blind_second_is_not_uncertain_too() -> None:
    account = Account()
    account.add_uncertain(0, 100)
    account.add_blind([(90, 120)])
    assert account.uncertain_s() == 90
    assert account.uncertain_s([(110, 140)], running_blind=[(130, 150)]) == 100
    account.settle()
    assert (account.blind_s(), account.uncertain_s()) == (30, 90)
