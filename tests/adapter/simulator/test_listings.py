from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from ticks.adapter.simulator.listings import Listing, listings, master_json

MONDAY = date(2026, 11, 23)
DAYS = [MONDAY + timedelta(days=n) for n in range(0, 400, 3)]
BY_SYMBOL = {str(each.instrument): each for each in listings(MONDAY)}


def record(symbol: str) -> dict[str, object]:
    return BY_SYMBOL[symbol].record()


def test_an_index_is_the_record_of_the_real_file() -> None:
    assert record("NSE:Nifty 50") == {
        "token": "99926000",
        "symbol": "Nifty 50",
        "name": "NIFTY",
        "expiry": "",
        "strike": "0.000000",
        "lotsize": "1",
        "instrumenttype": "AMXIDX",
        "exch_seg": "NSE",
        "tick_size": "0.000000",
        "freeze_qty": "0",
        "is_cas_enabled": False,
    }


def test_a_share_is_the_record_of_the_real_file_on_both_exchanges() -> None:
    nse, bse = record("NSE:RELIANCE-EQ"), record("BSE:RELIANCE")
    assert (nse["token"], nse["strike"], nse["tick_size"]) == ("2885", "-1.000000", "5.000000")
    assert (bse["token"], bse["name"], bse["instrumenttype"]) == ("500325", "RELIANCE", "")


def test_an_option_of_nfo_spells_its_expiry_and_strike_in_its_symbol() -> None:
    option = record("NFO:NIFTY24NOV2626000CE")
    assert (option["expiry"], option["strike"]) == ("24NOV2026", "2600000.000000")
    assert (option["instrumenttype"], option["name"], option["lotsize"]) == (
        "OPTIDX",
        "NIFTY",
        "65",
    )


@pytest.mark.parametrize(
    ("symbol", "expiry"),
    [
        ("BFO:SENSEX26NOV85000CE", "26NOV2026"),  # the month's last: month by name
        ("BFO:SENSEX26D0385000CE", "03DEC2026"),  # weekly: one sign a month, then the day
        ("MCX:CRUDEOIL26DEC5400CE", "16DEC2026"),
        ("MCX:GOLD26DECFUT", "05DEC2026"),
        ("CDS:USDINR26NOVFUT", "26NOV2026"),
    ],
)
def test_symbols_are_irregular_elsewhere(symbol: str, expiry: str) -> None:
    assert record(symbol)["expiry"] == expiry


@pytest.mark.parametrize("today", DAYS)
def test_on_every_day_of_a_year_all_segments_have_unique_unexpired_instruments(today: date) -> None:
    listed = [each.instrument for each in listings(today)]
    assert 300 < len(listed) < 600
    assert {each.exchange for each in listed} == {"NSE", "BSE", "NFO", "BFO", "MCX", "CDS"}
    assert len({each.key for each in listed}) == len(listed)
    assert len({str(each) for each in listed}) == len(listed)
    assert all(each.expiry >= today.isoformat() for each in listed if each.expiry)
    assert {each.name for each in listed if each.kind == "OPTIDX"} >= {
        "NIFTY",
        "BANKNIFTY",
        "SENSEX",
    }


def test_prices_are_positive_and_on_the_tick() -> None:
    off = [
        str(each.instrument)
        for each in BY_SYMBOL.values()
        if each.price <= 0 or each.price % each.instrument.tick_size
    ]
    assert off == []


def test_made_up_equities_are_added_on_request() -> None:
    more: list[Listing] = listings(MONDAY, extra=3000)
    assert len(more) == len(BY_SYMBOL) + 3000
    assert (more[-1].instrument.symbol, more[-1].instrument.token) == ("SIM03000-EQ", "5003000")


def test_the_file_is_a_json_array_of_texts() -> None:
    records = json.loads(master_json(BY_SYMBOL.values()))
    assert len(records) == len(BY_SYMBOL)
    texts = [value for each in records for key, value in each.items() if key != "is_cas_enabled"]
    assert all(isinstance(value, str) for value in texts)
