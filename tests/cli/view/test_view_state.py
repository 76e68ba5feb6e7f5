"""How a screen is looked at."""

from __future__ import annotations

from ticks.adapter import selection
from ticks.cli.view.view_state import UNTOUCHED, Sort, ViewState


def test_before_any_key_the_table_is_shown_as_it_is_typed() -> None:
    assert ViewState() == UNTOUCHED
    assert not any((UNTOUCHED.has_keys, UNTOUCHED.is_held, UNTOUCHED.shows_help))
    assert UNTOUCHED.sort is Sort.AUTO


def test_what_keys_choose_is_known() -> None:
    assert not UNTOUCHED.chooses
    assert not ViewState(has_keys=True, is_held=True, shows_help=True).chooses
    for chosen in (
        ViewState(first_row=1),
        ViewState(filter_text="x"),
        ViewState(shows_chain=True),
        ViewState(sort=Sort.SYMBOL),
    ):
        assert chosen.chooses


def test_the_orders_are_those_that_a_snapshot_knows() -> None:
    assert Sort is selection.Sort
