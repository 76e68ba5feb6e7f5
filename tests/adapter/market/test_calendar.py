"""The prior at real moments of real days, the edges of sessions, and what users may change."""

from __future__ import annotations

from datetime import date, datetime, time
from math import inf

import pytest

from ticks.adapter.clock import IST
from ticks.adapter.market.announced import Announced
from ticks.adapter.market.belief import Source
from ticks.adapter.market.calendar import (
    MarketCalendar,
    Outlook,
    Prior,
    SegmentRules,
    SpecialSession,
)
from ticks.adapter.market.hours import BFO, BSE, CDS, MCX, NCO, NFO, NSE, Kind, Segment

CALENDAR = MarketCalendar()
NO_LISTS = MarketCalendar(announced=Announced())
SHARES = (NSE, NFO, BSE, BFO)
EVERYWHERE = (*SHARES, MCX, NCO, CDS)


def ist(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=IST)


def ns(text: str) -> int:
    """Nanoseconds since the epoch of a moment in India."""
    return int(ist(text).timestamp()) * 1_000_000_000


def prior(exchange_type: int, text: str, *kinds: Kind, calendar: MarketCalendar = CALENDAR) -> str:
    segment = Segment(exchange_type, frozenset(kinds or {Kind.ORDINARY}))
    return calendar.prior(segment, ns(text)).name.lower()


# --- ordinary days --------------------------------------------------------------------------------


@pytest.mark.parametrize("exchange_type", [NSE, BSE])
@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("08:59:59", "shut"),
        ("09:00:00", "may"),
        ("09:14:59", "may"),
        ("09:15:00", "open"),
        ("15:29:59", "open"),
        ("15:30:00", "may"),
        ("15:59:59", "may"),
        ("16:00:00", "shut"),
    ],
)
def test_shares_trade_from_0915_to_1530(exchange_type: int, moment: str, expected: str) -> None:
    assert prior(exchange_type, f"2026-11-20 {moment}") == expected


@pytest.mark.parametrize("exchange_type", [NFO, BFO])
@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-20 09:14:59", "may"),
        ("2026-11-20 15:35:00", "open"),
        ("2026-11-20 15:39:59", "open"),
        ("2026-11-20 15:40:00", "may"),
        ("2026-11-20 15:45:00", "shut"),
        ("2026-07-31 15:29:59", "open"),  # the last Friday of the old hours
        ("2026-07-31 15:30:00", "may"),
        ("2026-08-03 15:35:00", "open"),
    ],
)
def test_derivatives_trade_to_1540_since_august_2026(
    exchange_type: int, moment: str, expected: str
) -> None:
    assert prior(exchange_type, moment) == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-20 15:14:59", "open"),
        ("2026-11-20 15:15:00", "may"),
        ("2026-11-20 15:34:59", "may"),
        ("2026-07-31 15:20:00", "open"),
    ],
)
def test_shares_of_the_closing_auction_trade_to_1515(moment: str, expected: str) -> None:
    assert prior(NSE, moment, Kind.AUCTION) == expected


def test_one_other_share_or_an_index_keeps_the_segment_open() -> None:
    assert prior(NSE, "2026-11-20 15:20", Kind.AUCTION, Kind.ORDINARY) == "open"


@pytest.mark.parametrize(
    ("moment", "expected"),
    [("08:59:59", "shut"), ("09:00", "open"), ("16:59:59", "open"), ("17:00", "shut")],
)
def test_currencies_trade_from_0900_to_1700(moment: str, expected: str) -> None:
    assert prior(CDS, f"2026-11-20 {moment}") == expected


@pytest.mark.parametrize("exchange_type", [MCX, NCO])
@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-20 08:44:59", "shut"),
        ("2026-11-20 08:45:00", "may"),
        ("2026-11-20 09:00:00", "open"),
        ("2026-11-20 23:54:59", "open"),
        ("2026-11-20 23:55:00", "may"),
        ("2026-07-01 23:29:59", "open"),
        ("2026-07-01 23:30:00", "may"),
        ("2026-07-01 23:40:00", "shut"),
        ("2026-03-06 23:50:00", "open"),  # the Friday before the US turns its clocks
        ("2026-03-09 23:50:00", "shut"),
        ("2026-10-30 23:50:00", "shut"),
        ("2026-11-02 23:50:00", "open"),
        ("2024-03-08 23:50:00", "open"),
        ("2024-03-11 23:50:00", "shut"),
        ("2025-10-31 23:50:00", "shut"),
        ("2025-11-03 23:50:00", "open"),
    ],
)
def test_commodities_close_by_the_clocks_of_the_us(
    exchange_type: int, moment: str, expected: str
) -> None:
    assert prior(exchange_type, moment) == expected


