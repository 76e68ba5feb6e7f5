from __future__ import annotations

from ticks.adapter.simulator.listings_data import (
    BSE_EQUITIES,
    BSE_INDICES,
    BSE_OTHERS,
    NSE_EQUITIES,
    NSE_INDICES,
    NSE_OTHERS,
    WITHOUT_AUCTION,
)


def test_no_token_stands_twice_on_an_exchange_but_one() -> None:
    nse = [row[0] for row in (*NSE_INDICES, *NSE_EQUITIES, *NSE_OTHERS)]
    bse = [row[0] for row in (*BSE_INDICES, *BSE_EQUITIES, *BSE_OTHERS)]
    assert {token for token in nse if nse.count(token) > 1} == {"10866"}
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


def test_only_equities_that_are_listed_are_left_out_of_the_auction() -> None:
    assert {row[1] for row in NSE_EQUITIES} >= WITHOUT_AUCTION
