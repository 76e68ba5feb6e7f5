"""A block gives its rows as text, times, cells or ticks, whichever is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ticks.adapter.rows.block import RecordedBlock, RowBlock
from ticks.adapter.tick import Mode

from .recordings import START_NS, blocks_of, csv_text, json_text, packet


@pytest.fixture(params=["csv", "jsonl", "odd csv", "odd jsonl"])
def rows(request: pytest.FixtureRequest, tmp_path: Path) -> list[RowBlock]:
    """Two rows: in one block, or, being written oddly, in two."""
    text = csv_text([0, 1]) if "csv" in request.param else json_text([0, 1])
    if "odd" in request.param:
        text = text.replace(b"ONE-EQ", b'"ONE-EQ"') if "csv" in request.param else text
        text = text.replace(b'"sequence":', b'"sequence": ')
    blocks = blocks_of(tmp_path / "a", text)
    assert len(blocks) == (2 if "odd" in request.param else 1)
    return blocks


def test_rows_are_given_in_each_way(rows: list[RowBlock]) -> None:
    assert sum(block.count for block in rows) == 2
    assert [line for block in rows for line in block.lines] == b"".join(
        block.text for block in rows
    ).splitlines(keepends=True)
    assert [time for block in rows for time in block.times] == [
        b"2026-11-20T09:15:00.000000",
        b"2026-11-20T09:15:01.000000",
    ]
    assert rows[-1].last_time == b"2026-11-20T09:15:01.000000"
    assert [head for block in rows for head in block.heads] == [
        (b"2026-11-20T09:15:00.000+05:30", b"NSE", b"ONE-EQ", b"1", b"100.00", b""),
        (b"2026-11-20T09:15:01.000+05:30", b"NSE", b"ONE-EQ", b"1", b"100.01", b""),
    ]
    assert [tuple(each) for block in rows for each in block.recorded()] == [
        (START_NS, "ONE-EQ", packet(0)),
        (START_NS + 10**9, "ONE-EQ", packet(1)),
    ]


@pytest.mark.parametrize("make", [csv_text, json_text])
def test_the_volume_is_among_the_cells_of_a_quote(
    tmp_path: Path, make: Callable[..., bytes]
) -> None:
    [block] = blocks_of(tmp_path / "a", make([7], mode=Mode.QUOTE))
    assert block.heads[0][-1] == b"7"


def test_parts_and_chosen_rows_are_blocks_again(tmp_path: Path) -> None:
    [block] = blocks_of(tmp_path / "a", json_text(range(5)))
    assert block.part(0, 5) is block
    assert block.where([True] * 5) is block
    part = block.part(1, 3)
    assert (part.count, part.times, part.text) == (2, block.times[1:3], b"".join(block.lines[1:3]))
    assert part.heads == block.heads[1:3]
    chosen = block.where([True, False, False, False, True])
    assert (chosen.count, chosen.last_time) == (2, block.times[4])
    assert [each.packet for each in chosen.recorded()] == [packet(0), packet(4)]
    assert block.where([False] * 5).count == 0


def test_rows_that_came_as_packets_are_a_block_like_any_other(tmp_path: Path) -> None:
    [text] = blocks_of(tmp_path / "a", csv_text(range(5), mode=Mode.QUOTE))
    block = RecordedBlock(list(text.recorded()))
    assert (block.count, block.format, block.text) == (5, None, b"")
    assert (block.times, block.heads, block.last_time) == (text.times, text.heads, text.last_time)
    assert block.part(0, 5) is block.where([True] * 5) is block
    assert block.part(1, 3).times == text.times[1:3]
    assert block.where([False, True, False, False, True]).heads == [text.heads[1], text.heads[4]]
