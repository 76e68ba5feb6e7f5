from __future__ import annotations

import pytest

from ticks.adapter.simulator.cash import cash_listings
from ticks.adapter.simulator.listings import Liquidity, Listing

LISTED = {str(each.instrument): each for each in cash_listings()}


@pytest.mark.parametrize(
    ("token", "bare", "index"),
    [
        ("26000", "NSE:NIFTY", "NSE:Nifty 50"),
        ("26009", "NSE:BANKNIFTY", "NSE:Nifty Bank"),
        ("26037", "NSE:FINNIFTY", "NSE:Nifty Fin Service"),
        ("26074", "NSE:MIDCPNIFTY", "NSE:NIFTY MID SELECT"),
        ("26017", "NSE:INDIA VIX", "NSE:India VIX"),
    ],
)
def test_an_index_has_a_bare_row_of_its_name_that_never_trades(
    token: str, bare: str, index: str
) -> None:
    second, first = LISTED[bare], LISTED[index]
    assert (second.instrument.token, second.instrument.kind) == (token, "")
    assert first.instrument.token == f"999{token}"
    assert second.instrument.name == first.instrument.name
    assert (second.liquidity, first.liquidity) == (Liquidity.NONE, Liquidity.USUAL)


def test_the_second_rows_of_bse_are_spelled_as_the_index_and_stand_before_it() -> None:
    rows = [each.instrument for each in cash_listings() if each.instrument.symbol == "SENSEX"]
    assert [(each.token, each.kind) for each in rows] == [("19000", ""), ("99919000", "AMXIDX")]


def test_a_number_is_an_instrument_s_token_on_each_exchange() -> None:
    named = {each for each in LISTED if LISTED[each].instrument.token == "3045"}
    assert named == {"NSE:SBIN-EQ", "BSE:SCRIP3045"}


def test_one_token_is_listed_twice_and_the_first_row_is_the_present_one() -> None:
    keys = [each.instrument.key for each in cash_listings()]
    assert [key for key in set(keys) if keys.count(key) > 1] == [(1, "10866")]
    rows = [each.instrument.symbol for each in cash_listings() if each.instrument.name == "GVPTECH"]
    assert rows == ["GVPTECH-BE", "GVPTECH-EQ"]


@pytest.mark.parametrize(
    "symbol",
    [
        *("NSE:M&M-EQ", "NSE:BAJAJ-AUTO-EQ", "NSE:360ONE-EQ", "BSE:M&M", "BSE:BAJAJ-AUTO"),
        *("NSE:ZEEMEDIA-BE", "NSE:AMIABLE-SM", "NSE:KONTOR-ST", "NSE:RELIANCE-BL"),
        *("NSE:817NHAI28-N0", "NSE:817NHAI28-N1", "NSE:94SFL28-YL", "BSE:775IGT28"),
        *("MCX:MCXBULLDEX", "BSE:SNSX50", "CDS:NIFTY", "NSE:MCX-EQ", "NSE:SILVER-EQ"),
    ],
)
def test_names_and_series_are_as_odd_as_the_real_ones(symbol: str) -> None:
    assert symbol in LISTED


def test_shares_with_derivatives_take_part_in_the_closing_auction() -> None:
    def in_auction(symbol: str) -> object:
        return LISTED[symbol].record()["is_cas_enabled"]

    assert in_auction("NSE:RELIANCE-EQ") is True
    assert in_auction("NSE:FACT-EQ") is False
    assert in_auction("NSE:Nifty 50") is False


def test_some_records_have_numbers_and_keys_of_their_own() -> None:
    odd, known = LISTED["NSE:360ONE-EQ"].record(), LISTED["BSE:RELIANCE"].record()
    assert (odd["strike"], odd["tick_size"]) == ("0", "5")
    assert known["surveillance"] == []


def test_prices_are_positive_and_on_the_tick() -> None:
    off = [
        str(each.instrument)
        for each in LISTED.values()
        if each.liquidity is not Liquidity.NONE
        and (each.price <= 0 or each.price % each.instrument.tick_size)
    ]
    assert off == []


def test_made_up_equities_are_added_on_request() -> None:
    more: list[Listing] = cash_listings(3000)
    assert (more[-1].instrument.symbol, more[-1].instrument.token) == ("SIM03000-EQ", "5003000")
