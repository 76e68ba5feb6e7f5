from __future__ import annotations

from datetime import date, datetime, time

import pytest

from ticks.adapter.clock import IST
from ticks.adapter.market.calendar import (
    MarketCalendar,
    SpecialSession,
    exchange_holidays,
    is_us_summer_time,
)

NSE, NFO, BSE, BFO, MCX, NCO, CDS = 1, 2, 3, 4, 5, 7, 13
CALENDAR = MarketCalendar()


def ns(text: str) -> int:
    """Nanoseconds since the epoch of a moment in India."""
    moment = datetime.fromisoformat(text).replace(tzinfo=IST)
    return int(moment.timestamp()) * 1_000_000_000


def ist(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=IST)


@pytest.mark.parametrize("segment", [NSE, NFO, BSE, BFO])
@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-20 09:00:00", False),
        ("2026-11-20 09:14:59", False),
        ("2026-11-20 09:15:00", True),
        ("2026-11-20 15:29:59", True),
        ("2026-11-20 15:30:00", False),
        ("2026-11-20 23:59:59", False),
        ("2026-11-21 00:00:00", False),
    ],
)
def test_cash_and_derivatives_trade_from_0915_to_1530(
    segment: int, moment: str, is_open: bool
) -> None:
    assert CALENDAR.is_open([segment], ns(moment)) is is_open


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-20 08:59:59", False),
        ("2026-11-20 09:00:00", True),
        ("2026-11-20 16:59:59", True),
        ("2026-11-20 17:00:00", False),
    ],
)
def test_currencies_trade_from_9_to_17(moment: str, is_open: bool) -> None:
    assert CALENDAR.is_open([CDS], ns(moment)) is is_open


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-07-01 09:00:00", True),
        ("2026-07-01 23:29:59", True),
        ("2026-07-01 23:30:00", False),
        ("2026-12-01 23:54:59", True),
        ("2026-12-01 23:55:00", False),
        ("2026-03-06 23:40:00", True),  # the Friday before the US turns its clocks
        ("2026-03-09 23:40:00", False),
        ("2026-10-30 23:40:00", False),
        ("2026-11-02 23:40:00", True),
    ],
)
def test_commodities_close_later_while_the_us_keeps_standard_time(
    moment: str, is_open: bool
) -> None:
    assert CALENDAR.is_open([MCX], ns(moment)) is is_open


@pytest.mark.parametrize(
    ("day", "is_summer"),
    [
        (date(2024, 3, 9), False),
        (date(2024, 3, 10), True),
        (date(2025, 3, 8), False),
        (date(2025, 3, 9), True),
        (date(2024, 11, 2), True),
        (date(2024, 11, 3), False),
        (date(2026, 3, 8), True),
        (date(2026, 11, 1), False),
        (date(2026, 1, 1), False),
    ],
)
def test_us_summer_time_runs_from_the_second_sunday_of_march_to_the_first_of_november(
    day: date, is_summer: bool
) -> None:
    assert is_us_summer_time(day) is is_summer


@pytest.mark.parametrize("day", ["2026-11-21", "2026-11-22"])
@pytest.mark.parametrize("segment", [NSE, BSE, MCX, CDS])
def test_nothing_trades_at_the_weekend(day: str, segment: int) -> None:
    assert not CALENDAR.is_open([segment], ns(f"{day} 12:00:00"))


def test_the_holidays_of_the_exchanges_are_known() -> None:
    for calendar in ("XNSE", "XBOM"):
        assert date(2026, 1, 26) in exchange_holidays(calendar, 2026)
        assert date(2026, 12, 25) in exchange_holidays(calendar, 2026)
        assert date(2026, 11, 20) not in exchange_holidays(calendar, 2026)


def test_on_a_holiday_equities_rest_and_commodities_trade_the_evening() -> None:
    diwali = "2025-10-22"  # Balipratipada
    assert not CALENDAR.is_open([NSE, NFO, BSE, BFO, CDS], ns(f"{diwali} 12:00:00"))
    assert not CALENDAR.is_open([MCX], ns(f"{diwali} 16:59:59"))
    assert CALENDAR.is_open([MCX], ns(f"{diwali} 17:00:00"))
    assert not CALENDAR.is_open([MCX], ns(f"{diwali} 23:30:00"))


@pytest.mark.parametrize("day", ["2026-01-26", "2025-08-15", "2025-10-02", "2025-12-25"])
def test_on_a_national_holiday_nothing_trades_even_in_the_evening(day: str) -> None:
    assert not CALENDAR.is_open([NSE, BSE, MCX, CDS], ns(f"{day} 19:00:00"))


@pytest.mark.parametrize("segment", [NCO, 99])
def test_a_segment_whose_hours_are_unknown_counts_as_open(segment: int) -> None:
    sunday_night = ns("2026-11-22 03:00:00")
    assert CALENDAR.is_open([NSE, segment], sunday_night)
    assert CALENDAR.next_open([NSE, segment], sunday_night) is None


