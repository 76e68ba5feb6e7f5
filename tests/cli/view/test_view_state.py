"""How a screen is looked at."""

from __future__ import annotations

from ticks.adapter import selection
from ticks.cli.view.view_state import UNTOUCHED, Sort, ViewState


def test_before_any_key_the_table_is_shown_as_it_is_typed() -> None:
    assert ViewState() == UNTOUCHED
    assert not any((UNTOUCHED.has_keys, UNTOUCHED.is_held, UNTOUCHED.shows_help))
    assert UNTOUCHED.sort is Sort.AUTO


def test_the_orders_are_those_that_a_snapshot_knows() -> None:
    assert Sort is selection.Sort