@pytest.mark.parametrize(
    ("kind", "moment", "expected"),
    [
        (Kind.FARM, "16:59:59", "open"),
        (Kind.FARM, "17:00", "may"),
        (Kind.FARM, "17:10", "shut"),
        (Kind.FARM_ABROAD, "20:59:59", "open"),
        (Kind.FARM_ABROAD, "21:10", "shut"),
    ],
)
def test_farm_goods_close_earlier(kind: Kind, moment: str, expected: str) -> None:
    assert prior(MCX, f"2026-11-20 {moment}", kind) == expected
    assert prior(MCX, f"2026-11-20 {moment}", kind, Kind.ORDINARY) == "open"


def test_farm_goods_have_no_session_where_the_day_begins_after_their_close() -> None:
    holiday = "2026-03-03"  # only the evening, from 17:00
    assert prior(MCX, f"{holiday} 18:00") == "open"
    assert prior(MCX, f"{holiday} 18:00", Kind.FARM) == "shut"
    assert CALENDAR.sessions(Segment(MCX, frozenset({Kind.FARM})), date(2026, 3, 3)) == ()


def test_the_belief_behind_a_day_can_be_asked_for() -> None:
    assert CALENDAR.belief(Segment(NSE), date(2026, 11, 20)).source is Source.LISTED


@pytest.mark.parametrize(
    ("exchange_type", "kind", "day", "said"),
    [
        (MCX, Kind.FARM, "2026-11-20", "09:00-17:00 (listed)"),
        (MCX, Kind.FARM_ABROAD, "2026-11-20", "09:00-21:00 (listed)"),
        (MCX, Kind.FARM, "2026-03-03", "closed (Holi, listed)"),  # an evening alone
        (NSE, Kind.AUCTION, "2026-11-20", "09:15-15:15 (listed)"),
    ],
)
def test_a_belief_has_the_hours_of_what_is_asked_for(
    exchange_type: int, kind: Kind, day: str, said: str
) -> None:
    segment = Segment(exchange_type, frozenset({kind}))
    assert str(CALENDAR.belief(segment, date.fromisoformat(day))) == said


@pytest.mark.parametrize(
    ("exchange_type", "moment", "expected"),
    [
        (MCX, "2026-12-17 00:04", "may"),  # 23:55 and ten minutes
        (MCX, "2026-12-17 00:05", "shut"),
        (MCX, "2026-12-19 00:04", "may"),  # Saturday, after Friday's close
        (MCX, "2026-12-20 00:04", "shut"),
        (MCX, "2026-08-27 00:04", "shut"),  # it closed at 23:30
        (NSE, "2026-12-17 00:04", "shut"),
    ],
)
def test_the_last_packets_of_a_day_may_come_after_midnight(
    exchange_type: int, moment: str, expected: str
) -> None:
    assert prior(exchange_type, moment) == expected


def test_what_has_no_known_hours_may_tick_in_the_daytime() -> None:
    assert prior(NCO, "2026-11-20 12:00", Kind.NO_HOURS) == "may"
    assert prior(NCO, "2026-11-20 22:00", Kind.NO_HOURS) == "shut"
    assert prior(NCO, "2026-11-21 12:00", Kind.NO_HOURS) == "shut"
    assert prior(NCO, "2026-11-24 12:00", Kind.NO_HOURS) == "shut"  # MCX rests in the morning


