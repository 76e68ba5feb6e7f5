from __future__ import annotations

from decimal import Decimal

import pytest

from ticks.adapter.errors import SymbolError, UnknownSymbolError
from ticks.adapter.instruments.chain import (
    MOST_STRIKES,
    Chain,
    chain_of,
    followed,
    nearest_strike,
    read_chain,
    strikes_around,
)
from ticks.adapter.instruments.index import InstrumentIndex
from ticks.adapter.instruments.naming import Aliases

from .names_table import TODAY

STRIKES = [Decimal(each) for each in (100, 150, 200, 250, 300, 400, 500)]
"""As listed far from the money: the steps grow."""


def _chain(index: InstrumentIndex, text: str) -> Chain:
    wanted = read_chain(text)
    assert wanted is not None
    return chain_of(index, wanted, TODAY)


@pytest.mark.parametrize(
    ("text", "name", "strikes", "expiry"),
    [
        ("NIFTY chain 10", "NIFTY", 10, ""),
        ("banknifty  CHAIN 5 monthly", "BANKNIFTY", 5, "monthly"),
        ("SENSEX chain 8 03DEC", "SENSEX", 8, "03DEC"),
        ("BFO:SENSEX chain 8 next weekly", "SENSEX", 8, "next weekly"),
        ("Nifty Next 50 chain 1", "NIFTY NEXT 50", 1, ""),
    ],
)
def test_a_chain_is_an_underlying_a_number_and_perhaps_an_expiry(
    text: str, name: str, strikes: int, expiry: str
) -> None:
    wanted = read_chain(text)
    assert wanted is not None
    assert (wanted.underlying.name, wanted.strikes, wanted.expiry) == (name, strikes, expiry)


@pytest.mark.parametrize("text", ["NIFTY", "BLOCKCHAIN", "CHAIN", "NIFTYCHAIN 10", ""])
def test_other_names_are_no_chains(text: str) -> None:
    assert read_chain(text) is None


@pytest.mark.parametrize(
    "text", ["NIFTY chain", "NIFTY chain x", "NIFTY chain 0", "NIFTY chain -3",
             f"NIFTY chain {MOST_STRIKES + 1}", "NIFTY chain monthly 5", "NIFTY chain " + "9" * 30]
)  # fmt: skip
def test_a_chain_without_a_number_of_strikes_is_refused(text: str) -> None:
    with pytest.raises(UnknownSymbolError) as caught:
        read_chain(text)
    assert caught.value.kind == "chain-number"


def test_an_alias_may_stand_for_a_chain_and_in_one() -> None:
    aliases = Aliases({"bn": "BANKNIFTY", "mine": "bn chain 5"})
    wanted = read_chain("mine", aliases)
    assert wanted is not None
    assert (wanted.underlying.name, wanted.strikes) == ("BANKNIFTY", 5)


@pytest.mark.parametrize(
    ("text", "expiry", "spot"),
    [
        ("NIFTY chain 10", "2026-09-22", "NSE:Nifty 50"),
        ("NIFTY chain 2 weekly", "2026-09-22", "NSE:Nifty 50"),
        ("NIFTY chain 2 monthly", "2026-09-29", "NSE:Nifty 50"),
        ("NIFTY chain 2 29DEC", "2026-12-29", "NSE:Nifty 50"),
        ("NIFTY chain 2 29 Dec 2026", "2026-12-29", "NSE:Nifty 50"),
        ("NIFTY chain 2 DEC", "2026-12-29", "NSE:Nifty 50"),
        ("bank nifty chain 2 next month", "2026-10-27", "NSE:Nifty Bank"),
        ("SENSEX chain 2", "2026-09-17", "BSE:SENSEX"),
        ("SENSEX chain 2 01OCT", "2026-10-01", "BSE:SENSEX"),
        ("CRUDEOIL chain 2", "2026-10-15", "MCX:CRUDEOIL21SEP26FUT"),
        ("RELIANCE chain 2", "2026-09-29", "NFO:RELIANCE29SEP26FUT"),
        ("USDINR chain 1", "2026-09-28", "CDS:USDINR26SEPFUT"),
        ("ZOMATO chain 1", "2026-09-29", "NFO:ETERNAL29SEP26FUT"),
    ],
)
def test_a_chain_has_the_nearest_expiry_or_the_named_one_and_a_spot(
    september: InstrumentIndex, text: str, expiry: str, spot: str
) -> None:
    chain = _chain(september, text)
    assert (chain.expiry, str(chain.spot)) == (expiry, spot)


