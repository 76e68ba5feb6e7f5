"""Rows are chosen by time and by what people call an instrument."""

from __future__ import annotations

import pytest

from ticks.adapter.replay.row_filter import RowFilter
from ticks.adapter.rows.block import RowBlock
from ticks.adapter.rows.format import Csv
from ticks.adapter.tick import Mode

from ..rows.recordings import csv_text

DAY = 86_400


def block_of(*seconds: float, token: str = "1") -> RowBlock:
    return RowBlock(Csv(Mode.LTP), csv_text(seconds, token, header=False))


def times(block: RowBlock) -> list[str]:
    return [time.decode() for time in block.times]


def test_without_bounds_or_names_every_row_is_wanted() -> None:
    assert RowFilter().takes_all
    block = block_of(0, 1)
    assert RowFilter().of(block) is block


def test_a_full_time_bounds_once_start_included_end_excluded() -> None:
    choice = RowFilter(start="2026-11-20T09:15:01.000000", end="2026-11-20T09:15:03.000000")
    chosen = choice.of(block_of(0, 1, 2.999999, 3, DAY + 2))
    assert times(chosen) == ["2026-11-20T09:15:01.000000", "2026-11-20T09:15:02.999999"]
    assert not choice.takes_all


def test_a_time_of_day_bounds_every_day() -> None:
    choice = RowFilter(start="09:15:01.000000", end="09:15:02.000000")
    chosen = choice.of(block_of(0, 1, 2, DAY, DAY + 1, DAY + 2))
    assert times(chosen) == ["2026-11-20T09:15:01.000000", "2026-11-21T09:15:01.000000"]


@pytest.mark.parametrize(
    "name", ["ONE", "one", "ONE-EQ", "NSE:one", "1", "nse_cm|1", "one-eq", " NSE:1 "]
)
def test_an_instrument_is_called_as_everywhere(name: str) -> None:
    choice = RowFilter(names={name: [name]})
    assert choice.of(block_of(0)).count == 1
    assert choice.of(block_of(0, token="99926000")).count == 0
    assert choice.unseen == []


@pytest.mark.parametrize("name", ["NIFTY", "nifty 50", "99926000"])
def test_an_index_is_known_by_its_common_name(name: str) -> None:
    assert RowFilter(names={name: [name]}).of(block_of(0, token="99926000")).count == 1


@pytest.mark.parametrize("name", ["BSE:ONE", "ON", "ONE-BE", "NFO:1"])
def test_another_exchange_or_series_is_another_instrument(name: str) -> None:
    choice = RowFilter(names={name: [name]})
    assert choice.of(block_of(0)).count == 0
    assert choice.unseen == [name]


def test_any_spelling_of_a_name_will_do() -> None:
    choice = RowFilter(names={"MY INDEX": ["MY INDEX", "NSE:99926000"], "ONE": ["ONE"]})
    assert choice.of(block_of(0, token="99926000")).count == 1
    assert choice.unseen == ["ONE"]
