"""What is shown of an instrument, and of a chain of options."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from ticks.adapter.instrument import Instrument, InstrumentKey
from ticks.adapter.quotes import ChainListing, ChainSnapshot, Quotes
from ticks.adapter.selection import SeenNow, Selection
from ticks.adapter.tick import Level, Mode, Tick
from ticks.adapter.wire.packet import encode_packet

KEY = (2, "43854")
NO_LEVELS = (None,) * 5
SNAP = dict.fromkeys(
    (
        *("last_quantity", "average_traded_price", "volume", "open_price", "high_price"),
        *("low_price", "close_price", "last_trade_time_s", "open_interest"),
        *("upper_circuit_price", "lower_circuit_price", "high_52w_price", "low_52w_price"),
    ),
    0,
)


def seen(price: int, at_s: float = 0.0, **more: Any) -> SeenNow:
    doubles = dict.fromkeys(("total_buy_quantity", "total_sell_quantity", "oi_change_percent"), 0.0)
    books = {"bids": NO_LEVELS, "asks": NO_LEVELS}
    tick = Tick(*(0, Mode.SNAP, *KEY, "", 1, 1, price), **{**SNAP, **doubles, **books, **more})
    return SeenNow(3, encode_packet(tick), at_s)


def test_a_row_holds_the_facts_of_the_last_packet() -> None:
    book = {"bids": (Level(75, 11_800, 1), *NO_LEVELS[1:])}
    facts = {"close_price": 12_000, "open_interest": 1_500, "oi_change_percent": 4.5, **book}
    row = Quotes({KEY: "NIFTY24NOV2624400CE"}).row(KEY, seen(11_825, 7.5, **facts), 10.0, 10.0)
    assert (row.exchange, row.symbol, row.ticks, row.age_s) == (
        "NFO",
        "NIFTY24NOV2624400CE",
        3,
        2.5,
    )
    assert (row.ltp, row.change) == (Decimal("118.25"), Decimal("-1.75"))
    assert (row.bid, row.bid_quantity, row.ask, row.ask_quantity) == (
        *(Decimal("118.00"), 75),
        *(None, None),
    )
    assert (row.open_interest, row.oi_change_percent) == (1_500, 4.5)


def test_what_never_ticked_has_no_facts() -> None:
    row = Quotes({}).row(KEY, None, 10.0, 10.0)
    assert (row.token, row.symbol, row.ltp, row.age_s) == ("43854", "", None, None)


@pytest.mark.parametrize(
    ("in_packet", "shown"),
    [(0.0, 0.0), (-3.2, -3.2), (math.nan, None), (math.inf, None), (5e-324, None), (1e9, None)],
)
def test_a_change_of_open_interest_that_is_not_a_percentage_is_not_shown(
    in_packet: float, shown: float | None
) -> None:
    row = Quotes({}).row(KEY, seen(1, oi_change_percent=in_packet), 0.0, 0.0)
    assert row.oi_change_percent == shown


def test_a_price_that_moved_is_marked_for_about_a_second() -> None:
    quotes = Quotes({})
    looks = [(100, 0.0), (100, 1.0), (105, 2.0), (105, 2.5), (105, 3.0), (90, 3.25), (90, 4.25)]
    moves = [quotes.row(KEY, seen(price), 0.0, at_s).move for price, at_s in looks]
    assert moves == [0, 0, 1, 1, 0, -1, 0]


def test_what_was_off_the_page_for_a_while_has_not_just_moved() -> None:
    quotes = Quotes({})
    quotes.row(KEY, seen(100), 0.0, 0.0)
    assert quotes.row(KEY, seen(200), 0.0, 60.0).move == 0


SPOT = Instrument(1, "99926000", "Nifty 50", "NIFTY", "AMXIDX")
STRIKES = [Decimal(strike) for strike in range(24_000, 24_500, 50)]


def option(strike: Decimal, side: str) -> Instrument:
    return Instrument(2, f"{strike}{side}", f"NIFTY29DEC26{strike}{side}", "NIFTY", "OPTIDX")


LISTING = ChainListing(
    "NIFTY chain 5",
    "NIFTY",
    "2026-12-29",
    SPOT,
    {strike: (option(strike, "CE"), option(strike, "PE")) for strike in STRIKES},
)


def chain(spot: int | None, **wanted: int) -> ChainSnapshot:
    seen_now: Mapping[InstrumentKey, SeenNow] = {} if spot is None else {SPOT.key: seen(spot)}
    return Quotes({}).chain(LISTING, seen_now, Selection(**wanted), 0.0)


def test_a_chain_is_shown_around_the_money() -> None:
    shown = chain(24_226_00, chain_rows=5)
    assert shown.money == 24_250
    assert [strike.strike for strike in shown.strikes] == STRIKES[3:8]
    assert (shown.first, shown.strikes_total) == (3, 10)


@pytest.mark.parametrize(
    ("spot", "offset", "first"),
    [(24_226_00, -2, 1), (24_226_00, 99, 5), (24_226_00, -99, 0), (10_000_00, 0, 0), (None, 0, 3)],
)
def test_a_chain_that_is_scrolled_stays_full(spot: int | None, offset: int, first: int) -> None:
    shown = chain(spot, chain_rows=5, chain_offset=offset)
    assert (shown.first, len(shown.strikes)) == (first, 5)


def test_a_chain_that_nobody_looks_at_has_no_strikes() -> None:
    assert chain(24_226_00).strikes == ()


def test_a_side_that_is_not_subscribed_is_none() -> None:
    only_call = LISTING._replace(contracts={STRIKES[0]: (option(STRIKES[0], "CE"), None)})
    (strike,) = Quotes({}).chain(only_call, {}, Selection(chain_rows=5), 0.0).strikes
    assert strike.call is not None
    assert strike.put is None


def test_a_page_holds_the_rows_of_what_was_chosen_and_how() -> None:
    other = (1, "2885")
    page = Quotes({KEY: "NIFTY24NOV2624400CE", other: "RELIANCE-EQ"}).page(
        [KEY, other], {KEY: seen(11_825)}, Selection(text="reliance"), 0.0
    )
    assert [one.symbol for one in page.instruments] == ["RELIANCE-EQ"]
    assert page.chosen == ([other], 0, 1, "typed")
