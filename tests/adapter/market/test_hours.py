from __future__ import annotations

from datetime import date, time

import pytest

from ticks.adapter.instrument import Instrument
from ticks.adapter.market.hours import (
    BSE,
    CDS,
    MCX,
    NCO,
    NFO,
    NSE,
    Kind,
    Segment,
    good_friday,
    is_us_summer_time,
    kind_of,
    ordinary_hours,
    segments,
    segments_of,
)


@pytest.mark.parametrize(
    ("exchange_type", "name", "kind"),
    [
        (MCX, "GOLD", Kind.ORDINARY),
        (MCX, "CRUDEOILM", Kind.ORDINARY),
        (MCX, "MCXBULLDEX", Kind.ORDINARY),
        (MCX, "MENTHAOIL", Kind.FARM),
        (MCX, "cardamom", Kind.FARM),
        (MCX, "COTTONOIL", Kind.FARM),
        (MCX, "CASTORSEED", Kind.FARM),
        (MCX, "BLACKPEPPER", Kind.FARM),
        (MCX, "ISABGULSEED", Kind.FARM),
        (MCX, "COTTON", Kind.FARM_ABROAD),
        (MCX, "COTTONCNDY", Kind.FARM_ABROAD),
        (MCX, "KAPAS", Kind.FARM_ABROAD),
        (MCX, "CPO", Kind.FARM_ABROAD),
        (NCO, "GOLD", Kind.ORDINARY),
        (NCO, "NATURALGAS", Kind.ORDINARY),
        (NCO, "DHANIYA", Kind.NO_HOURS),
        (NCO, "JEERAUNJHA", Kind.NO_HOURS),
        (NSE, "COTTON", Kind.ORDINARY),
        (CDS, "USDINR", Kind.ORDINARY),
    ],
)
def test_the_underlying_decides_the_kind(exchange_type: int, name: str, kind: Kind) -> None:
    assert kind_of(exchange_type, name) is kind


def test_only_shares_are_in_the_closing_auction() -> None:
    assert kind_of(NSE, "RELIANCE", is_auction_share=True) is Kind.AUCTION
    assert kind_of(BSE, "RELIANCE", is_auction_share=True) is Kind.AUCTION
    assert kind_of(NFO, "RELIANCE", is_auction_share=True) is Kind.ORDINARY


def test_an_instrument_of_the_master_has_its_kind() -> None:
    share = Instrument(NSE, "2885", "RELIANCE-EQ", "RELIANCE", has_closing_auction=True)
    oil = Instrument(MCX, "1", "MENTHAOIL26NOVFUT", "MENTHAOIL")
    index = Instrument(NSE, "99926000", "Nifty 50", "NIFTY", "AMXIDX")
    assert segments_of([share, oil]) == (
        Segment(NSE, frozenset({Kind.AUCTION})),
        Segment(MCX, frozenset({Kind.FARM})),
    )
    assert segments_of([share, index])[0].kinds == {Kind.AUCTION, Kind.ORDINARY}


def test_segments_gather_their_kinds() -> None:
    pairs = [(MCX, Kind.FARM), (NSE, Kind.ORDINARY), (MCX, Kind.ORDINARY), (NSE, Kind.ORDINARY)]
    assert segments(pairs) == (
        Segment(NSE),
        Segment(MCX, frozenset({Kind.FARM, Kind.ORDINARY})),
    )


def test_an_unknown_segment_has_no_hours() -> None:
    assert ordinary_hours(99, date(2026, 11, 20)) is None


def test_hours_are_those_of_their_day() -> None:
    old, new = ordinary_hours(NFO, date(2026, 7, 31)), ordinary_hours(NFO, date(2026, 8, 3))
    assert old is not None
    assert new is not None
    assert (old.closes, new.closes) == (time(15, 30), time(15, 40))


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


@pytest.mark.parametrize(
    "day",
    [
        date(2008, 3, 21),
        date(2011, 4, 22),
        date(2024, 3, 29),
        date(2025, 4, 18),
        date(2026, 4, 3),
        date(2027, 3, 26),
        date(2028, 4, 14),
        date(2038, 4, 23),
    ],
)
def test_good_friday_is_two_days_before_easter(day: date) -> None:
    assert good_friday(day.year) == day