def test_one_open_segment_of_several_is_enough() -> None:
    evening = ns("2026-11-20 19:00:00")
    assert not CALENDAR.is_open([NSE], evening)
    assert CALENDAR.is_open([NSE, MCX], evening)


def test_without_a_segment_nothing_can_tick() -> None:
    assert not CALENDAR.is_open([], ns("2026-11-20 12:00:00"))
    assert CALENDAR.next_open([], ns("2026-11-20 12:00:00")) is None


def test_always_open_means_at_any_hour() -> None:
    calendar = MarketCalendar(is_always_open=True)
    assert calendar.is_open([NSE], ns("2026-11-22 03:00:00"))
    assert calendar.next_open([NSE], ns("2026-11-22 03:00:00")) is None


def test_a_special_session_opens_a_closed_day_for_its_segments() -> None:
    muhurat = SpecialSession(date(2025, 10, 21), time(13, 45), time(14, 45), frozenset({NSE, NFO}))
    calendar = MarketCalendar(special_sessions=(muhurat,))
    assert not CALENDAR.is_open([NSE], ns("2025-10-21 14:00:00"))
    assert calendar.is_open([NSE], ns("2025-10-21 14:00:00"))
    assert not calendar.is_open([NSE], ns("2025-10-21 14:45:00"))
    assert not calendar.is_open([BSE], ns("2025-10-21 14:00:00"))


def test_a_special_session_without_segments_is_for_all() -> None:
    saturday = SpecialSession(date(2026, 11, 21), time(9, 15), time(12, 30))
    calendar = MarketCalendar(special_sessions=(saturday,))
    for segment in (NSE, BFO, MCX, CDS):
        assert calendar.is_open([segment], ns("2026-11-21 10:00:00"))
    assert not calendar.is_open([NSE], ns("2026-11-21 12:30:00"))


def test_a_special_session_leaves_the_regular_hours_as_they_are() -> None:
    early = SpecialSession(date(2026, 11, 20), time(7), time(8))
    calendar = MarketCalendar(special_sessions=(early,))
    assert calendar.is_open([NSE], ns("2026-11-20 07:30:00"))
    assert not calendar.is_open([NSE], ns("2026-11-20 08:30:00"))
    assert calendar.is_open([NSE], ns("2026-11-20 12:00:00"))


def test_a_holiday_of_the_users_closes_the_whole_day_for_all() -> None:
    calendar = MarketCalendar(extra_holidays=frozenset({date(2026, 11, 20)}))
    assert not calendar.is_open([NSE, BSE, MCX, CDS], ns("2026-11-20 18:00:00"))


@pytest.mark.parametrize(
    ("segments", "moment", "opens"),
    [
        ([NSE], "2026-11-20 08:00:00", "2026-11-20 09:15:00"),
        ([NSE], "2026-11-20 15:30:00", "2026-11-23 09:15:00"),
        ([NSE, CDS], "2026-11-19 23:00:00", "2026-11-20 09:00:00"),
        ([MCX], "2025-10-22 08:00:00", "2025-10-22 17:00:00"),
        ([MCX], "2026-12-01 23:55:00", "2026-12-02 09:00:00"),
        ([NSE], "2025-12-31 16:00:00", "2026-01-01 09:15:00"),
    ],
)
def test_the_next_opening_is_the_first_of_all_segments(
    segments: list[int], moment: str, opens: str
) -> None:
    assert CALENDAR.next_open(segments, ns(moment)) == ist(opens)


def test_an_open_market_has_no_next_opening() -> None:
    assert CALENDAR.next_open([NSE, MCX], ns("2026-11-20 12:00:00")) is None


def test_a_special_session_is_the_next_opening() -> None:
    sunday = SpecialSession(date(2026, 11, 22), time(18), time(19), frozenset({NSE}))
    calendar = MarketCalendar(special_sessions=(sunday,))
    assert calendar.next_open([NSE], ns("2026-11-20 16:00:00")) == ist("2026-11-22 18:00:00")
    assert calendar.next_open([BSE], ns("2026-11-20 16:00:00")) == ist("2026-11-23 09:15:00")


def test_a_market_that_never_opens_again_has_no_next_opening() -> None:
    days = frozenset(date.fromordinal(date(2026, 11, 20).toordinal() + n) for n in range(40))
    calendar = MarketCalendar(extra_holidays=days)
    assert calendar.next_open([NSE], ns("2026-11-20 08:00:00")) is None


def test_each_exchange_keeps_its_own_calendar() -> None:
    def holidays_of(calendar: str, year: int) -> set[date]:
        return {date(year, 11, 20)} if calendar == "XBOM" else set()

    calendar = MarketCalendar(holidays_of=holidays_of)
    noon = ns("2026-11-20 12:00:00")
    assert calendar.is_open([NSE], noon)
    assert calendar.is_open([NFO], noon)
    assert not calendar.is_open([BSE, BFO], noon)
