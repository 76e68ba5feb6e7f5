"""What stands where: the table has what the other parts leave."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.cli.view.layout import Layout, layout_of


@pytest.mark.parametrize(
    ("width", "height", "blocks", "rows", "events"),
    [
        (80, 23, 1, 9, 3),
        (120, 34, 2, 19, 5),
        (200, 49, 3, 39, 0),
        (240, 60, 3, 50, 0),
        (40, 23, 1, 15, 0),
        (80, 15, 1, 6, 0),
        (80, 10, 1, 5, 0),
        (80, 6, 1, 2, 0),
    ],
)
def test_the_table_has_the_rest_of_the_screen_in_blocks_that_fit(
    width: int, height: int, blocks: int, rows: int, events: int
) -> None:
    layout = layout_of(width, height, has_keys=True)
    assert (layout.blocks, layout.rows, layout.events) == (blocks, rows, events)
    assert layout.capacity == blocks * rows


def test_a_wide_screen_has_a_column_for_the_events() -> None:
    layout = layout_of(200, 49, has_keys=True)
    assert (layout.side, layout.table_width) == (50, 147)
    assert layout_of(169, 49, has_keys=True).side == 0


@pytest.mark.parametrize(("width", "height"), [(19, 24), (80, 4), (1, 1)])
def test_below_20_by_5_there_is_the_verdict_alone(width: int, height: int) -> None:
    assert layout_of(width, height, has_keys=True) == Layout(width, head=1)


def test_no_line_at_all_is_no_error() -> None:
    assert layout_of(80, 0, has_keys=True).head == 0


@given(st.integers(1, 300), st.integers(0, 100), st.booleans())
def test_the_parts_never_exceed_the_screen(width: int, height: int, has_keys: bool) -> None:
    layout = layout_of(width, height, has_keys=has_keys)
    parts = layout.head + layout.tiles + layout.table + layout.events + layout.calm
    assert parts + layout.has_keys <= height
    assert layout.table_width + layout.side <= width
    assert layout.capacity >= 0
    assert layout.chain_rows >= 0
