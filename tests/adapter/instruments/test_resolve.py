from __future__ import annotations

from typing import Any

import pytest

from ticks.adapter.errors import AmbiguousSymbolError, UnknownSymbolError
from ticks.adapter.instruments.index import InstrumentIndex
from ticks.adapter.instruments.naming import read_name
from ticks.adapter.instruments.resolve import resolve

TODAY = "2026-11-23"


def _named(index: InstrumentIndex, text: str, today: str = TODAY) -> str:
    return str(resolve(index, read_name(text), today))


@pytest.mark.parametrize(
    ("text", "instrument"),
    [
        ("NIFTY", "NSE:Nifty 50"),
        ("NIFTY 50", "NSE:Nifty 50"),
        ("nifty_50", "NSE:Nifty 50"),
        ("Nifty  Bank", "NSE:Nifty Bank"),
        ("BANKNIFTY", "NSE:Nifty Bank"),
        ("Bank Nifty", "NSE:Nifty Bank"),
        ("FINNIFTY", "NSE:Nifty Fin Service"),
        ("MIDCPNIFTY", "NSE:NIFTY MID SELECT"),
        ("INDIA VIX", "NSE:India VIX"),
        ("SENSEX", "BSE:SENSEX"),
        ("RELIANCE", "NSE:RELIANCE-EQ"),
        ("reliance", "NSE:RELIANCE-EQ"),
        ("RELIANCE-EQ", "NSE:RELIANCE-EQ"),
        ("NSE:RELIANCE", "NSE:RELIANCE-EQ"),
        ("BSE:RELIANCE", "BSE:RELIANCE"),
        ("BSE:500325", "BSE:RELIANCE"),
        ("NSE:2885", "NSE:RELIANCE-EQ"),
        ("NSE|2885", "NSE:RELIANCE-EQ"),
        ("nse_cm|2885", "NSE:RELIANCE-EQ"),
        ("2885", "NSE:RELIANCE-EQ"),
        ("NFO:NIFTY28OCT2524400CE", "NFO:NIFTY28OCT2524400CE"),
        ("NIFTY25APR2421300CE", "NFO:NIFTY25APR2421300CE"),
        ("NIFTY 28OCT2025 24400 CE", "NFO:NIFTY28OCT2524400CE"),
        ("NIFTY 04Apr2024 23000 CE", "NFO:NIFTY04APR2423000CE"),
        ("SENSEX 28MAR2024 75000 PE", "BFO:SENSEX24MAR75000PE"),
        ("NIFTY 50 28OCT25 24400 CE", "NFO:NIFTY28OCT2524400CE"),
        ("NIFTY FUT", "NFO:NIFTY28JUL26FUT"),
        ("782GJ32", "NSE:782GJ32-SG"),
        ("VEEKAYEM", "NSE:VEEKAYEM-SM"),
        ("MOVED", "NSE:MOVED-BE"),
        ("MOVED-ST", "NSE:MOVED-ST"),
        ("M&M", "NSE:M&M-EQ"),
        ("bajaj-auto", "NSE:BAJAJ-AUTO-EQ"),
        ("ONLYBSE", "BSE:ONLYBSE"),
        ("GOLD DEC FUT", "MCX:GOLD04DEC26FUT"),
        ("USDINR 26NOV 87.5 CE", "CDS:USDINR26NOV87.5CE"),
        ("NIFTY 26050 CE", "NFO:NIFTY24NOV2626050CE"),
    ],
)
def test_every_usual_name_finds_its_instrument(
    index: InstrumentIndex, text: str, instrument: str
) -> None:
    assert _named(index, text) == instrument


def test_every_real_record_is_found_by_exchange_with_symbol_and_with_token(
    index: InstrumentIndex, real_records: list[dict[str, Any]]
) -> None:
    for record in real_records:
        exchange, token = record["exch_seg"], record["token"]
        for name in (record["symbol"], record["symbol"].lower(), token):
            found = resolve(index, read_name(f"{exchange}:{name}"), TODAY)
            assert (found.exchange, found.token) == (exchange, token)


@pytest.mark.parametrize(
    ("today", "instrument"),
    [
        ("2026-11-23", "NFO:NIFTY24NOV2626000CE"),
        ("2026-11-24", "NFO:NIFTY24NOV2626000CE"),
        ("2026-11-25", "NFO:NIFTY24NOV2726000CE"),
        ("2029-01-01", "NFO:NIFTY24NOV2726000CE"),
    ],
)
def test_a_date_without_a_year_is_its_nearest_that_has_not_passed(
    index: InstrumentIndex, today: str, instrument: str
) -> None:
    assert _named(index, "NIFTY 24NOV 26000 CE", today) == instrument


