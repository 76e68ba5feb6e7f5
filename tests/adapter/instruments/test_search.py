from __future__ import annotations

import pytest

from ticks.adapter.instruments.index import InstrumentIndex
from ticks.adapter.instruments.naming import read_name
from ticks.adapter.instruments.search import beginning_with, find

TODAY = "2026-11-23"


def _found(index: InstrumentIndex, text: str, limit: int = 20) -> list[str]:
    return [str(one) for one in find(index, read_name(text), TODAY, limit)]


def _open_reader(index: InstrumentIndex, text: str, limit: int = 20) -> list[str]:
    return [str(one) for one in beginning_with(index, read_name(text), limit)]


def test_the_exact_symbol_comes_before_names_beginnings_and_parts(index: InstrumentIndex) -> None:
    found = _found(index, "NIFTY 50")
    assert found[:2] == ["NSE:Nifty 50", "NSE:Nifty 500"]


def test_a_name_brings_the_index_before_its_future_and_its_options(index: InstrumentIndex) -> None:
    found = [str(one) for one in find(index, read_name("NIFTY"), "2026-07-28", 100)]
    assert found[0] == "NSE:Nifty 50"
    assert found.index("NFO:NIFTY28JUL26FUT") < found.index("NFO:NIFTY24NOV2626000CE")
    assert found.index("NFO:NIFTY24NOV2626000CE") < found.index("NFO:NIFTY24NOV2726000CE")
    assert "NSE:Nifty Bank" in found


def test_what_has_expired_comes_last(index: InstrumentIndex) -> None:
    found = _found(index, "NIFTY", 100)
    assert found.index("NFO:NIFTY24NOV2626000CE") < found.index("NFO:NIFTY28JUL26FUT")


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


def test_the_index_comes_first_and_hidden_rows_never(september: InstrumentIndex) -> None:
    found = find(september, read_name("NIFTY"), "2026-09-17", 500)
    assert str(found[0]) == "NSE:Nifty 50"
    assert "26000" not in {one.token for one in found}
    crude = find(september, read_name("crudeoil"), "2026-09-17", 500)
    assert str(crude[0]) == "MCX:CRUDEOIL21SEP26FUT"
    assert {one.token for one in crude}.isdisjoint({"119", "565000"})


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("26000", "NSE:NIFTY"),
        ("NIFTY26SEP24500CE", "NFO:NIFTY29SEP2624500CE"),
        ("nifty 24500 ce", "NFO:NIFTY22SEP2624500CE"),
        ("zomato", "NSE:ETERNAL-EQ"),
        ("817NHAI28", "NSE:817NHAI28-N0"),
        ("BSE:RELIANCE SEP FUT", "BFO:RELIANCE26SEPFUT"),
    ],
)
def test_what_a_name_means_comes_first(september: InstrumentIndex, text: str, first: str) -> None:
    assert str(find(september, read_name(text), "2026-09-17", 5)[0]) == first


@pytest.mark.parametrize("text", ["NYSE:NIFTY", "A" * 65])
def test_what_cannot_be_a_name_finds_nothing(september: InstrumentIndex, text: str) -> None:
    assert find(september, read_name(text), "2026-09-17", 5) == []


def test_completions_do_not_offer_hidden_rows(september: InstrumentIndex) -> None:
    begun = beginning_with(september, read_name("CRUDEOIL"), 100)
    assert {one.symbol for one in begun}.isdisjoint({"CRUDEOIL", "CRUDEOILM"})
    assert [str(one) for one in beginning_with(september, read_name("NSE:NIFTY"), 1)] == [
        "NSE:Nifty 50"
    ]
