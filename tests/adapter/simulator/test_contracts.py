from __future__ import annotations

from datetime import date, timedelta

import pytest

from ticks.adapter.simulator.contracts import contracts
from ticks.adapter.simulator.listings import Liquidity, Listing

TODAY = date(2026, 9, 17)
DAYS = [TODAY + timedelta(days=n) for n in range(0, 420, 17)]


def by_symbol(today: date) -> dict[str, Listing]:
    return {str(each.instrument): each for each in contracts(today)}


LISTED = by_symbol(TODAY)


@pytest.mark.parametrize(
    ("symbol", "expiry"),
    [
        ("NFO:NIFTY22SEP2626000CE", "2026-09-22"),
        ("NFO:NIFTY29DEC2626000PE", "2026-12-29"),
        ("NFO:ITC29SEP26402.5PE", "2026-09-29"),
        ("NFO:M&M29SEP263700CE", "2026-09-29"),
        ("NFO:BAJAJ-AUTO29SEP269000PE", "2026-09-29"),
        ("NFO:360ONE29SEP261120CE", "2026-09-29"),
        ("BFO:SENSEX2691785000CE", "2026-09-17"),  # weekly: one sign a month, then the day
        ("BFO:SENSEX26SEP85000CE", "2026-09-24"),  # the month's last: month by name
        ("BFO:SENSEX26O0185000CE", "2026-10-01"),
        ("BFO:SENSEX26DEC85000CE", "2026-12-31"),
        ("BFO:SENSEX5026SEPFUT", "2026-09-24"),
        ("BFO:RELIANCE26SEPFUT", "2026-09-24"),
        ("MCX:CRUDEOIL18SEP26FUT", "2026-09-18"),
        ("MCX:CRUDEOIL15OCT265400CE", "2026-10-15"),
        ("MCX:GOLD05OCT26FUT", "2026-10-05"),
        ("CDS:USDINR26OCTFUT", "2026-10-28"),
        ("CDS:USDINR26O09FUT", "2026-10-09"),
        ("CDS:USDINR26SEP9525CE", "2026-09-28"),
        ("CDS:USDINR26SEP95PE", "2026-09-28"),
        ("CDS:726GS203326SEPFUT", "2026-09-28"),
        ("NCO:DHANIYA20OCT2026", "2026-10-20"),
        ("NCO:GOLD05OCT26FUT", "2026-10-05"),
    ],
)
def test_each_exchange_spells_its_symbols_in_its_own_way(symbol: str, expiry: str) -> None:
    assert LISTED[symbol].instrument.expiry == expiry


@pytest.mark.parametrize("today", DAYS)
def test_on_every_day_the_weekly_and_monthly_contracts_of_indices_are_there(today: date) -> None:
    listed = [each for each in contracts(today) if each.instrument.expiry >= today.isoformat()]
    for name, exchange, weekday in (("NIFTY", "NFO", 1), ("SENSEX", "BFO", 3)):
        options = [
            each.instrument
            for each in listed
            if (each.instrument.name, each.instrument.kind) == (name, "OPTIDX")
        ]
        days = sorted({date.fromisoformat(each.expiry) for each in options})
        assert {each.exchange for each in options} == {exchange}
        assert {day.weekday() for day in days} == {weekday}
        assert (days[0] - today).days < 7
        assert (days[1] - days[0]).days == 7
        months = [day for day in days if (day + timedelta(days=7)).month != day.month]
        assert len(months) >= 3


def test_every_option_near_the_money_has_ten_strikes_on_each_side() -> None:
    strikes = [
        each.instrument.strike or 0
        for each in LISTED.values()
        if each.instrument.symbol.startswith("NIFTY22SEP26") and "CE" in each.instrument.symbol
    ]
    assert sum(1 for strike in strikes if strike < 2600000) >= 10
    assert sum(1 for strike in strikes if strike > 2600000) >= 10


@pytest.mark.parametrize("today", DAYS)
def test_what_expired_is_still_listed_in_another_spelling_and_never_trades(today: date) -> None:
    expired = [each for each in contracts(today) if "" < each.instrument.expiry < today.isoformat()]
    assert {each.instrument.exchange for each in expired} == {"NFO", "BFO"}
    assert {each.liquidity for each in expired} == {Liquidity.NONE}
    spelled = {str(each.record()["expiry"]) for each in expired}
    assert all(text != text.upper() for text in spelled)


def test_spot_rows_are_listed_and_never_trade() -> None:
    spot = {str(each.instrument): each for each in contracts(TODAY) if not each.instrument.expiry}
    assert {each.liquidity for each in spot.values()} == {Liquidity.NONE}
    kinds = {name: each.instrument.kind for name, each in spot.items()}
    assert kinds["MCX:CRUDEOILM"] == "COMDTY"
    assert kinds["CDS:CCIL-USDINR"] == "UNDCUR"
    assert not {"strike", "lotsize", "tick_size"} & set(spot["MCX:CRUDEOILM"].record())


def test_a_token_may_be_a_text_and_longer_than_a_packet_s_field() -> None:
    tokens = {
        each.instrument.token for each in LISTED.values() if each.instrument.exchange == "NCO"
    }
    assert "DHANIYA20OCT2026" in tokens
    too_long = [each for each in LISTED.values() if len(each.instrument.token) > 25]
    assert [each.liquidity for each in too_long] == [Liquidity.NONE]


@pytest.mark.parametrize("today", DAYS)
def test_prices_are_positive_and_on_the_tick(today: date) -> None:
    off = [
        str(each.instrument)
        for each in contracts(today)
        if each.liquidity is not Liquidity.NONE
        and (each.price <= 0 or each.price % each.instrument.tick_size)
    ]
    assert off == []


def test_far_options_trade_seldom_or_have_not_yet() -> None:
    of_nifty = [each for each in LISTED.values() if each.instrument.name == "NIFTY"]
    assert {each.liquidity for each in of_nifty} == set(Liquidity)
    assert LISTED["NFO:NIFTY22SEP2626000CE"].liquidity is Liquidity.USUAL
    assert LISTED["NFO:NIFTY29DEC2625250CE"].liquidity is Liquidity.UNTRADED
