"""The table of instruments: what fits is shown, what does not is counted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ticks.adapter.snapshot import FeedSnapshot
from ticks.cli.view.frame import width_of
from ticks.cli.view.instrument_table import instrument_lines


def words(snapshot: FeedSnapshot, width: int, height: int) -> list[str]:
    lines = instrument_lines(snapshot, width, height)
    return ["".join(span.text for span in line).rstrip() for line in lines]


def test_all_columns_stand_where_there_is_room(live: FeedSnapshot) -> None:
    assert words(live, 80, 10)[0].split() == ["symbol", "ltp", "change", "volume", "ticks", "age"]


def test_a_narrow_pane_keeps_what_matters_most(live: FeedSnapshot) -> None:
    assert words(live, 50, 10)[0].split() == ["symbol", "ltp", "change", "ticks", "age"]
    assert words(live, 40, 10)[0].split() == ["symbol", "ltp", "change", "age"]
    assert words(live, 24, 10)[0].split() == ["symbol", "ltp"]


def test_columns_that_nobody_fills_are_left_out(live: FeedSnapshot) -> None:
    ltp_only = tuple(replace(one, volume=None, change_percent=None) for one in live.instruments)
    head = words(replace(live, instruments=ltp_only), 80, 10)[0]
    assert head.split() == ["symbol", "ltp", "ticks", "age"]


def test_an_instrument_that_never_ticked_says_so(partial: FeedSnapshot) -> None:
    lines = words(partial, 80, 10)
    assert lines[-2] == "NIFTY24NOV2624400CE  no tick since subscribe"
    assert lines[-1] == "1 without a tick since subscribe"


def test_an_option_cut_short_keeps_its_strike(partial: FeedSnapshot) -> None:
    assert words(partial, 40, 10)[-2].startswith("NIFTY2…00CE")


def test_a_change_that_rounds_to_nothing_has_no_minus(live: FeedSnapshot) -> None:
    assert "+0.00 %" in words(live, 80, 10)[3]


def test_what_does_not_fit_is_counted(crowded: FeedSnapshot) -> None:
    lines = words(crowded, 80, 12)
    assert len(lines) == 12
    assert lines[-1] == "+2,490 more · 12 without a tick since subscribe"


def test_a_wide_terminal_sets_blocks_side_by_side(crowded: FeedSnapshot) -> None:
    lines = words(crowded, 160, 12)
    assert lines[0].count("symbol") == 2
    assert lines[1].startswith("SYMBOL0-EQ")
    assert "SYMBOL10-EQ" in lines[1]
    assert lines[-1].startswith("+2,480 more")


def test_a_token_stands_for_a_symbol_that_is_not_known(live: FeedSnapshot) -> None:
    nameless = replace(live, instruments=(replace(live.instruments[1], symbol=""),))
    assert words(nameless, 80, 10)[1].startswith("2885 ")


@pytest.mark.parametrize("height", [-5, 0, 1])
def test_without_room_for_a_row_there_is_no_table(live: FeedSnapshot, height: int) -> None:
    assert words(live, 80, height) == []


@pytest.mark.parametrize("width", [1, 5, 11, 30, 79])
def test_it_is_never_wider_than_its_place(crowded: FeedSnapshot, width: int) -> None:
    assert max(map(width_of, instrument_lines(crowded, width, 12))) <= width
