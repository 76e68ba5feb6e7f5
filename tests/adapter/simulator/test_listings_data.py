from __future__ import annotations

from ticks.adapter.simulator.listings_data import (
    BSE_EQUITIES,
    NSE_EQUITIES,
    NSE_INDICES,
    NSE_OTHERS,
)


def test_no_token_stands_twice_on_an_exchange() -> None:
    nse = [row[0] for row in (*NSE_INDICES, *NSE_EQUITIES, *NSE_OTHERS)]
    bse = [row[0] for row in BSE_EQUITIES]
    assert len(set(nse)) == len(nse)
    assert len(set(bse)) == len(bse)


def test_the_tokens_that_published_files_show_are_these() -> None:
    tokens = {row[1]: row[0] for row in (*NSE_EQUITIES, *NSE_INDICES)}
    assert {
        name: tokens[name] for name in ("RELIANCE", "SBIN", "TCS", "Nifty 50", "India VIX")
    } == {
        "RELIANCE": "2885",
        "SBIN": "3045",
        "TCS": "11536",
        "Nifty 50": "99926000",
        "India VIX": "99926017",
    }


def test_every_bse_equity_has_a_price_on_nse() -> None:
    assert {name for _, name in BSE_EQUITIES} <= {row[1] for row in NSE_EQUITIES}
