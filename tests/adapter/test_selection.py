"""Which instruments of many are on a page, and in which order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.instrument import InstrumentKey
from ticks.adapter.selection import SeenNow, Selection, Sort, activity, chosen
from ticks.adapter.tick import Mode, Tick
from ticks.adapter.wire.packet import encode_packet

KEYS: list[InstrumentKey] = [(1, "10"), (1, "11"), (3, "10"), (2, "20"), (2, "21")]
SYMBOLS = dict(zip(KEYS, ("TCS-EQ", "abb-EQ", "TCS", "NIFTY26D24000CE", ""), strict=True))


def packet(price: int, close: int) -> bytes:
    rest = dict.fromkeys(
        ("last_quantity", "average_traded_price", "volume", "open_price", "high_price"), 0
    )
    return encode_packet(
        Tick(
            *(0, Mode.QUOTE, 1, "10", "", 1, 1, price),
            **rest,
            low_price=0,
            close_price=close,
            total_buy_quantity=0.0,
            total_sell_quantity=0.0,
        )
    )


SEEN = {
    KEYS[0]: SeenNow(2, packet(101, 100), 0.0),
    KEYS[1]: SeenNow(980, packet(99, 100), 0.0),
    KEYS[3]: SeenNow(40, packet(300, 100), 0.0),
    KEYS[4]: SeenNow(1000, packet(5, 0), 0.0),
}


def tokens(**wanted: object) -> list[str]:
    found = chosen(KEYS, SEEN, SYMBOLS, Selection(**wanted))  # type: ignore[arg-type]
    return [f"{key[0]}/{key[1]}" for key in found.keys]


TYPED = ["1/10", "1/11", "3/10", "2/20", "2/21"]


@pytest.mark.parametrize(
    ("wanted", "page"),
    [
        ({"most": 5}, TYPED),
        ({"most": 4}, ["1/11", "2/21", "2/20", "1/10"]),
        ({"sort": Sort.ACTIVITY}, ["1/11", "2/21", "2/20", "1/10", "3/10"]),
        ({"sort": Sort.SYMBOL}, ["2/21", "1/11", "2/20", "3/10", "1/10"]),
        ({"sort": Sort.CHANGE}, ["2/20", "1/10", "1/11", "3/10", "2/21"]),
        ({"sort": Sort.SYMBOL, "most": 2, "first": 1}, ["1/11", "2/20"]),
        ({"text": "tcs"}, ["1/10", "3/10"]),
        ({"text": "bse: tcs"}, ["3/10"]),
        ({"text": "24000 nifty"}, ["2/20"]),
        ({"text": "21"}, ["2/21"]),
        ({"text": "xyz"}, []),
        ({"most": 0}, []),
    ],
)
def test_a_page_is_ordered_and_filtered_as_it_is_asked_for(
    wanted: dict[str, object], page: list[str]
) -> None:
    assert tokens(**wanted) == page


def test_a_page_says_where_it_begins_how_many_match_and_in_which_order() -> None:
    assert chosen(KEYS, SEEN, SYMBOLS, Selection(2, first=99))[1:] == (3, 5, "activity")
    assert chosen(KEYS, SEEN, SYMBOLS, Selection(2, text="tcs"))[1:] == (0, 2, "typed")


@given(
    st.integers(0, 8), st.integers(-5, 10), st.sampled_from(Sort), st.sampled_from(["", "e", "z"])
)
def test_scrolling_shows_every_match_once_and_never_half_a_page(
    most: int, first: int, sort: Sort, text: str
) -> None:
    found = chosen(KEYS, SEEN, SYMBOLS, Selection(most, first, sort, text))
    assert len(found.keys) == min(most, found.matching)
    pages = [
        key
        for at in range(0, found.matching, max(1, most))
        for key in chosen(KEYS, SEEN, SYMBOLS, Selection(most, at, sort, text)).keys
    ]
    assert most == 0 or len(set(pages)) == found.matching


def test_activity_grows_with_the_ticks_and_ignores_one_more() -> None:
    assert activity(0) < activity(1) < activity(2) < activity(1000) < activity(1300)
    assert activity(1000) == activity(1001)