# --- real days ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exchange_types", "moment", "expected"),
    [
        ([*SHARES, CDS, MCX, NCO], "2026-01-15 10:00", "shut"),  # municipal elections
        ([MCX, NCO], "2026-01-15 17:00", "open"),
        ([MCX], "2026-01-15 23:50", "open"),
        (SHARES, "2026-02-01 11:00", "open"),  # Sunday, Union Budget
        (SHARES, "2026-02-01 09:05", "may"),
        ([MCX, NCO], "2026-02-01 16:59", "open"),
        ([MCX, NCO], "2026-02-01 18:00", "shut"),
        ([CDS], "2026-02-01 11:00", "shut"),
        (SHARES, "2025-02-01 11:00", "open"),  # Saturday, Union Budget
        (EVERYWHERE, "2026-04-03 11:00", "shut"),  # Good Friday
        ([MCX, NCO], "2026-04-03 18:00", "shut"),
        ([MCX, NCO], "2024-03-29 18:00", "shut"),
        ([MCX, NCO], "2025-04-18 18:00", "shut"),
        (SHARES, "2026-01-01 11:00", "open"),
        ([MCX, NCO], "2026-01-01 16:59", "open"),
        ([MCX, NCO], "2026-01-01 19:00", "shut"),
        ([CDS], "2026-08-26 11:00", "shut"),
        (SHARES, "2026-08-26 11:00", "open"),
        ([CDS], "2026-04-01 11:00", "shut"),
        ([CDS], "2025-09-08 11:00", "shut"),
        ([CDS], "2025-09-05 11:00", "open"),
        ([CDS], "2024-09-18 11:00", "shut"),
        ([CDS], "2024-09-16 11:00", "open"),
        (EVERYWHERE, "2025-10-21 14:00", "open"),  # Muhurat
        (SHARES, "2025-10-21 13:35", "may"),
        (EVERYWHERE, "2025-10-21 12:00", "shut"),
        ([MCX, NCO], "2025-10-21 18:00", "shut"),
        (EVERYWHERE, "2024-11-01 18:30", "open"),
        ([MCX], "2025-10-22 16:59", "may"),  # the evening's pre-open
        ([MCX], "2025-10-22 17:00", "open"),
        (SHARES, "2025-10-22 12:00", "shut"),
        (SHARES, "2024-01-20 12:00", "open"),  # Saturday for Monday
        (SHARES, "2024-01-22 12:00", "shut"),
        (SHARES, "2024-03-02 09:30", "open"),
        (SHARES, "2024-03-02 12:00", "open"),
        ([NSE, BSE], "2024-03-02 12:35", "may"),
        (SHARES, "2024-03-02 14:00", "shut"),
        ([NSE, BSE], "2024-05-18 12:35", "may"),
        ([NFO, BFO], "2024-05-18 12:35", "open"),
        (SHARES, "2024-05-20 12:00", "shut"),
        (SHARES, "2024-11-20 12:00", "shut"),
        (EVERYWHERE, "2026-11-08 12:00", "may"),  # Sunday, Muhurat at an hour not known
        (EVERYWHERE, "2026-11-08 20:00", "shut"),
        (EVERYWHERE, "2026-11-21 12:00", "shut"),
        (EVERYWHERE, "2026-11-22 12:00", "shut"),
    ],
)
def test_the_prior_of_real_moments(exchange_types: list[int], moment: str, expected: str) -> None:
    assert {prior(each, moment) for each in exchange_types} == {expected}


@pytest.mark.parametrize(("year", "trading_days"), [(2024, 249), (2025, 249)])
def test_a_year_has_the_trading_days_that_it_had(year: int, trading_days: int) -> None:
    first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
    days = [date.fromordinal(number) for number in range(first, last + 1)]
    assert sum(bool(CALENDAR.sessions(Segment(NSE), day)) for day in days) == trading_days


# --- years without a list -------------------------------------------------------------------------