@pytest.mark.parametrize(
    ("text", "candidates"),
    [
        ("90001", {"NSE:BAJAJ-AUTO-EQ", "BSE:SAMETOKEN"}),
        ("SERIES", {"NSE:SERIES-N1", "NSE:SERIES-N2"}),
        ("GOLD", {"MCX:GOLD04DEC26FUT", "MCX:GOLD05FEB27FUT"}),
        ("GOLD FUT", {"MCX:GOLD04DEC26FUT", "MCX:GOLD05FEB27FUT"}),
        ("NIFTY 24NOV26 26000", {"NFO:NIFTY24NOV2626000CE", "NFO:NIFTY24NOV2626000PE"}),
    ],
)
def test_several_that_no_preference_decides_between_are_named(
    index: InstrumentIndex, text: str, candidates: set[str]
) -> None:
    with pytest.raises(AmbiguousSymbolError) as caught:
        _named(index, text)
    assert set(caught.value.candidates) == candidates
    assert all(candidate in caught.value.message for candidate in candidates)


def test_many_candidates_are_named_the_nearest_expiry_first_and_counted(
    index: InstrumentIndex,
) -> None:
    with pytest.raises(
        AmbiguousSymbolError, match=r"'NFO:NIFTY' names 6 instruments: .* and 1 more"
    ):
        _named(index, "NFO:NIFTY")


def test_an_expired_contract_counts_when_nothing_else_fits(index: InstrumentIndex) -> None:
    assert _named(index, "GOLD FUT", "2027-01-01") == "MCX:GOLD05FEB27FUT"
    assert _named(index, "NIFTY FUT", "2027-01-01") == "NFO:NIFTY28JUL26FUT"


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("RELAINCE", "NSE:RELIANCE-EQ"),
        ("RELAINCE-EQ", "NSE:RELIANCE-EQ"),
        ("BANKNIFT", "NSE:Nifty Bank"),
        ("NFO:SBIN", "NSE:SBIN-EQ"),
        ("HDFC", "NSE:HDFCBANK-EQ"),
        ("BAJAJ AUTO", "NSE:BAJAJ-AUTO-EQ"),
        ("NIFTY28OCT2524450CE", "NFO:NIFTY28OCT2524400CE"),
        ("NIFTY 24NOV26 26040 CE", "NFO:NIFTY24NOV2626050CE"),
        ("NIFTY 24NOV26 26000.001 CE", "NFO:NIFTY24NOV2626000CE"),
        ("NYSE:RELIANCE", "NSE:RELIANCE-EQ"),
    ],
)
def test_an_unknown_name_brings_up_the_nearest(
    index: InstrumentIndex, text: str, nearest: str
) -> None:
    with pytest.raises(UnknownSymbolError) as caught:
        _named(index, text)
    assert caught.value.candidates[0] == nearest
    assert nearest in caught.value.message


def test_an_unknown_exchange_is_said_to_be_one(index: InstrumentIndex) -> None:
    with pytest.raises(UnknownSymbolError, match="'NYSE' is no exchange; there are NSE, NFO"):
        _named(index, "NYSE:RELIANCE")


@pytest.mark.parametrize("text", ["", "   ", "NSE:", "_", "?", "%", "'; DROP TABLE instruments"])
def test_what_names_nothing_is_unknown(index: InstrumentIndex, text: str) -> None:
    with pytest.raises(UnknownSymbolError):
        _named(index, text)


@pytest.mark.parametrize("text", ["", "NSE:", "nse_cm|", ":"])
def test_an_exchange_alone_is_shown_as_it_was_typed(index: InstrumentIndex, text: str) -> None:
    with pytest.raises(UnknownSymbolError, match="names no instrument") as caught:
        _named(index, text)
    assert caught.value.message.startswith(repr(text))
    assert "such as NIFTY" in caught.value.remedy


@pytest.mark.parametrize("text", ["FOOBARBAZ", "*", "ＮＩＦＴＹ"])
def test_what_resembles_nothing_is_to_be_looked_for(index: InstrumentIndex, text: str) -> None:
    with pytest.raises(UnknownSymbolError, match="no instrument is called") as caught:
        _named(index, text)
    assert (caught.value.candidates, "ticks find" in caught.value.remedy) == ((), True)


@pytest.mark.parametrize("text", ["NSE:SENSEX", "BSE:NIFTY", "NSE:500325", "MCX:RELIANCE"])
def test_a_given_exchange_is_never_left(index: InstrumentIndex, text: str) -> None:
    with pytest.raises(UnknownSymbolError):
        _named(index, text)
