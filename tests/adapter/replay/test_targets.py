"""Rows reach a target as they lie there, or written anew where it writes otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticks.adapter.errors import OutputError
from ticks.adapter.replay.targets import CandleTarget, RowTarget
from ticks.adapter.rows.scan import Form
from ticks.adapter.sinks.candles import CandleWriter
from ticks.adapter.tick import Mode

from ..rows.recordings import START_NS, MemoryOutput, csv_text, json_text, runs_of


def written(path: Path, content: bytes, form: Form, *, keeps_headers: bool = False) -> MemoryOutput:
    output = MemoryOutput()
    target = RowTarget(form, output, keeps_headers=keeps_headers)
    for run in runs_of(path, content):
        target.take(run)
    target.close()
    assert output.is_closed
    return output


@pytest.mark.parametrize("token", ["1", "33"])
def test_rows_of_the_same_kind_pass_as_they_are(tmp_path: Path, token: str) -> None:
    rows = csv_text(range(3), token, header=False)
    output = written(tmp_path / "a", csv_text([]) + rows, Mode.LTP)
    assert (output.text, output.rows) == (rows, 3)
    assert written(tmp_path / "a", json_text([1], token), None).text == json_text([1], token)


def test_a_copy_keeps_every_header_of_its_recording(tmp_path: Path) -> None:
    content = csv_text([1]) + csv_text([2], mode=Mode.QUOTE) + csv_text([3])
    output = written(tmp_path / "a", content, Mode.LTP, keeps_headers=True)
    assert (output.text, output.rows) == (content, 3)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_rows_of_a_lower_mode_get_empty_cells(tmp_path: Path, line_end: bytes) -> None:
    content = csv_text(range(2)).replace(b"\n", line_end)
    rows = csv_text(range(2), header=False).replace(b"\n", b"," * 9 + b"\n")
    assert written(tmp_path / "a", content, Mode.QUOTE).text == rows


@pytest.mark.parametrize("token", ["1", "33"])
@pytest.mark.parametrize("mode", [Mode.LTP, Mode.QUOTE])
def test_rows_of_another_format_are_written_anew(tmp_path: Path, token: str, mode: Mode) -> None:
    as_csv = csv_text(range(3), token, mode, header=False)
    as_json = json_text(range(3), token, mode)
    header = csv_text([], mode=mode)
    assert written(tmp_path / "a", header + as_csv, None).text == as_json
    assert written(tmp_path / "a", as_json, mode).text == as_csv


def test_a_symbol_that_changed_is_written_as_it_was(tmp_path: Path) -> None:
    content = json_text([1]) + json_text([2]).replace(b"ONE-EQ", b"ONE-BE") + json_text([3])
    text = written(tmp_path / "a", content, Mode.LTP).text.decode()
    assert [line.split(",")[3] for line in text.splitlines()] == ["ONE-EQ", "ONE-BE", "ONE-EQ"]


@pytest.mark.parametrize("make", [csv_text, json_text])
def test_rows_with_more_columns_than_the_output_are_refused(tmp_path: Path, make: object) -> None:
    content = make([1], mode=Mode.QUOTE)  # type: ignore[operator]
    with pytest.raises(OutputError, match="a quote row has more columns than the ltp") as caught:
        written(tmp_path / "a", content, Mode.LTP)
    assert "--mode quote" in caught.value.remedy


def test_a_rotating_output_is_told_each_second_apart(tmp_path: Path) -> None:
    output = MemoryOutput(is_rotating=True)
    target = RowTarget(Mode.LTP, output, keeps_headers=True)
    for run in runs_of(tmp_path / "a", csv_text([0, 0.5, 1]) + csv_text([3])):
        target.take(run)
    told = [(rows, (time_ns - START_NS) // 10**9) for _, rows, time_ns in output.taken]
    assert told == [(2, 0), (1, 1), (1, 3)]


@pytest.mark.parametrize("make", [csv_text, json_text])
def test_bars_leave_as_the_recording_passes_their_end(tmp_path: Path, make: object) -> None:
    output = MemoryOutput()
    target = CandleTarget(CandleWriter(60, "csv", output))
    [*_, first] = runs_of(tmp_path / "a", make([0, 30], mode=Mode.QUOTE))  # type: ignore[operator]
    [*_, second] = runs_of(tmp_path / "a", make([62, 59, 70], "1"))  # type: ignore[operator]
    target.take(first)
    target.flush()
    assert output.rows == 0
    target.take(second.part(0, 1))
    target.flush()
    target.take(second.part(1, 3))
    target.close()
    assert output.text.decode().splitlines() == [
        "2026-11-20T09:15:00+05:30,NSE,ONE-EQ,1,100.00,100.30,100.00,100.30,30,2",
        "2026-11-20T09:16:00+05:30,NSE,ONE-EQ,1,100.62,100.70,100.62,100.70,,2",
    ]
    assert target.late == 1
