from __future__ import annotations

from ticks.adapter.instruments.contract_names import ByFields, by_fields, by_fields_passed
from ticks.adapter.instruments.index import InstrumentIndex
from ticks.adapter.instruments.naming import read_name

from .names_table import TODAY


def test_the_first_reading_that_is_listed_comes_before_a_symbol_of_bfo(
    september: InstrumentIndex,
) -> None:
    on_bfo = september.select("symbol = 'RELIANCE26SEPFUT'")
    wanted = read_name("RELIANCE26SEPFUT")
    found, underlying, _ = by_fields(september, wanted, TODAY, on_bfo=on_bfo)
    assert (list(map(str, found)), underlying.name) == (["NFO:RELIANCE29SEP26FUT"], "RELIANCE")


def test_a_symbol_of_bfo_comes_before_the_contracts_of_an_underlying(
    september: InstrumentIndex,
) -> None:
    on_bfo = september.select("symbol = 'RELIANCE26SEPFUT'")
    assert by_fields(september, read_name("SBIN"), TODAY, on_bfo=on_bfo) == ByFields(on_bfo)
    found = by_fields(september, read_name("SBIN"), TODAY, on_bfo=[]).contracts
    assert {one.name for one in found} == {"SBIN"}
    assert {one.exchange for one in found} == {"NFO"}


def test_what_has_passed_is_found_apart(september: InstrumentIndex) -> None:
    wanted = read_name("NIFTY AUG FUT")
    assert by_fields(september, wanted, TODAY, on_bfo=[]).contracts == []
    passed = by_fields_passed(september, wanted, TODAY)
    assert list(map(str, passed)) == ["NFO:NIFTY25AUG26FUT"]
    assert by_fields_passed(september, read_name("NIFTY OCT FUT"), TODAY) == []
