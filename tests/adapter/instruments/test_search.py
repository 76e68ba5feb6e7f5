from __future__ import annotations

import pytest

from ticks.adapter.instruments.index import InstrumentIndex
from ticks.adapter.instruments.naming import read_name
from ticks.adapter.instruments.search import beginning_with, find, nearest

TODAY = "2026-11-23"


def _found(index: InstrumentIndex, text: str, limit: int = 20) -> list[str]:
    return [str(one) for one in find(index, read_name(text), TODAY, limit)]


def _open_reader(index: InstrumentIndex, text: str, limit: int = 20) -> list[str]:
    return [str(one) for one in beginning_with(index, read_name(text), limit)]


def test_the_exact_symbol_comes_before_names_beginnings_and_parts(index: InstrumentIndex) -> None:
    found = _found(index, "NIFTY 50")
    assert found[:2] == ["NSE:Nifty 50", "NSE:Nifty 500"]


def test_a_name_brings_the_index_before_its_future_and_its_options(index: InstrumentIndex) -> None:
    found = _found(index, "NIFTY", 100)
    assert found[0] == "NSE:Nifty 50"
    assert found.index("NFO:NIFTY28JUL26FUT") < found.index("NFO:NIFTY24NOV2626000CE")
    assert found.index("NFO:NIFTY24NOV2626000CE") < found.index("NFO:NIFTY24NOV2726000CE")
    assert "NSE:Nifty Bank" in found


def test_a_share_comes_from_nse_before_bse(index: InstrumentIndex) -> None:
    assert _found(index, "reliance") == ["NSE:RELIANCE-EQ", "BSE:RELIANCE"]


@pytest.mark.parametrize("text", ["NIFTY 26000 CE", "26000 CE NIFTY", "ce nifty 26000"])
def test_words_match_in_any_order(index: InstrumentIndex, text: str) -> None:
    assert _found(index, text) == [
        "NFO:NIFTY24NOV2626000CE",
        "NFO:NIFTY29DEC2626000CE",
        "NFO:NIFTY24NOV2726000CE",
    ]


def test_the_fields_find_a_contract_whose_symbol_does_not_show_them(
    index: InstrumentIndex,
) -> None:
    assert _found(index, "SENSEX 28MAR2024 75000 PE") == ["BFO:SENSEX24MAR75000PE"]


def test_a_part_of_a_name_is_enough(index: InstrumentIndex) -> None:
    assert _found(index, "dfcba") == ["NSE:HDFCBANK-EQ"]


def test_a_token_finds_its_instruments_on_all_exchanges(index: InstrumentIndex) -> None:
    assert _found(index, "90001") == ["NSE:BAJAJ-AUTO-EQ", "BSE:SAMETOKEN"]
    assert _found(index, "BSE:90001") == ["BSE:SAMETOKEN"]


def test_a_limit_keeps_the_best(index: InstrumentIndex) -> None:
    assert _found(index, "NIFTY", 1) == ["NSE:Nifty 50"]


@pytest.mark.parametrize("text", ["", "QQQQ", "%", "_", "NSE:"])
def test_what_fits_nothing_finds_nothing(index: InstrumentIndex, text: str) -> None:
    assert _found(index, text) == []


def test_a_beginning_brings_indices_then_shares_then_derivatives(index: InstrumentIndex) -> None:
    assert _open_reader(index, "bankn") == ["NSE:Nifty Bank", "NFO:BANKNIFTY29DEC2656000CE"]
    assert _open_reader(index, "rel") == ["NSE:RELIANCE-EQ", "BSE:RELIANCE"]
    assert _open_reader(index, "NFO:NIFTY24NOV2626", 2) == [
        "NFO:NIFTY24NOV2626000CE",
        "NFO:NIFTY24NOV2626000PE",
    ]


def test_nothing_typed_begins_with_the_indices(index: InstrumentIndex) -> None:
    begun = beginning_with(index, read_name(""), 10)
    assert len(begun) == 10
    assert {one.kind for one in begun} == {"AMXIDX"}


def test_nothing_is_near_to_nothing(index: InstrumentIndex) -> None:
    assert nearest(index, read_name(""), TODAY, 5) == []
    assert nearest(index, read_name("ZQXJWV"), TODAY, 5) == []
