"""Option chains: calls, strikes and puts, with the money marked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from ticks.adapter.snapshot import ChainSnapshot, InstrumentSnapshot
from ticks.cli.view.chain_view import chain_lines, fitting, status
from ticks.cli.view.frame import Frame, width_of
from ticks.cli.view.layout import Layout

from .. import feeds

TODAY = date(2026, 11, 20)


def layout(width: int, height: int = 12) -> Layout:
    return Layout(width, 1, table=height)


def words(*chains: ChainSnapshot, width: int = 80, height: int = 12) -> list[str]:
    return Frame(tuple(chain_lines(chains, TODAY, layout(width, height)))).plain()


def test_a_chain_has_calls_at_the_left_puts_at_the_right_and_the_money_marked() -> None:
    lines = words(feeds.chain(3))
    assert lines[0] == "NIFTY 24,150.35 (+0.13 %)   29 DEC 2026, 39 d   at the money 24,150"
    assert [half.split() for half in lines[1].split("│")] == [
        ["OI", "VOL", "CHG", "LTP"],
        ["STRIKE"],
        ["LTP", "CHG", "VOL", "OI"],
    ]
    assert [line.split("│")[1].strip() for line in lines[2:]] == ["24,100", "24,150", "24,200"]
    assert [line.endswith("◄") for line in lines[2:]] == [False, True, False]
    assert lines[3].split("│")[0].split() == ["13.5", "M", "7.93", "M", "+1.00", "219.80"]


@pytest.mark.parametrize(
    ("width", "columns"),
    [
        (120, "OI % OI VOL CHG LTP BID ASK"),
        (106, "OI VOL CHG LTP BID ASK"),
        (80, "OI VOL CHG LTP"),
        (60, "VOL CHG LTP"),
        (48, "CHG LTP"),
        (40, "LTP"),
    ],
)
def test_a_side_keeps_what_matters_most(width: int, columns: str) -> None:
    heading = words(feeds.chain(3), width=width)[1]
    assert heading.split("│")[0].split() == columns.split()
    assert all(
        width_of(line) <= width for line in chain_lines([feeds.chain(3)], TODAY, layout(width))
    )


def test_without_open_interest_there_is_no_column_for_it() -> None:
    assert words(feeds.chain(3, has_book=False))[1].split("│")[0].split() == ["VOL", "CHG", "LTP"]


def test_a_chain_that_does_not_fit_says_which_part_is_shown() -> None:
    assert status([feeds.chain(8)], layout(80)) == ["strikes 7-14 of 21"]
    assert status([feeds.chain(21)], layout(80, 30)) == []


def test_chains_are_side_by_side_where_there_is_room() -> None:
    two = (feeds.chain(4), feeds.chain(4, name="BANKNIFTY chain 5"))
    assert len(fitting(two, layout(200))[0]) == 2
    assert words(*two, width=200)[0].split("│")[1].startswith(" BANKNIFTY 24,150.35")
    assert len(fitting(two, layout(120))[0]) == 1
    assert status(two, layout(120))[-1] == "→ BANKNIFTY chain 5"


def test_before_the_spot_has_a_price_there_is_no_strike() -> None:
    spot = InstrumentSnapshot("NSE", "Nifty 50", "99926000")
    early = replace(feeds.chain(0), spot=spot, money=None)
    lines = words(early)
    assert lines[0] == "NIFTY   29 DEC 2026, 39 d"
    assert lines[2:] == ["no strike yet: the spot has no price"]


def test_a_side_without_a_tick_is_marked_and_one_without_a_contract_is_blank() -> None:
    chain = feeds.chain(3)
    never = InstrumentSnapshot("NFO", "NIFTY29DEC2624100CE", "1")
    first = replace(chain.strikes[0], call=never, put=None)
    line = words(replace(chain, strikes=(first, *chain.strikes[1:])))[2]
    assert line.split("│")[0].split() == ["–"] * 4
    assert line.split("│")[2].strip() == ""


@pytest.mark.parametrize(
    ("expiry", "text"),
    [
        ("2026-11-20", "20 NOV 2026, today"),
        ("2026-11-19", "19 NOV 2026, expired"),
        ("2026-12-01", "1 DEC 2026, 11 d"),
        ("", ""),
    ],
)
def test_an_expiry_says_how_long_it_has(expiry: str, text: str) -> None:
    assert text in words(replace(feeds.chain(3), expiry=expiry))[0]


def test_no_chain_is_no_line() -> None:
    assert words() == []
