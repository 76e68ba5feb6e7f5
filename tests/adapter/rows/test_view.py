"""Some columns of CSV rows."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.errors import UsageError
from ticks.adapter.rows.columns import columns
from ticks.adapter.rows.encode import csv_cell
from ticks.adapter.rows.view import csv_view
from ticks.adapter.tick import Mode

WHOLE = ("symbol", "ltp", "volume")


def test_the_columns_come_in_the_order_asked_for() -> None:
    view = csv_view(WHOLE, ("volume", "symbol"))
    assert view.header == b"volume,symbol\n"
    assert view.cut(b"Nifty 50,24150.35,7\nTCS-EQ,3000.00,\n") == b"7,Nifty 50\n,TCS-EQ\n"
    assert view.cut(b"") == b""


def test_without_a_header_and_without_a_choice_only_the_header_is_missing() -> None:
    view = csv_view(WHOLE, None, has_header=False)
    assert view.header == b""
    assert view.cut(b"a,b,c\n") == b"a,b,c\n"


@given(
    st.lists(st.tuples(*[st.text(st.characters(exclude_categories=["Cs"]))] * 3), min_size=1),
    st.lists(st.sampled_from(WHOLE), min_size=1, max_size=4),
)
def test_a_cell_reads_back_as_it_was_whatever_is_in_it(
    rows: list[tuple[str, str, str]], shown: list[str]
) -> None:
    text = "".join(",".join(map(csv_cell, row)) + "\n" for row in rows)
    cut = csv_view(WHOLE, shown).cut(text.encode()).decode()
    if not any('"' in text for text in (cut, text)):
        assert cut.count("\n") == len(rows)
    read = list(csv.reader(line + "\n" for line in cut.split("\n")[:-1]))
    wanted = [[row[WHOLE.index(column)] for column in shown] for row in rows]
    assert [row or [""] for row in read] == wanted


def test_a_column_that_the_rows_do_not_have_is_refused_with_those_they_have() -> None:
    with pytest.raises(UsageError) as caught:
        csv_view(columns(Mode.LTP), ["ltp", "volume"])
    assert caught.value.kind == "column-unknown"
    assert caught.value.values["column"] == "volume"
    assert caught.value.values["columns"].startswith("received_at, exchange_time")