@pytest.mark.parametrize("calendar", [CALENDAR, NO_LISTS])
@pytest.mark.parametrize(
    ("exchange_types", "moment", "expected"),
    [
        ([*SHARES, CDS], "2027-01-26 11:00", "shut"),
        ([MCX, NCO], "2027-01-26 18:00", "shut"),
        (EVERYWHERE, "2027-03-26 11:00", "shut"),  # Good Friday
        ([MCX, NCO], "2027-03-26 18:00", "shut"),
        ([*SHARES, CDS], "2028-05-01 11:00", "shut"),
        ([MCX, NCO], "2028-05-01 11:00", "shut"),
        ([MCX, NCO], "2028-05-01 18:00", "open"),
        ([CDS], "2027-04-01 11:00", "shut"),
        (SHARES, "2027-04-01 11:00", "open"),
        ([CDS], "2027-02-19 11:00", "shut"),
        ([MCX, NCO], "2027-01-01 18:00", "shut"),
        ([MCX, NCO, *SHARES], "2027-01-01 11:00", "open"),
        (SHARES, "2031-02-01 11:00", "may"),  # Saturday, perhaps the Budget
        ([MCX, NCO], "2031-02-01 11:00", "may"),
        ([CDS], "2031-02-01 11:00", "shut"),
        (EVERYWHERE, "2027-02-02 11:00", "open"),
    ],
)
def test_rules_hold_in_any_year(
    calendar: MarketCalendar, exchange_types: list[int], moment: str, expected: str
) -> None:
    assert {prior(each, moment, calendar=calendar) for each in exchange_types} == {expected}


def test_an_estimated_holiday_makes_silence_normal_and_shuts_nothing() -> None:
    assert {prior(each, "2027-03-22 11:00") for each in (*SHARES, CDS, MCX)} == {"may"}
    assert prior(MCX, "2027-03-22 18:00") == "open"
    assert {prior(each, "2027-10-29 11:00") for each in EVERYWHERE} == {"may"}
    assert prior(NSE, "2027-03-22 11:00", calendar=NO_LISTS) == "open"


# --- unknown segments, and always open ------------------------------------------------------------


def test_a_segment_that_nobody_knows_may_tick_at_any_time() -> None:
    assert prior(99, "2026-11-22 03:00") == "may"
    assert CALENDAR.next_open([Segment(99)], ns("2026-11-22 03:00")) is None
    assert CALENDAR.day_end([Segment(99)], date(2026, 11, 20)) is None
    assert CALENDAR.opening(99, date(2026, 11, 20)) == ist("2026-11-20 00:00")


def test_always_open_means_at_any_hour() -> None:
    calendar = MarketCalendar(is_always_open=True)
    assert prior(NSE, "2026-11-22 03:00", calendar=calendar) == "open"
    assert calendar.next_open([Segment(NSE)], ns("2026-11-22 03:00")) is None
    assert calendar.day_end([Segment(NSE)], date(2026, 11, 22)) is None
    assert calendar.open_spans(Segment(NSE), 0, 5000) == [(-inf, inf)]


def test_without_a_segment_nothing_is_open() -> None:
    assert not CALENDAR.is_open([], ns("2026-11-20 12:00"))
    assert CALENDAR.next_open([], ns("2026-11-20 12:00")) is None


# --- openings and ends ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exchange_types", "moment", "opens"),
    [
        ([NSE], "2026-11-20 08:00", "2026-11-20 09:15"),
        ([NSE], "2026-11-20 15:30", "2026-11-23 09:15"),
        ([NSE], "2026-11-23 16:00", "2026-11-25 09:15"),  # over Guru Nanak Jayanti
        ([NSE, CDS], "2026-11-19 23:00", "2026-11-20 09:00"),
        ([MCX], "2026-11-24 08:00", "2026-11-24 17:00"),
        ([MCX], "2026-11-20 23:55", "2026-11-23 09:00"),
        ([NSE], "2026-01-30 16:00", "2026-02-01 09:15"),
        ([NSE], "2024-03-02 10:30", "2024-03-02 11:30"),
        ([NSE], "2026-12-31 16:00", "2027-01-01 09:15"),
    ],
)
def test_the_next_opening_is_the_first_of_all_segments(
    exchange_types: list[int], moment: str, opens: str
) -> None:
    wanted = [Segment(each) for each in exchange_types]
    assert CALENDAR.next_open(wanted, ns(moment)) == ist(opens)


def test_an_open_market_has_no_next_opening() -> None:
    assert CALENDAR.next_open([Segment(NSE), Segment(MCX)], ns("2026-11-20 12:00")) is None


def test_a_market_that_never_opens_again_has_no_next_opening() -> None:
    days = frozenset(date.fromordinal(date(2026, 11, 20).toordinal() + n) for n in range(40))
    calendar = MarketCalendar(extra_holidays=days)
    assert calendar.next_open([Segment(NSE)], ns("2026-11-20 08:00")) is None


