"""The table of instruments: what fits is shown, and what does not is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ticks.adapter.selection import Sort
from ticks.adapter.snapshot import FeedSnapshot
from ticks.cli.view.frame import Frame, width_of
from ticks.cli.view.layout import Layout
from ticks.cli.view.table import status, table_lines
from ticks.cli.view.view_state import UNTOUCHED

from .. import feeds


def words(feed: FeedSnapshot, width: int = 80, height: int = 10) -> list[str]:
    return Frame(tuple(table_lines(feed, Layout(width, 1, table=height)))).plain()


def heading(feed: FeedSnapshot, width: int) -> list[str]:
    return words(feed, width)[0].split()


CASH = replace(feeds.LIVE, instruments=feeds.INSTRUMENTS[:3])


def test_all_columns_stand_where_there_is_room() -> None:
    assert heading(feeds.LIVE, 120) == [
        *("SYMBOL", "LTP", "CHANGE", "%", "LOW", "HIGH", "VOLUME", "TICKS", "AGE"),
    ]
    assert heading(feeds.SNAP, 120) == [
        *("SYMBOL", "LTP", "CHANGE", "%", "BID×QTY", "ASK×QTY"),
        *("OI", "OI", "%", "VOLUME", "TICKS", "AGE"),
    ]


@pytest.mark.parametrize(
    ("width", "columns"),
    [
        (66, "SYMBOL LTP CHANGE % VOLUME TICKS AGE"),
        (58, "SYMBOL LTP CHANGE % VOLUME AGE"),
        (47, "SYMBOL LTP CHANGE % AGE"),
        (40, "SYMBOL LTP %"),
        (24, "SYMBOL LTP"),
    ],
)
def test_a_narrow_block_keeps_what_matters_most(width: int, columns: str) -> None:
    layout = Layout(width, 1, table=10)
    is_block = width in (47, 58)  # one of several
    wide = Layout(2 * width + 3, 1, table=3)
    lines = table_lines(CASH, wide if is_block else layout)
    text = Frame(tuple(lines)).plain()[0]
    assert text.split(" │ ")[0].split() == columns.split()


def test_where_contracts_have_open_interest_it_matters_more_than_an_age() -> None:
    assert heading(feeds.SNAP, 80) == [
        *("SYMBOL", "LTP", "CHANGE", "%", "BID×QTY", "ASK×QTY", "OI"),
    ]


def test_columns_that_nobody_fills_are_left_out() -> None:
    bare = [
        replace(one, volume=None, change_percent=None, change=None, low=None, high=None)
        for one in feeds.INSTRUMENTS
    ]
    ltp_only = replace(feeds.LIVE, instruments=tuple(bare))
    assert heading(ltp_only, 80) == ["SYMBOL", "LTP", "TICKS", "AGE"]


def test_an_instrument_that_never_ticked_says_so() -> None:
    lines = words(feeds.PARTIAL)
    assert lines[-1] == "NIFTY24NOV2624400CE  no tick yet"


def test_an_option_cut_short_keeps_its_strike() -> None:
    assert words(feeds.PARTIAL, 24)[-1].startswith("NIFTY2…24400CE ")


def test_a_price_that_moved_stands_out() -> None:
    rows = table_lines(feeds.LIVE, Layout(80, 1, table=10))[1:]
    prices = [next(span for span in row if span.text.strip()[:1].isdigit()) for row in rows]
    assert [price.style for price in prices] == ["up strong", "down strong", "", ""]


def test_a_change_that_rounds_to_nothing_has_neither_sign_nor_colour() -> None:
    small = replace(feeds.INSTRUMENTS[2], change_percent=-0.001)
    row = table_lines(replace(CASH, instruments=(small,)), Layout(80, 1, table=10))[1]
    assert [span.style for span in row if span.text.strip() == "0.00"] == ["", ""]


def test_a_wide_screen_sets_blocks_side_by_side_and_fills_one_after_the_other() -> None:
    lines = words(feeds.many(20), 120, 11)
    assert lines[0].count("SYMBOL") == 2
    assert [cell.split()[0] for cell in lines[1].split("│")] == ["RELIANCE-EQ", "HDFCBANK1-EQ"]
    assert words(feeds.many(10), 120, 11)[0].count("SYMBOL") == 1


def test_instruments_of_two_exchanges_that_share_a_name_say_which_they_are() -> None:
    one = feeds.INSTRUMENTS[1]
    both = (one, replace(one, exchange="BSE", symbol="RELIANCE"), *feeds.INSTRUMENTS[2:])
    names = [line.split()[0] for line in words(replace(CASH, instruments=both))[1:]]
    assert names == ["NSE:RELIANCE-EQ", "BSE:RELIANCE", "SBIN-EQ", "NIFTY24NOV2624400CE"]


def test_a_token_stands_for_a_symbol_that_is_not_known() -> None:
    nameless = replace(feeds.INSTRUMENTS[1], symbol="", token="2885")
    assert words(replace(CASH, instruments=(nameless,)))[1].startswith("2885 ")


def test_what_is_not_shown_or_not_as_typed_is_said() -> None:
    many = feeds.many(60, first=60)
    assert status(feeds.LIVE, UNTOUCHED) == []
    assert status(many, UNTOUCHED) == ["rows 61-120 of 423", "most active first"]
    by_name = replace(UNTOUCHED, sort=Sort.SYMBOL)
    assert status(replace(feeds.LIVE, order="symbol"), by_name) == ["by symbol"]
    nothing = replace(many, instruments=(), matching=0)
    assert status(nothing, replace(UNTOUCHED, filter_text="xyz")) == ["0 of 423 match 'xyz'"]


@pytest.mark.parametrize("height", [-5, 0, 1])
def test_without_room_for_a_row_there_is_no_table(height: int) -> None:
    assert words(feeds.LIVE, 80, height) == []


@pytest.mark.parametrize("width", [1, 5, 11, 30, 79])
def test_it_is_never_wider_than_its_place(width: int) -> None:
    lines = table_lines(feeds.many(9), Layout(width, 1, table=10))
    assert max(map(width_of, lines)) <= width
