from __future__ import annotations

from decimal import Decimal

import pytest

from ticks.adapter.instruments.contracts import (
    matching,
    meant_expiries,
    nearest_contracts,
    underlying_of,
)
from ticks.adapter.instruments.index import InstrumentIndex
from ticks.adapter.instruments.naming import name_key
from ticks.adapter.instruments.roles import preferred
from ticks.adapter.instruments.spellings import InMonth, OnDay, Reading

from .names_table import TODAY


@pytest.mark.parametrize(
    ("name", "underlying"),
    [
        ("nifty", "NIFTY"),
        ("nifty 50", "NIFTY"),
        ("NIFTY NEXT 50", "NIFTYNXT50"),
        ("bank nifty", "BANKNIFTY"),
        ("SNSX50", "SENSEX50"),
        ("bajaj auto", "BAJAJ-AUTO"),
        ("RELIANCE-EQ", "RELIANCE"),
        ("ZOMATO", "ETERNAL"),
        ("LTIM", "LTM"),
        ("JIOFIN", "JIOFIN"),
        ("NIFTY IT", ""),
        ("", ""),
    ],
)
def test_an_underlying_goes_by_its_own_name_its_indexs_and_its_old_one(
    september: InstrumentIndex, name: str, underlying: str
) -> None:
    assert underlying_of(september, name_key(name), TODAY).name == underlying


def test_of_a_company_that_was_split_the_parts_are_known(september: InstrumentIndex) -> None:
    found = underlying_of(september, "TATAMOTORS", TODAY)
    assert found.parts == ("TMPV", "TMCV")
    assert {each.name_key for each in found.listed} == {"TMPV"}


def test_a_month_is_the_last_expiry_on_each_exchange(september: InstrumentIndex) -> None:
    reliance = underlying_of(september, "RELIANCE", TODAY)
    found = matching(september, reliance, Reading("RELIANCE", InMonth(9), None, "FUT"), TODAY)
    assert list(map(str, found)) == ["BFO:RELIANCE26SEPFUT", "NFO:RELIANCE29SEP26FUT"]
    assert list(map(str, preferred(found))) == ["NFO:RELIANCE29SEP26FUT"]
    assert meant_expiries(reliance, Reading("RELIANCE", InMonth(9), None, "FUT"), TODAY) == {
        (2, True, "2026-09-29"),
        (4, True, "2026-09-24"),
    }


def test_only_what_has_passed_fits_when_that_is_asked_for(september: InstrumentIndex) -> None:
    nifty = underlying_of(september, "NIFTY", TODAY)
    august = Reading("NIFTY", InMonth(8), None, "FUT")
    assert matching(september, nifty, august, TODAY) == []
    found = matching(september, nifty, august, TODAY, passed=True)
    assert list(map(str, found)) == ["NFO:NIFTY25AUG26FUT"]


def test_the_nearest_are_of_the_same_right_then_by_expiry_then_by_strike(
    september: InstrumentIndex,
) -> None:
    nifty = underlying_of(september, "NIFTY", TODAY)
    wanted = Reading("NIFTY", OnDay(9, 30), Decimal(24700), "PE")
    found = nearest_contracts(september, nifty, wanted, TODAY, 6)
    assert list(map(str, found)) == [
        "NFO:NIFTY29SEP2624500PE",
        "NFO:NIFTY29SEP2625000PE",
        "NFO:NIFTY29SEP2624000PE",
        "NFO:NIFTY29SEP2623500PE",
        "NFO:NIFTY29SEP2623000PE",
        "NFO:NIFTY06OCT2624500PE",
    ]