@pytest.mark.parametrize(
    ("exchange_types", "day", "ends"),
    [
        ([NSE], "2026-11-20", "2026-11-20 15:40"),
        ([NSE], "2026-07-31", "2026-07-31 15:35"),
        ([NFO], "2026-11-20", "2026-11-20 15:45"),
        ([NFO], "2026-07-31", "2026-07-31 15:35"),
        ([CDS], "2026-11-20", "2026-11-20 17:05"),
        ([NSE, NFO, CDS], "2026-11-20", "2026-11-20 17:05"),
        ([MCX], "2026-11-20", "2026-11-21 00:00"),
        ([MCX], "2026-07-01", "2026-07-01 23:35"),
        ([NSE], "2025-10-21", "2025-10-21 14:50"),
        ([MCX], "2026-02-01", "2026-02-01 17:05"),
        ([NFO], "2024-05-18", "2024-05-18 12:45"),
        ([NSE], "2026-11-08", "2026-11-08 20:05"),
        ([NSE], "2026-11-21", None),
        ([NSE], "2026-11-24", None),
        ([NSE, MCX], "2026-11-24", "2026-11-25 00:00"),
    ],
)
def test_a_day_ends_five_minutes_after_the_last_session(
    exchange_types: list[int], day: str, ends: str | None
) -> None:
    wanted = [Segment(each) for each in exchange_types]
    assert CALENDAR.day_end(wanted, date.fromisoformat(day)) == (ends and ist(ends))


def test_the_day_of_farm_goods_ends_with_them() -> None:
    farm = Segment(MCX, frozenset({Kind.FARM}))
    assert CALENDAR.day_end([farm], date(2026, 11, 20)) == ist("2026-11-20 17:05")


@pytest.mark.parametrize(
    ("exchange_type", "day", "opens"),
    [
        (NSE, "2026-11-20", "09:15"),
        (NFO, "2026-11-20", "09:15"),
        (CDS, "2026-11-20", "09:00"),
        (MCX, "2026-11-20", "09:00"),
        (MCX, "2026-11-24", "17:00"),
        (NSE, "2025-10-21", "13:45"),
        (NSE, "2024-03-02", "09:15"),
        (NSE, "2026-11-21", "09:15"),
        (NSE, "2019-05-06", "09:15"),
    ],
)
def test_the_opening_anchors_candles(exchange_type: int, day: str, opens: str) -> None:
    assert CALENDAR.opening(exchange_type, date.fromisoformat(day)) == ist(f"{day} {opens}")


def test_open_spans_are_the_sessions_that_reach_into_a_time() -> None:
    def spans(exchange_type: int, start: str, end: str) -> list[tuple[float, float]]:
        start_ms, end_ms = ns(start) // 10**6, ns(end) // 10**6
        return CALENDAR.open_spans(Segment(exchange_type), start_ms, end_ms)

    def session(day: str, closes: str) -> tuple[float, float]:
        return ns(f"{day} 09:15") / 10**6, ns(f"{day} {closes}") / 10**6

    friday, monday = session("2026-11-20", "15:30"), session("2026-11-23", "15:30")
    assert spans(NSE, "2026-11-20 15:20", "2026-11-23 09:25") == [friday, monday]
    assert spans(NFO, "2026-11-20 15:35", "2026-11-20 16:00") == [session("2026-11-20", "15:40")]
    assert spans(NSE, "2026-11-20 15:30", "2026-11-23 09:15") == []
    assert spans(NSE, "2026-11-23 09:25", "2026-11-20 15:20") == []


def test_an_outlook_knows_the_times_around_a_moment() -> None:
    outlook = CALENDAR.outlook(Segment(NSE), ns("2024-03-02 12:00"))
    assert outlook.prior is Prior.OPEN
    assert outlook.opened_ms == ns("2024-03-02 11:30") // 10**6
    assert outlook.closes_ms == ns("2024-03-02 12:30") // 10**6
    assert outlook.first_opened_ms == ns("2024-03-02 09:15") // 10**6
    assert outlook.has_session
    assert outlook.ends_ms == ns("2024-03-02 12:35") // 10**6
    before = CALENDAR.outlook(Segment(NSE), ns("2024-03-02 08:00"))
    assert (before.opened_ms, before.first_opened_ms, before.has_session) == (None, None, True)
    sunday = CALENDAR.outlook(Segment(NSE), ns("2026-11-22 12:00"))
    assert sunday == Outlook(Prior.SHUT)


