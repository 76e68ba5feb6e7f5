from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from ticks.adapter.clock import IST, ist_time
from ticks.adapter.market.calendar import MarketCalendar
from ticks.adapter.market.hours import Segment
from ticks.cli.options.closing_time import closing_ns

NSE, NFO, MCX, CDS = (Segment(number) for number in (1, 2, 5, 13))


@pytest.mark.parametrize(
    ("segments", "moment", "end"),
    [
        ([NSE], "2026-11-26 09:00", "15:40"),
        ([NFO], "2026-11-26 09:00", "15:45"),
        ([NSE, NFO], "2026-11-26 09:00", "15:45"),
        ([CDS], "2026-11-26 09:00", "17:05"),
        ([MCX], "2026-11-26 09:00", "00:00"),  # 23:55 in winter, and five minutes
        ([NSE], "2026-10-02 09:00", "15:40"),  # a holiday: the next day's time, but today
        ([NSE], "2026-11-28 09:00", "15:40"),  # a Saturday
    ],
)
def test_close_is_five_minutes_after_the_last_session(
    segments: list[Segment], moment: str, end: str
) -> None:
    now = datetime.fromisoformat(moment).replace(tzinfo=IST)
    at = ist_time(closing_ns(MarketCalendar(), segments, now))
    assert f"{at:%H:%M}" == end
    assert timedelta(0) < at - now < timedelta(days=1)


def test_close_means_the_same_in_a_market_that_is_always_open() -> None:
    now = datetime(2026, 11, 26, 9, tzinfo=IST)
    always = closing_ns(MarketCalendar(is_always_open=True), [NSE], now)
    assert always == closing_ns(MarketCalendar(), [NSE], now)


@pytest.mark.parametrize(
    ("segment", "moment", "coming"),
    [
        (NSE, "2026-11-26 15:40", "2026-11-27T15:40"),
        (NSE, "2026-11-27 16:00", "2026-11-30T15:40"),  # after the weekend
        (NSE, "2026-11-28 16:00", "2026-11-30T15:40"),  # on a Saturday
        (NSE, "2026-12-24 15:59", "2026-12-28T15:40"),  # after Christmas
        (MCX, "2026-01-01 17:05", "2026-01-03T00:00"),  # no evening today, one on the next day
    ],
)
def test_a_close_that_has_passed_is_refused_and_the_next_one_named(
    segment: Segment, moment: str, coming: str
) -> None:
    now = datetime.fromisoformat(moment).replace(tzinfo=IST)
    with pytest.raises(
        ValueError, match=f"^'close' has passed: it is .*; the next one is {coming}$"
    ):
        closing_ns(MarketCalendar(), [segment], now)
