from __future__ import annotations

from datetime import date

from ticks.adapter.instrument import Instrument
from ticks.adapter.simulator.instruments_file import listings
from ticks.adapter.simulator.listings import Listing

BY_SYMBOL = {str(each.instrument): each for each in listings(date(2026, 11, 23))}


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


def test_what_has_no_strike_has_minus_one_and_on_mcx_zero() -> None:
    assert record("NFO:NIFTY24NOV26FUT")["strike"] == "-1.000000"
    assert record("MCX:CRUDEOIL19JAN27FUT")["strike"] == "0.000000"


def test_a_strike_of_cds_is_ten_million_times_the_rupees() -> None:
    assert record("CDS:USDINR26NOV9525CE")["strike"] == "952500000.000000"


def test_fields_of_its_own_replace_a_record_s_or_leave_it_out() -> None:
    listing = Listing(
        Instrument(1, "1", "A", "A"), 100, fields={"freeze_qty": None, "lotsize": "x", "new": 1}
    )
    own = listing.record()
    assert "freeze_qty" not in own
    assert (own["lotsize"], own["new"], own["token"]) == ("x", 1, "1")