# --- what users change ----------------------------------------------------------------------------


def test_a_holiday_of_the_users_closes_the_day_everywhere() -> None:
    calendar = MarketCalendar(extra_holidays=frozenset({date(2026, 11, 20)}))
    assert {prior(each, "2026-11-20 18:00", calendar=calendar) for each in EVERYWHERE} == {"shut"}


def test_a_holiday_of_one_segment_leaves_the_others() -> None:
    rules = {CDS: SegmentRules(holidays=frozenset({date(2026, 11, 20)}))}
    calendar = MarketCalendar(rules=rules)
    assert prior(CDS, "2026-11-20 12:00", calendar=calendar) == "shut"
    assert prior(NSE, "2026-11-20 12:00", calendar=calendar) == "open"


def test_hours_of_one_segment_replace_ours() -> None:
    calendar = MarketCalendar(rules={NFO: SegmentRules(hours=(time(9, 30), time(16)))})
    assert prior(NFO, "2026-11-20 15:50", calendar=calendar) == "open"
    assert prior(NFO, "2026-11-20 09:20", calendar=calendar) == "may"
    assert prior(NSE, "2026-11-20 15:50", calendar=calendar) == "may"
    assert prior(NFO, "2026-11-24 12:00", calendar=calendar) == "shut"


def test_the_auction_moves_with_the_hours() -> None:
    calendar = MarketCalendar(rules={NSE: SegmentRules(hours=(time(9, 15), time(16)))})
    assert prior(NSE, "2026-11-20 15:40", Kind.AUCTION, calendar=calendar) == "open"
    assert prior(NSE, "2026-11-20 15:45", Kind.AUCTION, calendar=calendar) == "may"


def test_hours_make_an_unknown_segment_known() -> None:
    calendar = MarketCalendar(rules={99: SegmentRules(hours=(time(10), time(17)))})
    assert prior(99, "2026-11-20 12:00", calendar=calendar) == "open"
    assert prior(99, "2026-11-21 12:00", calendar=calendar) == "shut"
    ncdex = MarketCalendar(rules={NCO: SegmentRules(hours=(time(10), time(17)))})
    assert prior(NCO, "2026-11-20 12:00", Kind.NO_HOURS, calendar=ncdex) == "open"


def test_a_session_opens_a_closed_day_for_its_segments() -> None:
    session = SpecialSession(date(2026, 11, 8), time(18), time(19), frozenset({NSE, NFO}))
    calendar = MarketCalendar(special_sessions=(session,))
    assert prior(NSE, "2026-11-08 18:30", calendar=calendar) == "open"
    assert prior(NSE, "2026-11-08 12:00", calendar=calendar) == "shut"  # the hour is known now
    assert prior(BSE, "2026-11-08 18:30", calendar=calendar) == "may"


def test_a_session_without_segments_is_for_all() -> None:
    session = SpecialSession(date(2026, 11, 21), time(9, 15), time(12, 30))
    calendar = MarketCalendar(special_sessions=(session,))
    assert {prior(each, "2026-11-21 10:00", calendar=calendar) for each in EVERYWHERE} == {"open"}
    assert prior(NSE, "2026-11-21 12:30", calendar=calendar) == "may"


def test_a_session_leaves_the_regular_hours_as_they_are() -> None:
    session = SpecialSession(date(2026, 11, 20), time(7), time(8))
    calendar = MarketCalendar(special_sessions=(session,))
    assert prior(NSE, "2026-11-20 07:30", calendar=calendar) == "open"
    assert prior(NSE, "2026-11-20 08:40", calendar=calendar) == "shut"
    assert prior(NSE, "2026-11-20 12:00", calendar=calendar) == "open"


def test_a_holiday_with_a_session_holds_nothing_but_the_session() -> None:
    day = date(2025, 10, 21)
    calendar = MarketCalendar(
        extra_holidays=frozenset({day}),
        special_sessions=(SpecialSession(day, time(18), time(19)),),
    )
    assert prior(NSE, "2025-10-21 14:00", calendar=calendar) == "shut"
    assert prior(NSE, "2025-10-21 18:30", calendar=calendar) == "open"