def test_a_chain_holds_call_and_put_of_each_strike_in_order(september: InstrumentIndex) -> None:
    chain = _chain(september, "USDINR chain 1")
    assert chain.strikes == [Decimal(95), Decimal("95.25")]
    assert [one.symbol for one in chain.contracts[Decimal("95.25")]] == [
        "USDINR26SEP9525CE",
        "USDINR26SEP9525PE",
    ]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("NIFTI chain 5", "symbol-unknown"),
        ("HDFC chain 5", "symbol-merged"),
        ("TCS chain 5", "chain-without-options"),
        ("INDIA VIX chain 5", "chain-without-options"),
        ("GOLDPETAL chain 5", "chain-without-options"),
        ("NIFTY chain 5 23SEP", "chain-unlisted"),
        ("NIFTY chain 5 whenever", "chain-unlisted"),
        ("TATAMOTORS chain 5", "symbol-split"),
        ("DHANIYA chain 5", None),
        ("VEDL chain 5", "chain-without-spot"),
        ("NYSE:IBM chain 5", "exchange-unknown"),
    ],
)
def test_a_chain_that_is_not_listed_is_refused(
    september: InstrumentIndex, text: str, kind: str | None
) -> None:
    if kind is None:
        assert _chain(september, text).spot.symbol == "DHANIYA20OCT2026"
        return
    with pytest.raises(SymbolError) as caught:
        _chain(september, text)
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("NIFTY chain 2 14OCT",
         "NIFTY has no options of 14 Oct; the nearest expiries: 13 Oct 2026, 6 Oct 2026, "),
        ("BANKNIFTY chain 2 DEC",
         "BANKNIFTY has no options of Dec; the nearest expiries: 27 Oct 2026, 29 Sep 2026"),
        ("BANKNIFTY chain 2 far",
         "BANKNIFTY has no options of third monthly expiry; the nearest expiries: 29 Sep 2026, "),
        ("NIFTY chain 2 soon",
         "NIFTY has no options of 'soon'; the nearest expiries: 22 Sep 2026, 29 Sep 2026, "),
    ],
)  # fmt: skip
def test_the_expiries_nearest_to_one_that_is_not_listed_are_named(
    september: InstrumentIndex, text: str, sentence: str
) -> None:
    with pytest.raises(SymbolError) as caught:
        _chain(september, text)
    assert sentence in caught.value.message


@pytest.mark.parametrize(
    ("spot", "strike"),
    [(10, 100), (124, 100), (125, 100), ("125.05", 150), (250, 250), (350, 300), (351, 400),
     (9999, 500)],
)  # fmt: skip
def test_the_nearest_strike_is_the_lower_one_on_a_tie(spot: int | str, strike: int) -> None:
    assert nearest_strike(STRIKES, Decimal(spot)) == strike


def test_around_the_centre_are_as_many_listed_strikes_on_each_side() -> None:
    assert strikes_around(STRIKES, Decimal(250), 2) == [150, 200, 250, 300, 400]
    assert strikes_around(STRIKES, Decimal(100), 2) == [100, 150, 200]
    assert strikes_around(STRIKES, Decimal(500), 9) == STRIKES


@pytest.mark.parametrize(
    ("centre", "spot", "then"),
    [
        (200, 200, 200),
        (200, 225, 200),
        (200, 226, 200),
        (200, "237.49", 200),
        (200, "237.5", 250),
        (250, 225, 250),
        (250, 213, 250),
        (250, "212.5", 200),
        (300, 374, 300),
        (300, 375, 400),
        (200, 290, 300),
        (500, 99, 100),
    ],
)
def test_the_centre_follows_when_the_spot_is_past_the_middle_by_a_quarter_step(
    centre: int, spot: int | str, then: int
) -> None:
    assert followed(STRIKES, Decimal(centre), Decimal(spot)) == then


def test_a_spot_that_swings_about_a_middle_moves_the_centre_once() -> None:
    centre = Decimal(200)
    moves = 0
    for spot in (224, 226, 230, 238, 226, 224, 220, 230, 224):
        then = followed(STRIKES, centre, Decimal(spot))
        moves += then != centre
        centre = then
    assert (moves, centre) == (1, 250)
