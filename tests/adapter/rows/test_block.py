"""A run gives its rows as text, times, cells or ticks, whichever is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticks.adapter.rows.block import RowBlock
from ticks.adapter.tick import Mode

from .recordings import START_NS, csv_text, json_text, packet, runs_of


@pytest.fixture(params=["csv", "jsonl", "odd csv", "odd jsonl"])
def rows(request: pytest.FixtureRequest, tmp_path: Path) -> list[RowBlock]:
    """Two rows: in one run, or, being written oddly, in two."""
    text = csv_text([0, 1]) if "csv" in request.param else json_text([0, 1])
    if "odd" in request.param:
        text = text.replace(b"ONE-EQ", b'"ONE-EQ"') if "csv" in request.param else text
        text = text.replace(b'"sequence":', b'"sequence": ')
    runs = [run for run in runs_of(tmp_path / "a", text) if not run.is_header]
    assert len(runs) == (2 if "odd" in request.param else 1)
    return runs


def test_rows_are_given_in_each_way(rows: list[RowBlock]) -> None:
    assert sum(run.count for run in rows) == 2
    assert [line for run in rows for line in run.lines] == b"".join(
        run.text for run in rows
    ).splitlines(keepends=True)
    assert [time for run in rows for time in run.times] == [
        b"2026-11-20T09:15:00.000000",
        b"2026-11-20T09:15:01.000000",
    ]
    assert rows[-1].last_time == b"2026-11-20T09:15:01.000000"
    assert [head for run in rows for head in run.heads] == [
        (b"2026-11-20T09:15:00.000+05:30", b"NSE", b"ONE-EQ", b"1", b"100.00", b""),
        (b"2026-11-20T09:15:01.000+05:30", b"NSE", b"ONE-EQ", b"1", b"100.01", b""),
    ]
    assert [tuple(each) for run in rows for each in run.recorded()] == [
        (START_NS, "ONE-EQ", packet(0)),
        (START_NS + 10**9, "ONE-EQ", packet(1)),
    ]


@pytest.mark.parametrize("form", [Mode.QUOTE, None])
def test_the_volume_is_among_the_cells_of_a_quote(tmp_path: Path, form: Mode | None) -> None:
    text = (json_text if form is None else csv_text)([7], mode=Mode.QUOTE)
    assert runs_of(tmp_path / "a", text)[-1].heads[0][-1] == b"7"


def test_parts_and_chosen_rows_are_runs_again(tmp_path: Path) -> None:
    run = runs_of(tmp_path / "a", json_text(range(5)))[0]
    assert run.part(0, 5) is run
    assert run.where([True] * 5) is run
    part = run.part(1, 3)
    assert (part.count, part.times, part.text) == (2, run.times[1:3], b"".join(run.lines[1:3]))
    assert part.heads == run.heads[1:3]
    chosen = run.where([True, False, False, False, True])
    assert (chosen.count, chosen.last_time) == (2, run.times[4])
    assert [each.packet for each in chosen.recorded()] == [packet(0), packet(4)]
    assert run.where([False] * 5).count == 0


def test_a_header_has_text_and_no_row(tmp_path: Path) -> None:
    header = runs_of(tmp_path / "a", csv_text([]))[0]
    assert header.is_header
    assert (header.count, header.lines, header.times, header.heads) == (0, [], [], [])
    assert header.text == csv_text([])
    assert header.where([]).text == b""
