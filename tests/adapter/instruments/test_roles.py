from __future__ import annotations

import pytest

from ticks.adapter.instrument import Instrument
from ticks.adapter.instruments.roles import Role, likely_first, role_of, series_of


@pytest.mark.parametrize(
    ("exchange_type", "symbol", "kind", "role"),
    [
        (1, "Nifty 50", "AMXIDX", Role.INDEX),
        (13, "NIFTY", "AMXIDX", Role.INDEX),
        (1, "RELIANCE-EQ", "", Role.SHARE),
        (3, "RELIANCE", "", Role.SHARE),
        (1, "NEW-EQ", "ETF", Role.SHARE),
        (2, "NIFTY29SEP26FUT", "FUTIDX", Role.FUTURE),
        (13, "726GS203326SEPFUT", "FUTIRC", Role.FUTURE),
        (7, "DHANIYA20OCT2026", "FUTCOM", Role.FUTURE),
        (2, "NIFTY22SEP2624500CE", "OPTIDX", Role.CALL),
        (4, "BANKEX26SEP60500PE", "OPTIDX", Role.PUT),
        (7, "DHANIYA09OCT26CE11300FOCT26", "OPTFUT", Role.CALL),
        (7, "ODD", "OPTFUT", Role.OPTION),
        (5, "GOLDMCOM", "COMDTY", Role.HIDDEN),
        (13, "USDINR", "UNDCUR", Role.HIDDEN),
        (13, "MIBOR", "UNDIRT", Role.HIDDEN),
        (7, "GOLD", "UNDCOM", Role.HIDDEN),
        (5, "X", "SPOT", Role.HIDDEN),
    ],
)
def test_a_record_says_what_it_is(exchange_type: int, symbol: str, kind: str, role: Role) -> None:
    assert role_of(exchange_type, symbol, kind) is role


@pytest.mark.parametrize(
    ("symbol", "series"),
    [("RELIANCE-EQ", "EQ"), ("BAJAJ-AUTO-EQ", "EQ"), ("817NHAI28-N0", "N0"), ("BAJAJ-AUTO", ""),
     ("RELIANCE", "")],
)  # fmt: skip
def test_a_series_is_two_characters_behind_the_last_hyphen(symbol: str, series: str) -> None:
    assert series_of(Instrument(1, "1", symbol, symbol)) == series


def test_several_are_offered_in_this_order() -> None:
    ordered = [
        Instrument(1, "1", "Nifty 50", "NIFTY", "AMXIDX"),
        Instrument(1, "2", "X-EQ", "X"),
        Instrument(1, "3", "X-BE", "X"),
        Instrument(3, "4", "X", "X"),
        Instrument(4, "5", "X26SEPFUT", "X", "FUTSTK", "2026-09-24"),
        Instrument(2, "6", "X29SEP26FUT", "X", "FUTSTK", "2026-09-29"),
        Instrument(2, "7", "X29SEP26100CE", "X", "OPTSTK", "2026-09-29", 10000),
        Instrument(2, "8", "X29SEP26100PE", "X", "OPTSTK", "2026-09-29", 10000),
        Instrument(2, "9", "X29SEP26105CE", "X", "OPTSTK", "2026-09-29", 10500),
        Instrument(4, "10", "X29SEP26100CE", "X", "OPTSTK", "2026-09-29", 10000),
        Instrument(2, "11", "X100CE", "X", "OPTSTK", "", 10000),
        Instrument(1, "12", "X-BL", "X"),
    ]
    assert sorted(ordered[5:] + ordered[:5], key=likely_first) == ordered
