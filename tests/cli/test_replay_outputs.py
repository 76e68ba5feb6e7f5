"""Where a replay goes, opened all or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from ticks.adapter.errors import OutputError, UsageError
from ticks.adapter.replay.replay import ReplayOptions, ReplayStart
from ticks.adapter.rows.columns import csv_header
from ticks.adapter.rows.format import Csv, Jsonl
from ticks.adapter.tick import Mode
from ticks.cli.replay_outputs import Outputs, open_sinks
from ticks.cli.terminal.console import Console


def names(outputs: Outputs, opening: ReplayStart) -> list[str]:
    sinks = open_sinks(outputs, opening, ReplayOptions(("a",)), Console(is_quiet=True))
    sinks.close()
    return [output.name for output in sinks.figures()]


def test_without_an_option_the_rows_go_to_stdout_as_they_are(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    nothing = Outputs(None, None, None, None, overwrites=False, syncs=False)
    assert names(nothing, ReplayStart(Csv(Mode.LTP), Mode.QUOTE)) == ["stdout"]
    assert capfdbinary.readouterr().out == csv_header(Mode.QUOTE)
    assert names(nothing, ReplayStart(Jsonl(), Mode.LTP)) == ["stdout"]
    assert capfdbinary.readouterr().out == b""


def test_a_mode_widens_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    outputs = Outputs(str(path), None, Mode.SNAP, None, overwrites=False, syncs=False)
    names(outputs, ReplayStart(Csv(Mode.LTP), Mode.LTP))
    assert path.read_bytes() == csv_header(Mode.SNAP)


def test_outputs_are_opened_all_or_none(tmp_path: Path) -> None:
    path, taken = tmp_path / "a.csv", tmp_path / "b.jsonl"
    taken.write_bytes(b"something else\n")
    outputs = Outputs(str(path), str(taken), None, None, overwrites=False, syncs=False)
    for _ in range(2):
        with pytest.raises(OutputError, match="something other"):
            names(outputs, ReplayStart(Csv(Mode.LTP), Mode.LTP))


def test_standard_output_may_show_some_columns_and_a_file_may_not(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    shown = Outputs("-", None, None, None, False, False, columns=("symbol", "ltp"))
    assert names(shown, ReplayStart(Csv(Mode.LTP), Mode.QUOTE)) == ["stdout"]
    assert capfdbinary.readouterr().out == b"symbol,ltp\n"
    path = tmp_path / "a.csv"
    for options in ({"columns": ("symbol",)}, {"has_header": False}):
        outputs = Outputs(str(path), None, None, None, False, False, **options)  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="would not be a recording"):
            names(outputs, ReplayStart(Csv(Mode.LTP), Mode.QUOTE))
    assert not path.exists()
