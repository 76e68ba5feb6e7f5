"""Rows that are equal to an earlier one, found in bounded memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ticks.adapter.inspection import duplicates
from ticks.adapter.inspection.duplicates import Duplicates


def row(number: int) -> tuple[bytes, bytes]:
    """A row and its minute: ten rows have one."""
    return b"09:%02d" % (number // 10), b"row %d" % number


@given(st.lists(st.integers(0, 99)))
def test_each_row_that_came_before_counts_in_any_order(numbers: list[int]) -> None:
    found = Duplicates()
    for number in numbers:
        minute, text = row(number)
        found.add(minute, [text])
    assert found.count == len(numbers) - len(set(numbers))


def test_rows_of_one_block_are_compared_with_each_other() -> None:
    found = Duplicates()
    found.add(b"09:15", [b"a", b"b", b"a", b"a"])
    assert found.count == 2


def test_a_minute_that_comes_again_is_still_known() -> None:
    found = Duplicates()
    for _ in range(2):
        for minute in range(60):
            found.add(b"09:%02d" % minute, [b"%d of %d" % (n, minute) for n in range(100)])
    assert found.count == 6000


def test_only_so_many_rows_are_kept() -> None:
    found = Duplicates(most_rows=500)
    for minute in range(60):
        found.add(b"09:%02d" % minute, [b"%d of %d" % (n, minute) for n in range(100)])
    assert found._kept <= 500 + 200
    found.add(b"09:00", [b"0 of 0"])
    assert found.count == 0, "too long ago"
    found.add(b"09:58", [b"0 of 58"])
    assert found.count == 1


def test_a_flood_in_one_minute_is_bounded(monkeypatch: object) -> None:
    found = Duplicates()
    size = duplicates.MOST_OF_A_MINUTE // 4
    for start in range(6):
        found.add(b"09:15", range(start * size, (start + 1) * size))
    assert len(found._hashes) <= duplicates.MOST_OF_A_MINUTE
