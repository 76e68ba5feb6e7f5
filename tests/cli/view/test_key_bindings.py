"""What each key does to a view."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.quotes import ChainSnapshot, InstrumentSnapshot, StrikeSnapshot
from ticks.adapter.snapshot import FeedSnapshot
from ticks.cli.view.key_bindings import (
    BINDINGS,
    NO_ROWS,
    Action,
    Extent,
    Key,
    Scene,
    bindings_of,
    extent_of,
    press,
    scene_of,
)
from ticks.cli.view.view_state import UNTOUCHED, Sort, ViewState

STREAM = Scene.STREAM | Scene.CHAIN
MANY = Extent(rows=10, least=0, most=90)
ANY_KEYS = st.lists(
    st.one_of(st.sampled_from([*Key, *"q?s/po "]), st.characters(categories=["L"])), max_size=30
)


def after(*keys: str, view: ViewState = UNTOUCHED, scene: Scene = STREAM) -> ViewState:
    return press(view, keys, MANY, scene).view


@pytest.mark.parametrize(
    ("keys", "row"),
    [
        ([Key.DOWN], 1),
        ([Key.DOWN, Key.DOWN, Key.UP], 1),
        ([Key.UP], 0),
        ([Key.PAGE_DOWN], 9),
        ([Key.PAGE_DOWN, Key.PAGE_UP], 0),
        ([Key.END], 90),
        ([Key.END, Key.DOWN], 90),
        ([Key.END, Key.PAGE_UP, Key.HOME], 0),
    ],
)
def test_arrows_and_pages_scroll_within_the_rows(keys: list[str], row: int) -> None:
    assert after(*keys).first_row == row


def test_where_all_rows_are_shown_nothing_scrolls() -> None:
    assert press(UNTOUCHED, [Key.DOWN, Key.END], NO_ROWS, STREAM).view == UNTOUCHED


def test_a_table_that_became_shorter_is_scrolled_from_its_end() -> None:
    far = replace(UNTOUCHED, first_row=5000)
    assert after(Key.UP, view=far).first_row == 90


def test_sorting_goes_round_and_begins_at_the_top() -> None:
    view = replace(UNTOUCHED, first_row=7)
    sorts = []
    for _ in Sort:
        view = after("s", view=view)
        sorts.append(view.sort)
        assert view.first_row == 0
    assert sorts == [Sort.SYMBOL, Sort.CHANGE, Sort.ACTIVITY, Sort.AUTO]


def test_letters_go_into_the_filter_until_enter_keeps_it() -> None:
    typed = after("/", *"nifq ?sp")
    assert (typed.filter_text, typed.is_filtering) == ("nifq ?sp", True)
    kept = after(Key.BACKSPACE, Key.DOWN, Key.ENTER, "s", view=typed)
    assert (kept.filter_text, kept.is_filtering) == ("nifq ?s", False)
    assert (kept.sort, kept.first_row) == (Sort.SYMBOL, 0)
    assert after(Key.ESCAPE, view=kept).filter_text == ""


@pytest.mark.parametrize("keys", [["a", Key.ESCAPE], [Key.BACKSPACE], ["a"] + [Key.BACKSPACE] * 2])
def test_escape_and_one_backspace_too_many_leave_the_filter(keys: list[str]) -> None:
    assert after("/", *keys) == UNTOUCHED


def test_a_line_is_erased_and_a_filter_is_no_novel() -> None:
    assert after("/", "a", "b", Key.ERASE_LINE, "c").filter_text == "c"
    assert len(after("/", *"x" * 500).filter_text) == 40


def test_a_filter_that_changes_begins_at_the_top() -> None:
    view = replace(UNTOUCHED, first_row=7)
    assert after("/", "a", view=view).first_row == 0


def test_help_hold_and_chain_are_switched() -> None:
    view = after("?", "p", "o")
    assert (view.shows_help, view.is_held, view.shows_chain) == (True, True, True)
    assert after("?", "p", "o", view=view) == UNTOUCHED
    assert not after(Key.ESCAPE, view=view).shows_help


def test_space_pauses_a_replay_alone() -> None:
    assert after(" ", scene=Scene.REPLAY).is_paused
    assert after(" ", " ", scene=Scene.REPLAY) == UNTOUCHED
    assert after(" ") == UNTOUCHED
    assert after("o", scene=Scene.REPLAY) == UNTOUCHED
    assert after("o", scene=Scene.STREAM) == UNTOUCHED


@pytest.mark.parametrize("keys", ["q", "qqq", "ssq", ["q", Key.ENTER]])
def test_q_ends(keys: list[str]) -> None:
    assert press(UNTOUCHED, list(keys), MANY, STREAM).actions == {Action.QUIT}


@pytest.mark.parametrize("keys", ["", "Q", "a pasted question", ["q", "x", Key.ENTER], "/q"])
def test_a_q_within_a_text_that_came_at_once_ends_nothing(keys: list[str]) -> None:
    assert press(UNTOUCHED, list(keys), MANY, STREAM).actions == frozenset()


def test_a_screen_can_be_drawn_afresh() -> None:
    assert press(UNTOUCHED, [Key.REDRAW], MANY, STREAM) == (UNTOUCHED, {Action.REDRAW})


@given(ANY_KEYS, st.sampled_from([STREAM, Scene.STREAM, Scene.REPLAY]))
def test_no_keys_scroll_out_of_the_table(keys: list[str], scene: Scene) -> None:
    view = press(UNTOUCHED, keys, MANY, scene).view
    assert 0 <= view.first_row <= MANY.most
    assert len(view.filter_text) <= 40


def test_no_key_does_two_things() -> None:
    for scene in (STREAM, Scene.REPLAY):
        keys = [key for binding in bindings_of(scene) for key in binding.keys]
        assert len(keys) == len(set(keys))
    assert all(binding.help for binding in BINDINGS)


def test_a_page_is_as_far_as_there_are_rows(live: FeedSnapshot) -> None:
    assert extent_of(live, UNTOUCHED) == Extent(4, 0, 0)
    assert extent_of(replace(live, matching=40), UNTOUCHED) == Extent(4, 0, 36)
    assert extent_of(replace(live, instruments_total=9), UNTOUCHED) == Extent(4, 0, 5)


def test_a_chain_scrolls_from_its_money(live: FeedSnapshot) -> None:
    chain_view = replace(UNTOUCHED, shows_chain=True)
    assert extent_of(live, chain_view) == extent_of(live, UNTOUCHED), "the table is shown"
    assert scene_of(live) == Scene.STREAM
    spot = InstrumentSnapshot("NSE", "Nifty 50", "99926000")
    assert spot.ltp is None
    strikes = tuple(StrikeSnapshot(live.instruments[0].ltp or 0, None, None) for _ in range(5))  # type: ignore[arg-type]
    chain = ChainSnapshot("NIFTY chain", "NIFTY", "2026-12-29", spot, None, strikes, 8, 21)
    extent = extent_of(replace(live, chains=(chain,)), chain_view)
    assert scene_of(replace(live, chains=(chain,))) == STREAM
    assert extent == Extent(5, -8, 8, is_chain=True)
    pressed = press(chain_view, [Key.DOWN, Key.END], extent, STREAM).view
    assert (pressed.chain_offset, pressed.first_row) == (8, 0)
    assert press(pressed, [Key.HOME], extent, STREAM).view.chain_offset == -8
    assert press(pressed, ["o", "o"], extent, STREAM).view.chain_offset == 0
